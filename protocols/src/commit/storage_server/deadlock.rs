//! The policies about deadlocks: what a server does with a transaction that wants a lock while
//! others, the *blockers*, have conflicting ones or come before it.
//!
//! - `none`: it waits, and so may all others;
//! - `ordered` (Havender 1968): it waits, but all ask for locks in the same order, one by one. So
//!   nobody waits for who has only less than it has;
//! - `no-wait`: it is told "no", and tries again later;
//! - `wait-die` (Rosenkrantz, Stearns and Lewis 1978): it waits if it is older than all blockers;
//!   else it *dies*. Who waits is older than who is waited for, so there is no cycle;
//! - `wound-wait` (the same): the younger blockers are *wounded*, that is aborted, unless they are
//!   prepared; it waits for the older. A prepared transaction waits for nothing;
//! - `timeout`: it waits, and its client restarts it when it has waited for long, deadlocked or
//!   not; each time it waits longer, so that in the end the messages for its locks are in time;
//! - `detect`: it waits, and its client looks for cycles (see `detection`).
//!
//! With `wait-die` and `wound-wait` a restarted transaction keeps its timestamp, so that in the end
//! it is the oldest, which nobody restarts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is done about deadlocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// Nothing: deadlocks stay.
    None,
    /// All ask for locks in one order, one by one.
    Ordered,
    /// A conflict is refused: the transaction tries again later.
    #[default]
    NoWait,
    /// A transaction waits for younger ones only; one that meets an older one is restarted.
    WaitDie,
    /// A transaction waits for older ones only, and has younger ones restarted.
    WoundWait,
    /// A transaction that waits for long is restarted.
    Timeout,
    /// A transaction on a cycle is restarted.
    Detect,
}

impl Policy {
    /// Whether the ages of transactions matter.
    pub(super) const fn compares_ages(self) -> bool {
        matches!(self, Self::WaitDie | Self::WoundWait | Self::Detect)
    }

    /// Whether a transaction of this age waits for blockers of these ages, which it cannot have
    /// restarted; else it is restarted itself.
    pub(super) fn waits<T: Ord>(self, age: &T, mut blockers: impl Iterator<Item = T>) -> bool {
        match self {
            Self::None | Self::Ordered | Self::WoundWait | Self::Timeout | Self::Detect => true,
            Self::NoWait => false,
            Self::WaitDie => blockers.all(|blocker| *age < blocker),
        }
    }
}
