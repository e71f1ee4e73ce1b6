//! Partial-order sampling.
//!
//! Source: Yuan, Yang and Gu (2018), *Partial order aware concurrency sampling*, CAV, section 4.
//!
//! An event gets a random priority once it can happen, and of all that can happen the one of the
//! highest priority does. Then all that it has raced with, which is what can happen and conflicts
//! with it, gets a new one. So the order of events that conflict is hardly affected by how many
//! others there are, while a random walk would rather let a short sequence of events end before a
//! long one.
//!
//! The paper's events are steps of threads, and race for a variable. Ours race for a process.

use std::collections::BTreeMap;

use super::Run;
use crate::explore::choice::{Choice, EventId};
use crate::explore::footprint::Footprint;
use crate::rng::Rng;

/// The priorities of what can happen.
#[derive(Default)]
pub(super) struct Pos {
    priorities: BTreeMap<EventId, u64>,
}

impl Pos {
    pub fn choose(&mut self, enabled: &[Choice], rng: &mut Rng) -> Choice {
        let mut highest = (0, enabled[0]);
        for choice in enabled {
            let priority = *self.priorities.entry(choice.event).or_insert_with(|| rng.bits());
            if priority > highest.0 {
                highest = (priority, *choice);
            }
        }
        highest.1
    }

    /// Forgets the priorities of what the last step has raced with.
    pub fn has_taken(&mut self, run: &Run<'_>) {
        let Some(step) = run.steps.last() else { return };
        for one in run.frontier.prospects() {
            if step.footprint.conflicts_with(Footprint::of(one.at)) {
                self.priorities.remove(&one.event);
            }
        }
    }
}
