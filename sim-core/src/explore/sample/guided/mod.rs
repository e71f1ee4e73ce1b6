//! Guided runs: what led to something new is kept, and varied.
//!
//! Sources: coverage-guided greybox fuzzing with a power schedule as of Böhme, Pham and
//! Roychoudhury (2016), *Coverage-based greybox fuzzing as Markov chain*, CCS (AFLFast); for
//! distributed systems with states as coverage: Meng, Pîrlea, Roychoudhury and Sergey (2023),
//! *Greybox fuzzing of distributed systems*, CCS (Mallory); to return to what was reached before
//! going on at random: Ecoffet, Huizinga, Lehman, Stanley and Clune (2021), *First return, then
//! explore*, Nature 590.
//!
//! The coverage of a run is the set of its features (`feature.rs`). The first run that shows a
//! feature is kept for it (`corpus.rs`). A further run is drawn anew with a chance of 1/4.
//! Otherwise a kept run is drawn, the sooner the fewer runs have shown its feature and the fewer
//! times it was drawn, and varied: a part of its choices is made again, perhaps without one of
//! them, with one moved, or with the rest of another kept run, as far as they can be made
//! (`plan.rs`). It goes on as a random walk, with faults for what is left of the budget.
//!
//! Runs are made in rounds of [`ROUND`]. What a run does depends on what was learned in the rounds
//! before and on its number, so that the runs of a round can be made at once.

mod corpus;
mod feature;
mod plan;

use std::ops::ControlFlow;

use super::interference::Interference;
use super::{Run, Sample, Sampler, Strategy};
use crate::explore::Explored;
use crate::explore::budget::Budget;
use crate::explore::frontier::Frontier;
use crate::rng::{Rng, Stream};
use corpus::Corpus;
use feature::{Feature, Watch};
use plan::Plan;

/// The number of runs that learn nothing from each other.
pub const ROUND: u64 = 32;

/// What runs have shown so far, and how to go on.
#[derive(Debug)]
pub struct Guide {
    first_seed: u64,
    event_count: u32,
    corpus: Corpus,
}

/// A guided run.
#[derive(Debug)]
pub struct Trial {
    /// The run.
    pub sample: Sample,
    /// What it has shown, and after how many choices.
    shown: Vec<(Feature, u32)>,
    /// The feature whose run it varies.
    origin: Option<usize>,
}

impl Guide {
    /// Knows nothing yet. Fresh runs have one seed after the other, from this one on.
    pub fn new(frontier: &mut Frontier, first_seed: u64) -> Self {
        let event_count = Sampler::new(frontier, Strategy::Random, first_seed).event_count();
        Self { first_seed, event_count, corpus: Corpus::default() }
    }

    /// The number of events that it takes runs to have.
    pub const fn event_count(&self) -> u32 {
        self.event_count
    }

    /// How many labels, pairs of a state and an event, and states at rest were shown.
    pub fn feature_counts(&self) -> [u64; 3] {
        self.corpus.feature_counts()
    }

    /// The `nth` of all runs, counted from 0, once the rounds before its own have been learned.
    pub fn run(&self, frontier: &mut Frontier, nth: u64) -> Trial {
        let seed = self.first_seed.wrapping_add(nth);
        let mut rng = Rng::new(seed, Stream::Exploration);
        let (plan, origin) = Plan::draw(&self.corpus, seed, &mut rng);
        let world_seed = plan.seed;
        let (run, shown) = self.follow(frontier, plan, &mut rng);
        let steps = run.steps;
        let is_cut = frontier.is_cut();
        let outcome = frontier.finish();
        let left = frontier.left();
        let sample = Sample { seed: world_seed, steps, left, outcome, is_cut, chain_count: 0 };
        Trial { sample, shown, origin }
    }

    /// Learns from the runs of a round, in the order of their numbers.
    pub fn learn(&mut self, round: &[Trial]) {
        for trial in round {
            self.corpus.learn(trial);
        }
    }

    /// Makes this many runs, or fewer if the visitor breaks off.
    pub fn explore(
        &mut self,
        frontier: &mut Frontier,
        run_count: u64,
        visit: &mut dyn FnMut(&Explored<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        for first in (0..run_count).step_by(usize::try_from(ROUND).unwrap_or(1)) {
            let mut round = Vec::new();
            for nth in first..run_count.min(first + ROUND) {
                let trial = self.run(frontier, nth);
                visit(&trial.sample.explored())?;
                round.push(trial);
            }
            self.learn(&round);
        }
        ControlFlow::Continue(())
    }

    /// A run that follows a plan, and what it has shown.
    fn follow<'f>(
        &self,
        frontier: &'f mut Frontier,
        plan: Plan,
        rng: &mut Rng,
    ) -> (Run<'f>, Vec<(Feature, u32)>) {
        let Plan { seed, exact, then } = plan;
        let mut then = then.into_iter().peekable();
        let mut run = Run { frontier, seed, steps: Vec::new() };
        let mut watch = Watch::new(run.frontier.process_count());
        run.frontier.begin(seed);
        for choice in exact {
            run.take(choice);
            watch.catch_up(&run);
        }
        let mut interference = self.interference(&run, rng);
        plan::decide_fates(&mut then, &mut run);
        interference.decide_fates(&mut run, rng);
        let mut enabled = Vec::new();
        loop {
            run.frontier.plain(&mut enabled);
            if enabled.is_empty() {
                watch.end(&run);
                return (run, watch.shown);
            }
            if let Some(choice) = interference.in_place_of_events(run.frontier, rng) {
                run.take(choice);
            } else {
                match plan::next(&mut then, &mut run, &enabled) {
                    Some(choice) if !choice.is_plain() || choice.event.is_early() => {
                        run.take(choice);
                    }
                    Some(choice) => interference.step(&mut run, choice, rng),
                    None => {
                        let choice = enabled[rng.index(enabled.len())];
                        interference.step(&mut run, choice, rng);
                    }
                }
            }
            watch.catch_up(&run);
            plan::decide_fates(&mut then, &mut run);
            interference.decide_fates(&mut run, rng);
            watch.catch_up(&run);
        }
    }

    /// Faults for what a run has left of its budget.
    fn interference(&self, run: &Run<'_>, rng: &mut Rng) -> Interference {
        let (budget, used) = (run.frontier.budget(), run.frontier.used());
        let early = run.steps.iter().filter(|step| step.choice.event.is_early()).count();
        let timeouts = budget.timeouts.saturating_mul(run.frontier.process_count());
        let left = Budget {
            crashes: budget.crashes.saturating_sub(used.crashes),
            losses: budget.losses.saturating_sub(used.losses),
            duplicates: budget.duplicates.saturating_sub(used.duplicates),
            suspicions: budget.suspicions.saturating_sub(used.suspicions),
            timeouts: timeouts.saturating_sub(u32::try_from(early).unwrap_or(u32::MAX)),
            ..budget
        };
        let first = run.frontier.step_count();
        Interference::within(&left, (first, self.event_count.max(first)), rng)
    }
}
