//! The repair of a lecture: who lacks a message of a crashed process asks for it.
//!
//! A process learns of the message from an acknowledgement, and asks who has sent that. All have
//! the same messages in the end, but a process can deliver a later message before it learns of this
//! one: it is not enough that all living processes have acknowledged a message; none must have an
//! earlier one of a crashed sender. Mutant `fetch-only` expects the order all the same.

use ftsim_core::{Cx, ProcessId, ProcessSet};

use super::{LamportTomFt, Msg, Repair, Stamp};

impl LamportTomFt {
    /// Whether a message has to be fetched from somebody who has acknowledged it.
    pub(super) fn must_fetch(&self, stamp: Stamp) -> bool {
        self.repair == Repair::Fetch && self.suspected.contains(stamp.1) && !self.has(stamp)
    }

    pub(super) fn fetch_all(&self, cx: &mut Cx<Self>) {
        for (stamp, by) in self.acked.iter().filter(|(stamp, _)| self.must_fetch(**stamp)) {
            if let Some(holder) = self.holder(by, cx) {
                cx.send(holder, Msg::Fetch(*stamp));
            }
        }
    }

    /// A process to fetch a message from. A message without one is forgotten.
    fn holder(&self, acked: &ProcessSet, cx: &Cx<Self>) -> Option<ProcessId> {
        self.unsuspected(cx).find(|p| acked.contains(*p))
    }

    /// Whether it knows of a message before this one that it has to fetch.
    pub(super) fn misses_earlier(&self, stamp: Stamp, cx: &Cx<Self>) -> bool {
        let mut earlier = self.acked.range(..stamp);
        earlier.any(|(stamp, by)| self.must_fetch(*stamp) && self.holder(by, cx).is_some())
    }
}
