//! Plain data: messages, timers, the records of a log.

use std::fmt::Debug;
use std::hash::Hash;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Plain data that can be compared, hashed, printed and serialised.
pub trait Data: Clone + Debug + Eq + Hash + Serialize + 'static {}
impl<T: Clone + Debug + Eq + Hash + Serialize + 'static> Data for T {}

/// Data that is sent on links and stored on disks, and can be read back.
pub trait Message: Data + DeserializeOwned {}
impl<T: Data + DeserializeOwned> Message for T {}

/// A timer is identified by its value: setting an equal one again moves it.
pub trait Timer: Copy + Data {}
impl<T: Copy + Data> Timer for T {}

/// A record as found after a crash.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Stored<R> {
    /// As written.
    Intact(R),
    /// Only partly written, as its checksum shows.
    Torn,
    /// Damaged after it was written, as its checksum shows.
    Corrupt,
}

impl<R> Stored<R> {
    /// The record, if it is intact.
    pub const fn intact(&self) -> Option<&R> {
        match self {
            Self::Intact(record) => Some(record),
            Self::Torn | Self::Corrupt => None,
        }
    }
}

/// The type without values: the timers of a process without timers, the records of one without a
/// log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Never {}

/// An error of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StorageError {
    /// A sync failed: nothing since the last successful one is durable.
    SyncFailed,
    /// The disk is full: the record was not appended.
    DiskFull,
}
