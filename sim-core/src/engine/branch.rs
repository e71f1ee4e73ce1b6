//! Other futures of a run: what happened up to some step stays, and whatever is drawn later is
//! drawn anew.
//!
//! What a run draws before its first step is part of its past: faults, their targets and wrong
//! suspicions, since the number of processes that may be faulty holds for a run as a whole; clocks
//! and keys. The same is true of the fate of messages that are under way, which is drawn when they
//! are sent.

use crate::engine::panics;
use crate::engine::runner::{RunRequest, Runner};
use crate::model::property::EndCause;
use crate::outcome::Outcome;
use crate::outcome::tape::Tape;
use crate::outcome::trace::Trace;
use crate::time::Instant;

impl Runner {
    /// Makes the beginning of a run, before its first step; [`advance`](Self::advance) goes on.
    pub fn begin_unstarted(&mut self, request: impl Into<RunRequest>) {
        let request = request.into();
        let seed = request.seed;
        self.stepper().world_mut().forget_plan();
        self.set_plan(request);
        self.stepper().reset(seed);
    }

    /// The same, of a run that is recorded, and its futures with it.
    pub fn begin_unstarted_recorded(&mut self, request: impl Into<RunRequest>) {
        let tape = Tape::new(Trace::ENTRY_COUNT_MAX as u64);
        self.stepper().world_mut().recording.tape = Some(tape);
        self.begin_unstarted(request);
    }

    /// Goes on until the run has made this many steps and the next one would begin, and returns how
    /// many it has made. There can be more, since one event can make several steps, and fewer if
    /// the run ends. At step 0, nothing has happened. `None` if a handler or a checker panics on
    /// the way: then no other future can begin here.
    pub fn advance(&mut self, step: u64) -> Option<u64> {
        while self.world_ref().step < step {
            if !panics::catch(|| self.go_on()).ok()? {
                return Some(self.world_ref().step);
            }
        }
        // What happens before the next step, such as a sync, is still numbered like the last one.
        if step > 0 {
            while self.go_on_within_step() {}
        }
        Some(self.world_ref().step)
    }

    /// Has the next process start, or the next event happen. False if the run has ended.
    fn go_on(&mut self) -> bool {
        let stepper = self.stepper();
        if stepper.start_next() {
            return true;
        }
        let event = stepper.next_event();
        if let Some(event) = event {
            stepper.execute(event);
        }
        event.is_some()
    }

    /// Has the next event happen if no step begins with it. False if one does, or if the run has
    /// ended.
    fn go_on_within_step(&mut self) -> bool {
        let mut next = self.clone();
        match panics::catch(|| next.go_on()) {
            Ok(has_gone_on) if next.world_ref().step == self.world_ref().step => {
                *self = next;
                has_gone_on
            }
            _ => false,
        }
    }

    /// The time of the run that was driven up to here.
    pub fn now(&self) -> Instant {
        self.world_ref().now
    }

    /// Another future of the run that was driven up to here: all that is drawn from now on is drawn
    /// from this seed. Why obligations were not met is not looked for.
    pub fn other_future(&self, seed: u64) -> Outcome {
        self.clone().draw_future(seed)
    }

    /// The same, with its record from the beginning of the run; empty unless the run is recorded.
    pub fn record_other_future(&self, seed: u64) -> (Outcome, Trace) {
        let mut other = self.clone();
        let outcome = other.draw_future(seed);
        let tape = other.stepper().world_mut().recording.tape.take();
        (outcome, tape.map(Trace::of).unwrap_or_default())
    }

    fn draw_future(&mut self, seed: u64) -> Outcome {
        let stepper = self.stepper();
        stepper.draw_anew(seed);
        let panic = panics::catch(|| stepper.run_to_end());
        self.finish_because(EndCause::Violated, panic.err())
    }
}
