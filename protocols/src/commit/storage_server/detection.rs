//! Deadlock detection by edge chasing.
//!
//! Source: Chandy, Misra and Haas (1983), *Distributed deadlock detection*; their *controllers* are
//! our servers and clients, their *probe (i, j, k)* of a process i that j waits for k is a probe
//! whose path begins with i and ends with j, k.
//!
//! Steps:
//!
//! 1. the client of an attempt that has waited for long sends a probe to the servers at which it
//!    waits. They send it to the clients of those for which the attempt waits; a client whose
//!    attempt waits, too, sends it on, once for each computation;
//! 2. a probe that comes back has found a cycle. To choose one victim for each cycle, a younger
//!    attempt does not send the probe of an older one on, so only that of the youngest comes back;
//! 3. others on the cycle may have been aborted while the probe was under way. So the client has
//!    the same path followed once more by a confirmation; when that comes back, it aborts its
//!    attempt.
//!
//! Why it works: an attempt waits for a lock once, without interruption, since restarted it has
//! another name. An edge that the probe and the confirmation have both found existed all the time
//! between. So when the probe had come back, all edges of its path existed together, and the
//! attempt was deadlocked.

use serde::{Deserialize, Serialize};

use super::Timestamp;
use crate::spec::transactions::Attempt;

/// A probe.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Probe {
    /// The age of its initiator.
    pub timestamp: Timestamp,
    /// The number of the computation, of those of the initiator.
    pub computation: u64,
    /// Attempts of which each waits for the next, from the initiator on.
    pub path: Vec<Attempt>,
}

/// A confirmation of what a probe has found.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Confirm {
    /// Attempts of which each waited for the next, and the last for the first.
    pub cycle: Vec<Attempt>,
    /// The number of edges that have been confirmed.
    pub confirmed: usize,
}

impl Probe {
    /// The same, with a longer path.
    pub(super) fn with(&self, next: Attempt) -> Self {
        let mut longer = self.clone();
        longer.path.push(next);
        longer
    }
}

impl Confirm {
    /// The next edge to confirm.
    pub(super) fn edge(&self) -> Option<(Attempt, Attempt)> {
        let waiter = *self.cycle.get(self.confirmed)?;
        let other = self.cycle.get(self.confirmed + 1).or_else(|| self.cycle.first())?;
        Some((waiter, *other))
    }

    /// The same, with one more edge confirmed.
    pub(super) fn next(&self) -> Self {
        Self { cycle: self.cycle.clone(), confirmed: self.confirmed + 1 }
    }
}
