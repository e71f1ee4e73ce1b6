//! Random scenarios within the model of a protocol: any property that falls shows a bug in the
//! protocol, in a property, in the model or in the engine. With one assumption broken, some
//! property should fall.

mod assumption;
mod small;
mod value;
pub(crate) mod world;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ftsim_core::rng::Rng;
use ftsim_core::{Entry, Outcome, Verdict};
use ftsim_protocols::Catalogue;

use crate::cli::clock;
use crate::run::audited::findings;
use crate::run::{InternalError, record};
use crate::scenario::{PANICKED, Scenario};
pub use assumption::{Assumption, breakable};
pub use small::small_setting;

/// The maximum number of drawings that are tried for one scenario.
const ATTEMPT_COUNT_MAX: u64 = 200;

/// The name of auditor findings where properties are named.
pub const AUDIT: &str = "audit";

/// The scenarios to draw for one protocol.
pub struct Stress<'a> {
    /// The protocol.
    pub entry: &'a Entry,
    /// The assumption that each scenario breaks, if any.
    pub broken: Option<Assumption>,
    /// The seed for drawing the scenarios.
    pub seed: u64,
    /// The number of scenarios.
    pub scenario_count: u64,
    /// The number of seeds that are run of each scenario.
    pub seed_count: u64,
}

/// The limits on time and threads.
pub struct Effort<'a> {
    /// The number of threads.
    pub jobs: usize,
    /// No scenario is started after this time on the program's clock.
    pub until: Option<Duration>,
    /// No scenario is started once this is set.
    pub halt: &'a AtomicBool,
    /// Called for each finished scenario.
    pub done: &'a (dyn Fn() + Sync),
}

/// The results of the scenarios.
#[derive(Debug, Default)]
pub struct Summary {
    /// Scenarios that were run.
    pub scenarios: u64,
    /// Runs.
    pub runs: u64,
    /// Events handled.
    pub events: u64,
    /// Faults that struck.
    pub faults: u64,
    /// Runs in which a limit was reached before some verdict.
    pub undecided: u64,
    /// Drawn scenarios that the protocol or the parser refused, or whose parameters ask for more
    /// than the model promises.
    pub refused: u64,
    /// The properties that fell: [`PANICKED`] for panics, [`AUDIT`] for findings of the auditor.
    pub fallen: BTreeMap<String, Fallen>,
}

/// The failures of one property.
#[derive(Debug)]
pub struct Fallen {
    /// The number of scenarios in which it fell.
    pub scenarios: u64,
    /// The number of runs in which it fell.
    pub runs: u64,
    /// The number of the first such scenario.
    pub first: u64,
    /// The first such seed of that scenario.
    pub seed: u64,
    /// The violation in that run.
    pub message: String,
}

/// The results of one scenario.
#[derive(Default)]
struct Tried {
    runs: u64,
    events: u64,
    faults: u64,
    undecided: u64,
    refused: u64,
    /// Property, seed and message of each failure.
    failures: Vec<(String, u64, String)>,
}

/// Whether the protocol promises anything: not if it is to tolerate more faults than it can.
fn promises(scenario: &Scenario) -> bool {
    scenario.resolved.model.bound.max(&scenario.experiment.setting).is_some()
}

impl Stress<'_> {
    /// The scenario with this number, and how many drawings were refused before it. `None` if all
    /// were.
    pub fn scenario(&self, number: u64) -> (Option<Scenario>, u64) {
        let catalogue = Catalogue::from(self.entry.clone());
        for attempt in 0..ATTEMPT_COUNT_MAX {
            let text = self.text(number, attempt);
            let path = format!("{}-{number}.toml", self.entry.name);
            if let Ok(scenario) = Scenario::parse(&path, &text, &catalogue)
                && promises(&scenario)
            {
                return (Some(scenario), attempt);
            }
        }
        (None, ATTEMPT_COUNT_MAX)
    }

    /// The text of one drawing, which may be refused.
    pub fn text(&self, number: u64, attempt: u64) -> String {
        let mut rng = Rng::from_bits(self.seed);
        let [scenarios, attempts] = [rng.bits(), rng.bits()];
        let bits = number.wrapping_mul(scenarios | 1) ^ attempt.wrapping_mul(attempts | 1);
        let seeds = self.seeds(number);
        world::draw(self.entry, self.broken, &seeds, &mut Rng::from_bits(bits))
    }

    /// The seeds of a scenario. Each has its own: with equal ones, all would draw the same faults
    /// and delays as far as they are alike.
    const fn seeds(&self, number: u64) -> Range<u64> {
        let first = number.saturating_mul(self.seed_count).saturating_add(1);
        first..first.saturating_add(self.seed_count)
    }

    /// Runs the scenarios. The summary does not depend on the number of threads, unless the time is
    /// up.
    /// # Errors
    /// If ftsim itself fails.
    pub fn run(&self, effort: &Effort<'_>) -> Result<Summary, InternalError> {
        let next = AtomicU64::new(0);
        let all = Mutex::new(BTreeMap::new());
        let work = || {
            let is_over = || {
                effort.halt.load(Ordering::Relaxed)
                    || effort.until.is_some_and(|until| clock() >= until)
            };
            while !is_over() {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= self.scenario_count {
                    return;
                }
                let tried = self.one(number);
                if tried.is_err() {
                    next.store(self.scenario_count, Ordering::Relaxed);
                }
                all.lock().unwrap_or_else(PoisonError::into_inner).insert(number, tried);
                (effort.done)();
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..effort.jobs.max(1) {
                scope.spawn(work);
            }
        });
        let mut summary = Summary::default();
        for (number, tried) in all.into_inner().unwrap_or_else(PoisonError::into_inner) {
            summary.add(number, tried?);
        }
        Ok(summary)
    }

    fn one(&self, number: u64) -> Result<Tried, InternalError> {
        let (scenario, refused) = self.scenario(number);
        let mut tried = Tried { refused, ..Tried::default() };
        let Some(scenario) = scenario else { return Ok(tried) };
        for seed in scenario.seeds.clone() {
            let (outcome, trace) = record(&scenario, seed)?;
            tried.runs += 1;
            tried.events += outcome.statistics.events;
            tried.faults += (outcome.plan.faults.len() - outcome.unfired.len()) as u64;
            let is_undecided = |verdict: &Verdict| matches!(verdict, Verdict::Undecided(_));
            tried.undecided +=
                u64::from(outcome.judged.iter().any(|judged| is_undecided(&judged.verdict)));
            tried.failures.extend(failures(&outcome).map(|(what, text)| (what, seed, text)));
            let found = findings(&scenario, None, &outcome, &trace);
            let found = found.first().map(ToString::to_string);
            tried.failures.extend(found.map(|text| (AUDIT.to_owned(), seed, text)));
        }
        Ok(tried)
    }
}

fn failures(outcome: &Outcome) -> impl Iterator<Item = (String, String)> {
    let panicked = outcome.panicked.iter();
    let panicked = panicked.map(|panicked| (PANICKED.to_owned(), panicked.message.clone()));
    let violated = outcome.judged.iter().filter_map(|judged| match &judged.verdict {
        Verdict::Violated(violation) => Some((judged.id.0.to_owned(), violation.text())),
        _ => None,
    });
    panicked.chain(violated)
}

impl Summary {
    fn add(&mut self, number: u64, tried: Tried) {
        self.refused += tried.refused;
        self.scenarios += u64::from(tried.runs > 0);
        self.runs += tried.runs;
        self.events += tried.events;
        self.faults += tried.faults;
        self.undecided += tried.undecided;
        let mut counted = Vec::new();
        for (what, seed, message) in tried.failures {
            let fallen = self.fallen.entry(what.clone()).or_insert_with(|| Fallen {
                scenarios: 0,
                runs: 0,
                first: number,
                seed,
                message,
            });
            fallen.runs += 1;
            if !counted.contains(&what) {
                fallen.scenarios += 1;
                counted.push(what);
            }
        }
    }
}
