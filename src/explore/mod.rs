//! Explores all that can happen in a small scenario, up to the order of what commutes.

mod counterexample;
mod guided;
mod kept;
mod lineage;
mod parts;
mod sampled;
mod seeded;
mod strategy;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ftsim_core::explore::footprint::PROCESS_COUNT_MAX;
use ftsim_core::explore::states::{self, StateCount};
use ftsim_core::explore::{Budget, Count, Explored, Frontier, Time, estimate, unreduced};
use ftsim_core::{FaultClass, Links, Outcome, Runner, Timing, Verdict};
use ftsim_protocols::Catalogue;
use ftsim_reports::counted;
use serde::{Deserialize, Serialize};

use crate::cli::clock;
use crate::scenario::{PANICKED, Scenario};
pub use counterexample::Counterexample;
use counterexample::Found;
pub use kept::Keep;
pub use sampled::Sampled;
pub use seeded::Seeded;
pub use strategy::Strategy;

/// The random walks that estimate how many runs there are in every order.
const WALK_COUNT: u32 = 2_000;

/// How to explore.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Which runs to make.
    pub strategy: Strategy,
    /// How time passes.
    pub time: Time,
    /// How often the explorer interferes in a run.
    pub budget: Budget,
    /// Whether the processes that crash for good keep to the bound of the model.
    pub is_within_bound: bool,
    /// Whether to make all runs, in every order, rather than one of each class.
    pub is_unreduced: bool,
    /// The seed of what clients and processes draw; of sampled runs, that of the first.
    pub seed: u64,
}

/// When to stop early.
pub struct Effort<'a> {
    /// After this many runs.
    pub run_count_max: u64,
    /// At this time of the program's clock.
    pub until: Option<Duration>,
    /// Once this is set.
    pub halt: &'a AtomicBool,
    /// The number of threads.
    pub jobs: usize,
    /// Where an exhaustive search keeps its finished parts, if anywhere.
    pub keep: Option<Keep<'a>>,
    /// Called with the numbers of runs and parts of the search that are done, and of all parts.
    pub progress: &'a (dyn Fn(u64, usize, usize) + Sync),
}

/// What an exploration saw.
#[derive(Debug, Default)]
pub struct Exploration {
    /// Runs and steps.
    pub count: Count,
    /// Whether these were all runs, none of them cut off.
    pub is_all: bool,
    /// How many parts of the search were finished, and how many there are.
    pub parts: (usize, usize),
    /// About how many runs a search in every order would make; not known if this was one.
    pub run_count_in_every_order: Option<f64>,
    /// What each property came to, in the order in which they are checked.
    pub verdicts: Vec<(String, Tally)>,
    /// The first run that violates each property that is violated.
    pub found: Vec<Counterexample>,
    /// Whether a process has read its clock, although time was free.
    pub has_read_clocks: bool,
    /// How its runs were sampled, if they were.
    pub sampled: Option<Sampled>,
    /// With [`Strategy::Guided`]: how many labels, pairs of a state and an event, and states at
    /// rest were shown.
    pub guided: Option<[u64; 3]>,
    /// With [`Strategy::States`]: states, and cycles of them.
    pub states: Option<StateCount>,
    /// With [`Strategy::Lineage`]: the number of fault patterns within the budget.
    pub patterns: Option<u128>,
}

/// In how many runs a property came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// It held.
    pub held: u64,
    /// Its premise never came true.
    pub vacuous: u64,
    /// It was violated.
    pub violated: u64,
    /// It could not be decided.
    pub undecided: u64,
}

impl Settings {
    /// What the scenario says, and otherwise what the model of its protocol allows: as many crashes
    /// as it tolerates, time in lockstep if delays have a bound.
    ///
    /// # Errors
    /// Why nothing can be explored.
    pub fn of(scenario: &Scenario) -> Result<Self, String> {
        let model = &scenario.resolved.model;
        let setting = &scenario.experiment.setting;
        if setting.n > PROCESS_COUNT_MAX {
            return Err(format!("at most {PROCESS_COUNT_MAX} processes can be explored"));
        }
        let (crashes, recoveries) = match model.faults {
            FaultClass::None => (0, 0),
            FaultClass::CrashStop => (model.bound.max(setting).unwrap_or(0), 0),
            FaultClass::CrashRecovery => (1, 1),
            FaultClass::Byzantine => {
                let name = scenario.entry.name;
                return Err(format!("{name} is about lies, which are not explored"));
            }
        };
        let is_lossy = model.links == Links::FairLoss;
        let time = match model.timing {
            Timing::Synchronous => Time::Lockstep,
            Timing::PartiallySynchronous | Timing::Asynchronous => Time::Free,
        };
        let (said, default) = (&scenario.exploring, Budget::default());
        let budget = Budget {
            crashes: said.crashes.unwrap_or(crashes),
            recoveries: said.recoveries.unwrap_or(recoveries),
            losses: said.losses.unwrap_or(is_lossy.into()),
            duplicates: said.duplicates.unwrap_or(is_lossy.into()),
            late: default.late,
            suspicions: said.suspicions.unwrap_or(default.suspicions),
            timeouts: said.timeouts.unwrap_or(default.timeouts),
            coins: said.coins.unwrap_or(default.coins),
            votes: said.votes.unwrap_or(default.votes),
            steps: said.steps.unwrap_or(default.steps),
        };
        let time = said.time.unwrap_or(time);
        let mut settings = Self {
            strategy: Strategy::Exhaustive,
            time,
            budget,
            is_within_bound: true,
            is_unreduced: false,
            seed: scenario.seeds.start,
        };
        settings.keep_to_bound(scenario);
        Ok(settings)
    }

    /// What can be chosen in runs of this runner.
    fn frontier(&self, scenario: &Scenario, runner: Runner) -> Frontier {
        let frontier = Frontier::new(runner, self.time, self.budget);
        // What other runs draw is drawn from their seeds.
        let frontier = match self.strategy {
            Strategy::Exhaustive | Strategy::States => frontier.telling_draws(),
            _ => frontier,
        };
        match self.is_within_bound {
            true => frontier.within(scenario.resolved.model.bound),
            false => frontier,
        }
    }

    /// Keeps to the bound of the model, unless more processes are to crash for good than it admits.
    pub fn keep_to_bound(&mut self, scenario: &Scenario) {
        let max = scenario.resolved.model.bound.max(&scenario.experiment.setting).unwrap_or(0);
        let for_good = self.budget.crashes.saturating_sub(self.budget.recoveries);
        self.is_within_bound = for_good <= max;
    }
}

/// The budget and the time, in words.
impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let budget = &self.budget;
        let parts = [
            (budget.crashes, "crash"),
            (budget.recoveries, "recovery"),
            (budget.losses, "loss"),
            (budget.duplicates, "duplicate"),
            (budget.late, "late message"),
            (budget.suspicions, "wrong suspicion"),
            (budget.timeouts, "early timeout"),
            (budget.coins, "coin"),
            (budget.votes, "vote"),
        ];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> =
            parts.map(|(count, what)| counted((*count).into(), what)).collect();
        let faults = if parts.is_empty() { "no faults".to_owned() } else { parts.join(", ") };
        let time = match self.time {
            Time::Free => "time is free",
            Time::Lockstep => "time in lockstep",
        };
        write!(f, "{faults}; {time}")
    }
}

/// Explores a scenario without its faults. Ends at the first violation that is not expected, and
/// once all that are expected have been found. What it sees does not depend on the number of
/// threads, unless it is halted or runs out of time.
///
/// # Errors
/// If the protocol cannot be put into its world, or finished parts cannot be kept or used.
pub fn explore(
    scenario: &Scenario,
    catalogue: &Catalogue,
    settings: &Settings,
    effort: &Effort<'_>,
) -> Result<Exploration, String> {
    let seen = match settings.strategy {
        Strategy::Sampled(strategy) => sampled::explore(scenario, settings, strategy, effort)?,
        Strategy::Guided => guided::explore(scenario, settings, effort)?,
        Strategy::States => all_states(scenario, settings, effort)?,
        Strategy::Lineage => lineage::explore(scenario, settings, effort)?,
        Strategy::Exhaustive if settings.is_unreduced => {
            in_every_order(scenario, settings, effort)?
        }
        Strategy::Exhaustive => parts::explore(scenario, settings, effort)?,
    };
    let is_reduced = settings.strategy == Strategy::Exhaustive && !settings.is_unreduced;
    let run_count_in_every_order = match is_reduced {
        false => None,
        true => {
            let mut frontier = frontier(scenario, settings)?;
            Some(estimate::run_count(&mut frontier, settings.seed, WALK_COUNT))
        }
    };
    let found = seen.found.into_iter();
    let found = found
        .map(|(property, found)| Counterexample::of(scenario, catalogue, &property, found))
        .collect();
    Ok(Exploration {
        is_all: !seen.is_ended && seen.count.cut == 0 && !settings.strategy.draws(),
        count: seen.count,
        parts: seen.parts,
        run_count_in_every_order,
        found,
        verdicts: seen.verdicts,
        has_read_clocks: settings.time == Time::Free && seen.has_read_clocks,
        sampled: seen.sampled,
        guided: seen.guided,
        states: seen.states,
        patterns: seen.patterns,
    })
}

fn frontier(scenario: &Scenario, settings: &Settings) -> Result<Frontier, String> {
    Ok(settings.frontier(scenario, runner(scenario, settings)?))
}

/// The scenario without what it scripts and draws.
fn runner(scenario: &Scenario, settings: &Settings) -> Result<Runner, String> {
    let experiment = settings.time.strip(&scenario.experiment);
    scenario
        .entry
        .prepare(experiment, &scenario.params, &scenario.workload)
        .map_err(|invalid| format!("{}: {}", invalid.key, invalid.message))
}

fn in_every_order(
    scenario: &Scenario,
    settings: &Settings,
    effort: &Effort<'_>,
) -> Result<Seen, String> {
    let mut frontier = frontier(scenario, settings)?;
    let mut seen = Seen::default();
    let visit = &mut |explored: &Explored<'_>| {
        seen.note(explored);
        effort.go_on(&seen, effort.run_count_max, scenario)
    };
    let (count, flow) = unreduced::explore(&mut frontier, settings.seed, visit);
    seen.count = count;
    seen.is_ended = flow.is_break();
    seen.has_read_clocks = frontier.has_read_clocks();
    Ok(seen)
}

fn all_states(
    scenario: &Scenario,
    settings: &Settings,
    effort: &Effort<'_>,
) -> Result<Seen, String> {
    let mut frontier = frontier(scenario, settings)?;
    let mut seen = Seen::default();
    let visit = &mut |explored: &Explored<'_>| {
        seen.note(explored);
        effort.go_on(&seen, u64::MAX, scenario)
    };
    let go_on = &mut |count: &StateCount| {
        (effort.progress)(count.states, 0, 1);
        match count.states >= effort.run_count_max || effort.is_over() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    let (count, states, flow) = states::explore(&mut frontier, settings.seed, visit, go_on);
    seen.count = count;
    seen.states = Some(states);
    seen.is_ended = flow.is_break();
    seen.parts = (usize::from(flow.is_continue()), 1);
    seen.has_read_clocks = frontier.has_read_clocks();
    Ok(seen)
}

impl Effort<'_> {
    /// Whether it was halted, or its time is up.
    fn is_over(&self) -> bool {
        self.halt.load(Ordering::Relaxed) || self.until.is_some_and(|until| clock() >= until)
    }

    /// Whether to look for more.
    fn go_on(&self, seen: &Seen, run_count_max: u64, scenario: &Scenario) -> ControlFlow<()> {
        let is_enough = seen.runs >= run_count_max || seen.is_done(scenario);
        match is_enough || self.is_over() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

/// What has been seen so far.
#[derive(Default)]
struct Seen {
    runs: u64,
    count: Count,
    /// Whether the search ended before all was seen.
    is_ended: bool,
    /// How many parts of the search were finished, and how many there are.
    parts: (usize, usize),
    verdicts: Vec<(String, Tally)>,
    /// The first run that violates each property that is violated.
    found: BTreeMap<String, Found>,
    /// The number of that run, in its part, from 1.
    found_at: BTreeMap<String, u64>,
    /// Whether a process has read its clock.
    has_read_clocks: bool,
    sampled: Option<Sampled>,
    guided: Option<[u64; 3]>,
    states: Option<StateCount>,
    patterns: Option<u128>,
}

impl Seen {
    /// Takes in a run.
    fn note(&mut self, explored: &Explored<'_>) {
        let forever = explored.repeats_from.map_or_else(String::new, |first| {
            format!("; for ever, since steps {first} to {} repeat", explored.steps.len() - 1)
        });
        self.note_outcome(explored.outcome, &|message| Found::of(explored, message + &forever));
    }

    /// Takes in what a run came to; `keep` keeps it, as a violation with this message.
    fn note_outcome(&mut self, outcome: &Outcome, keep: &dyn Fn(String) -> Found) {
        self.runs += 1;
        if self.verdicts.is_empty() {
            let names = outcome.judged.iter().map(|judged| judged.id.0.to_owned());
            self.verdicts = names.map(|name| (name, Tally::default())).collect();
        }
        for (judged, (name, tally)) in outcome.judged.iter().zip(&mut self.verdicts) {
            match &judged.verdict {
                Verdict::Held => tally.held += 1,
                Verdict::HeldVacuously => tally.vacuous += 1,
                Verdict::Undecided(_) => tally.undecided += 1,
                Verdict::Violated(violation) => {
                    tally.violated += 1;
                    let found = || keep(violation.text());
                    self.found.entry(name.clone()).or_insert_with(found);
                    self.found_at.entry(name.clone()).or_insert(self.runs);
                }
            }
        }
        if let Some(panicked) = &outcome.panicked {
            let found = || keep(panicked.message.clone());
            self.found.entry(PANICKED.to_owned()).or_insert_with(found);
            self.found_at.entry(PANICKED.to_owned()).or_insert(self.runs);
        }
    }

    /// Whether there is nothing more to look for.
    fn is_done(&self, scenario: &Scenario) -> bool {
        let expected = &scenario.expect.violated;
        let is_found = |name: &str| self.found_at.contains_key(name);
        let all_found = !expected.is_empty() && expected.iter().all(|id| is_found(id.0));
        all_found || self.found_at.keys().any(|name| !expected.iter().any(|id| id.0 == name))
    }

    /// Takes in what was seen of a later part.
    fn append(&mut self, part: Self) {
        self.runs += part.runs;
        self.count.add(&part.count);
        if self.verdicts.is_empty() {
            self.verdicts = part.verdicts;
        } else {
            for ((_, tally), (_, more)) in self.verdicts.iter_mut().zip(&part.verdicts) {
                tally.add(more);
            }
        }
        for (property, found) in part.found {
            self.found.entry(property).or_insert(found);
        }
        for (property, nth) in part.found_at {
            self.found_at.entry(property).or_insert(nth);
        }
        self.has_read_clocks |= part.has_read_clocks;
        self.sampled = match (self.sampled, part.sampled) {
            (Some(one), Some(other)) => Some(one.and(&other)),
            (one, other) => one.or(other),
        };
    }
}

impl Tally {
    const fn add(&mut self, other: &Self) {
        self.held += other.held;
        self.vacuous += other.vacuous;
        self.violated += other.violated;
        self.undecided += other.undecided;
    }
}
