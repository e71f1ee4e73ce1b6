//! Draws runs one after the other, by a strategy.
//!
//! A strategy chooses, in each state, which of the events that have to happen some time is next:
//!
//! - [`Strategy::Random`]: each alike.
//! - [`Strategy::Pos`]: by random priorities, drawn anew for what a step has raced with (`pos.rs`).
//! - [`Strategy::Pct`]: by random priorities of the chains of the causal order, lowered at a few
//!   random events (`pct.rs`). It has a proved chance of meeting a bug of a given depth.
//!
//! Faults are the same for all of them, and independent of the order of events (`interference.rs`).
//! A run is a function of its strategy, its seed, and the length of runs that its strategy expects.
//! Only [`guided`] runs depend on those before them.

pub mod guided;
mod interference;
mod pct;
mod pos;

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use super::Explored;
use super::choice::Choice;
use super::frontier::Frontier;
use super::step::Step;
use crate::outcome::Outcome;
use crate::rng::{Rng, Stream};
use interference::Interference;
use pct::Pct;
use pos::Pos;

/// How a sampled run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// With each event alike that can be next.
    Random,
    /// By partial-order sampling.
    Pos,
    /// By random priorities of chains, which change for all but one of this many events.
    Pct(NonZeroU32),
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random => f.write_str("random"),
            Self::Pos => f.write_str("pos"),
            Self::Pct(depth) => write!(f, "pct:{depth}"),
        }
    }
}

impl FromStr for Strategy {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "random" => Ok(Self::Random),
            "pos" => Ok(Self::Pos),
            _ => {
                let depth = text.strip_prefix("pct:").ok_or(())?;
                depth.parse().map(Self::Pct).map_err(|_| ())
            }
        }
    }
}

/// A strategy, and what it has to know of the runs beforehand.
#[derive(Clone, Copy, Debug)]
pub struct Sampler {
    strategy: Strategy,
    /// The number of events of a run, so far as it is known: at least 1.
    event_count: u32,
}

/// A sampled run.
#[derive(Debug)]
pub struct Sample {
    seed: u64,
    steps: Vec<Step>,
    left: Vec<(super::What, u32)>,
    outcome: Outcome,
    is_cut: bool,
    /// The chains of its causal order, as far as the strategy has divided it.
    pub chain_count: u32,
}

/// The number of runs that tell how long runs are.
const PILOT_COUNT: u64 = 100;

impl Sampler {
    /// Samples runs of this strategy, as long as the longest of some random runs without faults,
    /// from this seed on.
    pub fn new(frontier: &mut Frontier, strategy: Strategy, first_seed: u64) -> Self {
        let mut sampler = Self::of_length(Strategy::Random, 1);
        for nth in 0..PILOT_COUNT {
            let mut rng = Rng::new(first_seed.wrapping_add(nth), Stream::Exploration);
            let steps = sampler.steps(frontier, first_seed, &mut rng, Interference::default());
            let event_count = u32::try_from(steps.0.len()).unwrap_or(u32::MAX).saturating_sub(1);
            sampler.event_count = sampler.event_count.max(event_count);
        }
        Self { strategy, ..sampler }
    }

    /// Samples runs of about this many events.
    pub fn of_length(strategy: Strategy, event_count: u32) -> Self {
        Self { strategy, event_count: event_count.max(1) }
    }

    /// The number of events that it takes runs to have.
    pub const fn event_count(&self) -> u32 {
        self.event_count
    }

    /// The run of this seed.
    pub fn run(&self, frontier: &mut Frontier, seed: u64) -> Sample {
        let mut rng = Rng::new(seed, Stream::Exploration);
        let interference = Interference::draw(frontier, self.event_count, &mut rng);
        let (steps, chain_count) = self.steps(frontier, seed, &mut rng, interference);
        let is_cut = frontier.is_cut();
        let outcome = frontier.finish();
        Sample { seed, steps, left: frontier.left(), outcome, is_cut, chain_count }
    }

    /// The chance, one in this many, with which a run meets a bug of the depth of the strategy, if
    /// runs have no more events than it takes them to have, and at most this many chains: none
    /// unless the strategy has a proved one.
    pub fn odds_of_bug(&self, chain_count: u32) -> Option<u128> {
        let Strategy::Pct(depth) = self.strategy else { return None };
        let change_points = u128::from(self.event_count).saturating_pow(depth.get() - 1);
        Some(u128::from(chain_count).saturating_mul(change_points))
    }

    /// The steps of a run, and the number of its chains.
    fn steps(
        &self,
        frontier: &mut Frontier,
        seed: u64,
        rng: &mut Rng,
        mut interference: Interference,
    ) -> (Vec<Step>, u32) {
        let mut order = Order::of(self, rng);
        let mut run = Run { frontier, seed, steps: Vec::new() };
        let mut enabled = Vec::new();
        run.frontier.begin(seed);
        loop {
            run.frontier.plain(&mut enabled);
            if enabled.is_empty() {
                return (run.steps, order.chain_count());
            }
            if let Some(choice) = interference.in_place_of_events(run.frontier, rng) {
                run.take(choice);
            } else {
                interference.step(&mut run, order.choose(&enabled, rng), rng);
            }
            order.has_taken(&run, rng);
            interference.decide_fates(&mut run, rng);
        }
    }
}

impl Sample {
    /// The run, as any search shows it.
    pub fn explored(&self) -> Explored<'_> {
        let Self { seed, steps, left, outcome, is_cut, .. } = self;
        Explored {
            seed: *seed,
            steps,
            left,
            draws: &[],
            outcome,
            is_cut: *is_cut,
            repeats_from: None,
        }
    }
}

/// A run so far.
struct Run<'f> {
    frontier: &'f mut Frontier,
    seed: u64,
    steps: Vec<Step>,
}

impl Run<'_> {
    fn take(&mut self, choice: Choice) -> Step {
        let step = self.frontier.take(choice);
        self.steps.push(step);
        step
    }

    /// Takes back the last step.
    fn take_back(&mut self) {
        self.steps.pop();
        self.frontier.begin(self.seed);
        for step in &self.steps {
            self.frontier.take(step.choice);
        }
    }
}

/// What a strategy remembers of a run.
enum Order {
    Random,
    Pos(Pos),
    Pct(Pct),
}

impl Order {
    fn of(sampler: &Sampler, rng: &mut Rng) -> Self {
        match sampler.strategy {
            Strategy::Random => Self::Random,
            Strategy::Pos => Self::Pos(Pos::default()),
            Strategy::Pct(depth) => Self::Pct(Pct::new(depth, sampler.event_count, rng)),
        }
    }

    /// One of the events that can be next, of which there is at least one.
    fn choose(&mut self, enabled: &[Choice], rng: &mut Rng) -> Choice {
        match self {
            Self::Random => enabled[rng.index(enabled.len())],
            Self::Pos(pos) => pos.choose(enabled, rng),
            Self::Pct(pct) => pct.choose(enabled),
        }
    }

    /// Takes note of the last step.
    fn has_taken(&mut self, run: &Run<'_>, rng: &mut Rng) {
        match self {
            Self::Random => {}
            Self::Pos(pos) => pos.has_taken(run),
            Self::Pct(pct) => pct.has_taken(run, rng),
        }
    }

    fn chain_count(&self) -> u32 {
        match self {
            Self::Random | Self::Pos(_) => 0,
            Self::Pct(pct) => pct.chain_count(),
        }
    }
}
