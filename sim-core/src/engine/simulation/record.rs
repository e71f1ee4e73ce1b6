//! Runs that are recorded: as a trace in memory, or as a tape that is written while they go on.

use std::io::{self, Write};

use super::Simulation;
use crate::fault::Plan;
use crate::model::property::EndCause;
use crate::model::protocol::Protocol;
use crate::outcome::Outcome;
use crate::outcome::tape::Tape;
use crate::outcome::trace::Trace;

/// A record that is written while the run goes on is written in pieces of this many bytes.
const TAPE_WRITTEN_FROM: usize = 1 << 16;

impl<P: Protocol> Simulation<P> {
    /// Runs one seed to its end and records what happens.
    pub fn record(&mut self, seed: u64) -> (Outcome, Trace) {
        self.recorded(|simulation| simulation.run(seed))
    }

    /// Runs one seed to its end under this plan and records what happens.
    pub fn record_under(&mut self, seed: u64, plan: Plan) -> (Outcome, Trace) {
        self.recorded(|simulation| simulation.run_under(seed, plan))
    }

    fn recorded(&mut self, run: impl FnOnce(&mut Self) -> Outcome) -> (Outcome, Trace) {
        self.world.tape = Some(Tape::new(Trace::ENTRY_COUNT_MAX as u64));
        let outcome = run(self);
        (outcome, self.world.tape.take().map(Trace::of).unwrap_or_default())
    }

    /// Runs one seed to its end, under this plan if there is one, and writes what happens while it
    /// goes on: a tape for a [`TapeReader`](crate::outcome::tape::TapeReader). Memory does
    /// not grow with the length of the run.
    ///
    /// # Errors
    /// Those of `out`; the run ends there.
    pub fn record_to(
        &mut self,
        seed: u64,
        plan: Option<Plan>,
        out: &mut dyn Write,
    ) -> io::Result<Outcome> {
        self.decide_plan(seed, plan);
        self.world.tape = Some(Tape::new(u64::MAX));
        let mut written = Ok(());
        let outcome = self.run_plan_with(seed, |world| {
            if let Some(tape) = &mut world.tape
                && tape.bytes().len() >= TAPE_WRITTEN_FROM
            {
                written = out.write_all(tape.bytes());
                tape.clear();
                if written.is_err() {
                    world.ended = Some(EndCause::EventLimit);
                }
            }
        });
        self.forget_plan();
        let tape = self.world.tape.take();
        written?;
        if let Some(mut tape) = tape {
            tape.end();
            out.write_all(tape.bytes())?;
        }
        Ok(outcome)
    }
}
