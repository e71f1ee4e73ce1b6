//! Deadlock detection by edge chasing.
//!
//! Source: Chandy, Misra and Haas (1983), *Distributed deadlock detection*; their *controllers* are
//! our servers and clients, their *probe (i, j, k)* of a process i that j waits for k is a probe
//! whose path begins with i and ends with j, k.
//!
//! Steps:
//!
//! 1. the client of an attempt that has waited for long sends a probe for each lock that it lacks
//!    to its server. That sends it to the clients of those for which the attempt waits; a client
//!    whose attempt waits, too, sends it on, once for each computation;
//! 2. a probe that comes back has found a cycle. To choose one victim for each cycle, a younger
//!    attempt does not send the probe of an older one on, so only that of the youngest comes back;
//! 3. others on the cycle may have been aborted while the probe was under way. So the client has
//!    the same path followed once more by a confirmation; when that comes back, it aborts its
//!    attempt.
//!
//! Why it works: in one life of a server, an attempt waits for a lock once, without interruption,
//! since restarted it has another name. So an edge that the probe and the confirmation have both
//! found there existed all the time between. A crash of the server interrupts it, and the same
//! request, sent again, may begin it anew: therefore the confirmation goes where the probe has
//! been, and fails if that server has another life, or if the client has the lock after all. When
//! the probe had come back, all edges of its path existed together, and the attempt was deadlocked.

use serde::{Deserialize, Serialize};

use super::{Life, Timestamp};
use crate::spec::transactions::{Attempt, Item, ItemCopy};

/// The place at which a server has found that an attempt waits for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// What it waits for.
    pub copy: ItemCopy,
    /// The life of the server.
    pub life: Life,
}

/// A probe.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Probe {
    /// The age of its initiator.
    pub timestamp: Timestamp,
    /// The number of the computation, of those of the initiator.
    pub computation: u64,
    /// Attempts of which each waits for the next, from the initiator on.
    pub path: Vec<Attempt>,
    /// Where each of them but the last waits.
    pub places: Vec<Place>,
    /// The item for which the last of them waits at the receiver, if that is a server.
    pub item: Item,
}

/// A confirmation of what a probe has found.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Confirm {
    /// Attempts of which each waited for the next, and the last for the first.
    pub cycle: Vec<Attempt>,
    /// Where each of them waited.
    pub places: Vec<Place>,
    /// The number of edges that have been confirmed.
    pub confirmed: usize,
}

impl Probe {
    /// The same, with a longer path: its last attempt waits for `next` at this place.
    pub(super) fn with(&self, next: Attempt, place: Place) -> Self {
        let mut longer = self.clone();
        longer.path.push(next);
        longer.places.push(place);
        longer
    }
}

impl Confirm {
    /// The place of the next edge to confirm.
    pub(super) fn place(&self) -> Option<Place> {
        self.places.get(self.confirmed).copied()
    }

    /// The next edge to confirm.
    pub(super) fn edge(&self) -> Option<(Attempt, Attempt)> {
        let waiter = *self.cycle.get(self.confirmed)?;
        let other = self.cycle.get(self.confirmed + 1).or_else(|| self.cycle.first())?;
        Some((waiter, *other))
    }

    /// The same, with one more edge confirmed.
    pub(super) fn next(&self) -> Self {
        Self { confirmed: self.confirmed + 1, ..self.clone() }
    }
}
