//! Plain data: messages, timers, the records of a log.

use std::fmt::Debug;
use std::hash::Hash;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Plain data that a run can compare, hash, print and write down.
pub trait Data: Clone + Debug + Eq + Hash + Serialize + 'static {}
impl<T: Clone + Debug + Eq + Hash + Serialize + 'static> Data for T {}

/// What travels on links and lies on disks: plain data that can be read back.
pub trait Message: Data + DeserializeOwned {}
impl<T: Data + DeserializeOwned> Message for T {}

/// A timer is named by its value: setting an equal one again moves it.
pub trait Timer: Copy + Data {}
impl<T: Copy + Data> Timer for T {}

/// One record as it is found after a crash.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Stored<R> {
    /// As it was written.
    Intact(R),
    /// Only partly written; its checksum says so.
    Torn,
    /// Damaged after it was written; its checksum says so.
    Corrupt,
}

impl<R> Stored<R> {
    /// The record, if it can be read.
    pub const fn intact(&self) -> Option<&R> {
        match self {
            Self::Intact(record) => Some(record),
            Self::Torn | Self::Corrupt => None,
        }
    }
}

/// The type of what never is: the timer of a process without timers, the record of one without a
/// log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Never {}

/// Why the disk did not do what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StorageError {
    /// A sync failed: nothing since the last one is durable.
    SyncFailed,
    /// The disk is full: the record was not taken.
    DiskFull,
}
