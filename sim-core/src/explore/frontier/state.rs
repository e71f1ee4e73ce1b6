//! What the state of a run is, apart from how it came about.

use std::hash::{Hash as _, Hasher as _};

use super::{Frontier, Pending, locked};
use crate::digest::Digest;
use crate::explore::choice::EventId;
use crate::explore::step::What;

impl Frontier {
    /// A digest of the state: equal for two from which the same can follow, with the same verdicts.
    pub(in crate::explore) fn state(&self) -> u64 {
        let stepper = self.runner.stepper_ref();
        let world = stepper.world();
        let mut digest = stepper.fingerprint();
        digest.mix(stepper.streams().value());
        (world.now, self.step_count == 0, self.panic.is_some()).hash(&mut digest);
        // Their order does not matter, unless they have to keep it.
        let sum = |sum: u64, one: &Pending| sum.wrapping_add(self.pending_digest(one).value());
        digest.write_u64(self.pending.iter().fold(0, sum));
        // What becomes of them is chosen next, in this order.
        for (event, what) in &self.undecided {
            let one = self.pending.iter().find(|one| one.id == *event);
            one.map(|one| self.pending_digest(one).value()).hash(&mut digest);
            if let What::Message { from, to, .. } = what {
                (from, to).hash(&mut digest);
            }
        }
        let used = &self.used;
        let faults = [used.crashes, used.recoveries, used.losses, used.duplicates, used.suspicions];
        (faults, &self.timeouts, &self.suspected).hash(&mut digest);
        (self.will_recover, self.down_for_good, self.last_key).hash(&mut digest);
        if let Some(script) = &self.script {
            locked(script).counts().hash(&mut digest);
        }
        digest.value()
    }

    fn pending_digest(&self, one: &Pending) -> Digest {
        let mut digest = self.runner.stepper_ref().content(&one.event);
        std::mem::discriminant(&one.what).hash(&mut digest);
        let at = one.event.place.at.max(self.runner.world_ref().now);
        (one.at, at, one.is_double).hash(&mut digest);
        if one.is_timer() {
            // Which runs out first, by the clock of the process, if one does early.
            let rank =
                |other: &&Pending| other.is_timer() && other.at == one.at && other.due < one.due;
            self.pending.iter().filter(rank).count().hash(&mut digest);
            one.due.since(self.clocks[one.at.index()]).hash(&mut digest);
        }
        let is_before = |other: &&Pending| match (one.what, other.what) {
            (What::Message { from, to, .. }, What::Message { from: f, to: t, .. }) => {
                self.is_fifo
                    && (from, to) == (f, t)
                    && other.event.place.sequence() < one.event.place.sequence()
            }
            (What::Request { .. }, What::Request { .. }) => {
                other.at == one.at && other.event.place < one.event.place
            }
            _ => false,
        };
        self.pending.iter().filter(is_before).count().hash(&mut digest);
        digest
    }

    /// What is pending.
    pub(in crate::explore) fn pending_events(&self) -> Vec<EventId> {
        self.pending.iter().map(|one| one.id).collect()
    }
}
