//! Explores what can happen in a small experiment, choice by choice, instead of drawing it.
//!
//! A run is a sequence of [`Choice`]s: which pending event happens next, whether its message is
//! lost or comes twice, whether the process crashes on the way, and after which of its effects. A
//! [`Frontier`] knows what can be chosen in a state. A search goes through all sequences up to the
//! order of events that commute ([`reduced`]), through all states ([`states`]), or through all
//! sequences ([`unreduced`]). A strategy draws one run after the other ([`sample`]).
//!
//! Two choices *commute* unless they concern the same process, one makes the other possible, or
//! both are seen by something that minds their order ([`Footprint`]). Runs that differ only in the
//! order of choices that commute are one class, and one run stands for it (Mazurkiewicz 1987).

pub mod budget;
pub mod choice;
pub mod estimate;
pub mod footprint;
pub mod frontier;
pub mod history;
pub mod lineage;
pub mod reduced;
pub mod sample;
pub mod states;
pub mod step;

pub mod timed;
pub mod unreduced;

pub use budget::{Budget, Time};
pub use choice::{Choice, How};
pub use footprint::Footprint;
pub use frontier::Frontier;
pub use history::ClassId;
pub use step::{Step, What};
pub use timed::Timed;

use crate::outcome::Outcome;
use crate::rng::told::Draw;

/// A finished run of a search.
#[derive(Debug)]
pub struct Explored<'a> {
    /// The seed of what clients and processes draw.
    pub seed: u64,
    /// The steps, in the order in which they were taken.
    pub steps: &'a [Step],
    /// What has not happened, and the step that has caused it.
    pub left: &'a [(What, u32)],
    /// The draws that were chosen, with the step of each.
    pub draws: &'a [(u32, Draw)],
    /// The verdicts and figures.
    pub outcome: &'a Outcome,
    /// Whether it was cut off before all that was due had happened.
    pub is_cut: bool,
    /// The run goes on for ever: what came after so many steps comes again and again.
    pub repeats_from: Option<usize>,
}

/// What a search has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Finished runs.
    pub runs: u64,
    /// Runs that were given up, because all that could follow belongs to classes seen before.
    pub redundant: u64,
    /// Runs that were cut off at the greatest number of steps.
    pub cut: u64,
    /// Steps of all runs, those that were made again included.
    pub steps: u64,
    /// The most steps of a run.
    pub longest: u64,
}

impl Count {
    /// The sum of two searches of different parts.
    pub fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.redundant += other.redundant;
        self.cut += other.cut;
        self.steps += other.steps;
        self.longest = self.longest.max(other.longest);
    }
}
