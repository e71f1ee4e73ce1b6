//! Runs of a strategy that draws each of them from its own seed: what a sweep can do.

use ftsim_core::explore::Frontier;
use ftsim_core::explore::sample::{Sample, Sampler, Strategy};
use ftsim_core::{Beacon, Outcome, Verdict};
use ftsim_protocols::Catalogue;

use super::counterexample::Found;
use super::{Counterexample, Settings, runner};
use crate::scenario::{PANICKED, Scenario};

/// A strategy for the seeds of a scenario. A run depends on the scenario, the strategy and its seed
/// alone.
#[derive(Clone, Copy, Debug)]
pub struct Seeded {
    strategy: Strategy,
    settings: Settings,
    sampler: Sampler,
}

impl Seeded {
    /// Within what the scenario says in `[explore]`, or else the model of its protocol.
    ///
    /// # Errors
    /// Why it cannot be explored.
    pub fn of(scenario: &Scenario, strategy: Strategy) -> Result<Self, String> {
        let settings = Settings::of(scenario)?;
        let mut frontier = settings.frontier(scenario, runner(scenario, &settings)?);
        let sampler = Sampler::new(&mut frontier, strategy, scenario.seeds.start);
        Ok(Self { strategy, settings, sampler })
    }

    /// The strategy.
    pub const fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// What runs are made with, which shows on `beacon` what they do.
    ///
    /// # Errors
    /// If the protocol cannot be put into its world.
    pub fn frontier(&self, scenario: &Scenario, beacon: Beacon) -> Result<Frontier, String> {
        let mut runner = runner(scenario, &self.settings)?;
        runner.show_on(beacon);
        Ok(self.settings.frontier(scenario, runner))
    }

    /// The run of this seed.
    pub fn run(&self, frontier: &mut Frontier, seed: u64) -> Sample {
        self.sampler.run(frontier, seed)
    }

    /// A scenario whose run violates what the run of this seed violates, if delays alone can tell
    /// it; and the digest of the run of this seed.
    ///
    /// # Errors
    /// If the protocol cannot be put into its world.
    pub fn counterexample(
        &self,
        scenario: &Scenario,
        seed: u64,
    ) -> Result<(Option<String>, String), String> {
        let sample = self.run(&mut self.frontier(scenario, Beacon::default())?, seed);
        let explored = sample.explored();
        let digest = explored.outcome.digest.to_string();
        let Some(property) = violated(explored.outcome) else { return Ok((None, digest)) };
        let catalogue = Catalogue::from(scenario.entry.clone());
        let found = Found::of(&explored, String::new());
        Ok((Counterexample::of(scenario, &catalogue, property, found).scenario, digest))
    }
}

/// The first property that is violated, or a panic.
fn violated(outcome: &Outcome) -> Option<&'static str> {
    let mut judged = outcome.judged.iter();
    let first = judged.find(|one| matches!(one.verdict, Verdict::Violated(_)));
    first.map(|one| one.id.0).or(outcome.panicked.as_ref().map(|_| PANICKED))
}
