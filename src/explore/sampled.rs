//! Sampled runs, by several threads.

use std::ops::ControlFlow;

use ftsim_core::explore::Frontier;
use ftsim_core::explore::sample::{Sample, Sampler, Strategy};

use super::parts::by_threads;
use super::{Effort, Seen, Settings, frontier};
use crate::scenario::Scenario;

/// How runs were sampled.
#[derive(Clone, Copy, Debug)]
pub struct Sampled {
    sampler: Sampler,
    /// Of a run, at most; none unless the strategy divides runs into chains.
    pub chain_count: u32,
}

impl Sampled {
    /// Of both.
    pub(super) fn and(self, other: &Self) -> Self {
        Self { chain_count: self.chain_count.max(other.chain_count), ..self }
    }

    /// The number of events that it takes a run to have.
    pub const fn event_count(&self) -> u32 {
        self.sampler.event_count()
    }

    /// A run meets a bug of the depth of the strategy with a chance of at least one in this many.
    pub fn odds_of_bug(&self) -> Option<u128> {
        self.sampler.odds_of_bug(self.chain_count)
    }
}

/// The runs that a thread makes before it looks for others.
const BLOCK: u64 = 1_000;

/// Samples as many runs as the effort allows, with one seed after the other.
pub(super) fn explore(
    scenario: &Scenario,
    settings: &Settings,
    strategy: Strategy,
    effort: &Effort<'_>,
) -> Result<Seen, String> {
    let mut first = frontier(scenario, settings)?;
    let sampler = Sampler::new(&mut first, strategy, settings.seed);
    let explore = |index: usize, frontier: &mut Frontier, _| {
        let begin = index as u64 * BLOCK;
        let end = effort.run_count_max.min(begin + BLOCK);
        let mut seen =
            Seen { sampled: Some(Sampled { sampler, chain_count: 0 }), ..Seen::default() };
        for nth in begin..end {
            seen.note_sample(&sampler.run(frontier, settings.seed.wrapping_add(nth)));
            if effort.go_on(&seen, u64::MAX, scenario) == ControlFlow::Break(()) {
                seen.is_ended = true;
                break;
            }
        }
        seen
    };
    let block_count = usize::try_from(effort.run_count_max.div_ceil(BLOCK)).unwrap_or(usize::MAX);
    by_threads(scenario, settings, effort, block_count, &explore, None)
}

impl Seen {
    pub(super) fn note_sample(&mut self, sample: &Sample) {
        let explored = sample.explored();
        let step_count = explored.steps.len() as u64;
        self.count.runs += 1;
        self.count.cut += u64::from(explored.is_cut);
        self.count.steps += step_count;
        self.count.longest = self.count.longest.max(step_count);
        if let Some(sampled) = &mut self.sampled {
            sampled.chain_count = sampled.chain_count.max(sample.chain_count);
        }
        self.note(&explored);
    }
}
