//! Where cases are tried: the smallest one so far that still shows the failure.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ftsim_core::environment::message_rule::{Content, Fate, MessageRule};
use ftsim_core::fault::Action;
use ftsim_core::outcome::decisions::Decision;
use ftsim_core::{Digest, EndCause, Outcome, ProcessId, RunRequest};
use ftsim_protocols::Catalogue;
use toml::Value;

use super::case::Case;
use super::control::{self, Controls};
use super::target::Target;
use crate::cli::clock;
use crate::run;
use crate::scenario::Scenario;

/// A smaller case may take this many events and as many again as the run that it comes from.
const MORE_EVENTS: u64 = 1_000;

/// The smallest case so far, and what it is measured by.
pub struct Shrinker<'a> {
    catalogue: &'a Catalogue,
    /// What has to stay.
    pub target: Target,
    /// The smallest case so far that shows it.
    pub best: Case,
    /// What the run of that case came to.
    pub outcome: Outcome,
    /// The longest that any message took.
    pub delay_max: ftsim_core::Duration,
    /// The seed of the run that it comes from.
    pub outcome_seed: u64,
    /// What must hold for every case.
    pub controls: Controls,
    /// Whether the network changed messages in the run that it comes from.
    network_lies: bool,
    event_count_max: u64,
    /// Digests of all cases that were tried.
    tried: BTreeSet<u64>,
    /// How many runs there were.
    pub runs: u64,
    /// When the time is up, on the progress's clock.
    deadline: Duration,
    halt: &'a AtomicBool,
    /// Hears of each run: how many there were, and the case that is the best by now.
    progress: &'a dyn Fn(u64, &Case),
}

impl<'a> Shrinker<'a> {
    /// Begins with a case whose run is known.
    pub fn new(
        catalogue: &'a Catalogue,
        target: Target,
        (best, outcome): (Case, Outcome),
        (deadline, halt): (Duration, &'a AtomicBool),
        progress: &'a dyn Fn(u64, &Case),
    ) -> Self {
        let best_seed = best.seed;
        let network_lies = outcome.statistics.garbled > 0;
        Self {
            catalogue,
            target,
            best,
            event_count_max: outcome.statistics.events.saturating_mul(2) + MORE_EVENTS,
            outcome,
            controls: Controls::default(),
            network_lies,
            outcome_seed: best_seed,
            delay_max: ftsim_core::Duration::ZERO,
            tried: BTreeSet::new(),
            runs: 0,
            deadline,
            halt,
            progress,
        }
    }

    /// Whether nothing more is to be tried: the time is up, or somebody has had enough.
    pub fn is_over(&self) -> bool {
        self.halt.load(Ordering::Relaxed) || clock() >= self.deadline
    }

    /// Tries a case; it is the best from now on if it shows the failure. What was tried before is
    /// not tried again.
    pub fn try_candidate(&mut self, case: &Case) -> bool {
        if self.is_over() || !self.tried.insert(digest(case)) {
            return false;
        }
        if !self.network_lies && !control::only_liars_lie(case) {
            return false;
        }
        if !control::only_omitters_omit(case) {
            return false;
        }
        let Some(outcome) = self.run(case) else { return false };
        let shown = self.target.is_shown_by(&outcome)
            && !self.is_cut(case, &outcome)
            && self.controls_of(case, self.controls) == self.controls;
        if shown {
            self.best = case.clone();
            self.outcome = outcome;
        }
        (self.progress)(self.runs, &self.best);
        shown
    }

    /// As [`try_candidate`](Self::try_candidate); `None` if nothing more is to be tried.
    pub fn try_in_time(&mut self, case: &Case) -> Option<bool> {
        (!self.is_over()).then(|| self.try_candidate(case))
    }

    /// Tries cases one after the other until one shows the failure.
    pub fn attempt_any(&mut self, cases: impl IntoIterator<Item = Case>) -> bool {
        cases.into_iter().map_while(|case| self.try_in_time(&case)).any(|shown| shown)
    }

    /// The scenario that the best case is.
    ///
    /// # Panics
    /// Never: it was run.
    pub fn scenario(&self) -> Scenario {
        self.best.scenario(self.catalogue).expect("the best case was run")
    }

    /// Finds out which controls hold for the best case; from now on they must hold for all.
    pub fn take_controls(&mut self) {
        self.controls = Controls::default();
        let best = self.best.clone();
        self.controls = self.controls_of(
            &best,
            Controls { without_faults: true, without_mutant: true, within_bound: true },
        );
    }

    /// Which of these controls hold for a case.
    fn controls_of(&mut self, case: &Case, asked: Controls) -> Controls {
        let Some(scenario) = case.scenario(self.catalogue) else { return Controls::default() };
        let entry = &scenario.entry;
        let mutant = control::without_mutant(case, entry);
        let within_bound =
            asked.within_bound && (mutant.is_some() || control::is_within_bound(&scenario));
        let without_mutant = asked.without_mutant && mutant.is_none_or(|case| self.is_well(&case));
        let well = control::without_faults(case, entry);
        Controls {
            without_faults: asked.without_faults && self.is_well(&well),
            without_mutant,
            within_bound,
        }
    }

    /// Whether the run of a case does not violate the property.
    fn is_well(&mut self, case: &Case) -> bool {
        self.run(case).is_some_and(|outcome| !self.target.is_violated_by(&outcome))
    }

    /// What becomes of each message of the best case, as overrides.
    pub fn decided(&self) -> Vec<MessageRule> {
        self.decisions().into_iter().map(|decision| decision.rule).collect()
    }

    /// What a process says in the best case: for each of its messages, an override that says it.
    pub fn spoken_by(&self, process: &str) -> Vec<MessageRule> {
        let mut counts: BTreeMap<ProcessId, u64> = BTreeMap::new();
        let mut said = Vec::new();
        for Decision { rule, lie } in self.decisions() {
            let Some(form) = lie.filter(|_| rule.from.to_string() == process) else { continue };
            let nth = counts.entry(rule.to).or_default();
            *nth += 1;
            let fate = Fate::content(Content::Replaced(form));
            said.push(MessageRule { kind: None, nth: *nth, fate, ..rule });
        }
        said
    }

    fn decisions(&self) -> Vec<Decision> {
        let scenario = self.scenario();
        let decided = run::schedule(
            &scenario,
            RunRequest::under(self.best.seed, scenario.experiment.plan.clone()),
        );
        decided.map(|(_, made)| made.messages).unwrap_or_default()
    }

    /// Whether the run of a case ended at our own limit, of which its file knows nothing: the run
    /// of the file would go on.
    fn is_cut(&self, case: &Case, outcome: &Outcome) -> bool {
        let own = case.get("run", "max_events").and_then(Value::as_integer);
        outcome.cause == EndCause::EventLimit
            && outcome.statistics.events >= self.event_count_max
            && own.is_none_or(|own| own.unsigned_abs() > self.event_count_max)
    }

    /// Runs a case; `None` if it is no scenario, or ftsim fails on it.
    fn run(&mut self, case: &Case) -> Option<Outcome> {
        let mut scenario = case.scenario(self.catalogue)?;
        let limits = &mut scenario.experiment.limits;
        limits.event_count_max = limits.event_count_max.min(self.event_count_max);
        self.runs += 1;
        run::run(&scenario, case.seed).ok()
    }

    /// Leaves out what never struck in the run of the best case, whether or not the time is up. It
    /// changes nothing in the run, and whoever runs the file would be told of it.
    pub fn leave_out_unused(&mut self) {
        let Outcome { unfired, unused, unused_requests, unused_masks, .. } = &self.outcome;
        let scenario = self.scenario();
        let fired = |index: &usize| {
            let parts = scenario.fault_origins.iter().enumerate();
            let mut parts = parts.filter(|(_, origin)| *origin == index).peekable();
            // Who is never started is absent all the same.
            let plan = &scenario.experiment.plan;
            let is_start = |fault: usize| matches!(plan.faults[fault].action, Action::Start(_));
            parts.peek().is_none()
                || parts.any(|(fault, _)| is_start(fault) || !unfired.contains(&fault))
        };
        let faults = self.best.list("fault").into_iter().enumerate();
        let faults: Vec<Value> = faults.filter(|(i, _)| fired(i)).map(|(_, fault)| fault).collect();
        let used = |key: &str, unused: &[usize]| {
            let all = self.best.list(key).into_iter().enumerate();
            let used = all.filter(|(index, _)| !unused.contains(index));
            used.map(|(_, table)| table).collect::<Vec<Value>>()
        };
        let (requests, masks) = (used("request", unused_requests), used("mask", unused_masks));
        let messages = self.best.messages.iter().enumerate();
        let messages = messages.filter(|(index, _)| !unused.contains(index));
        let messages: Vec<MessageRule> = messages.map(|(_, rule)| rule.clone()).collect();
        let struck = self.best.with_list("request", &requests).with_list("mask", &masks);
        let struck = struck.with_messages(&messages);
        let least = struck.with_list("fault", &faults);
        // A mutant of the world must have its fault, but is no more than a name for it.
        let assumes = control::is_assumption(&least, &scenario.entry);
        let unnamed = assumes.then(|| least.without("params", "mutant")).flatten();
        for case in [Some(least), unnamed, Some(struck)].into_iter().flatten() {
            let outcome = self.run(&case);
            if let Some(outcome) = outcome.filter(|outcome| self.target.is_shown_by(outcome)) {
                self.best = case;
                self.outcome = outcome;
                return;
            }
        }
    }
}

fn digest(case: &Case) -> u64 {
    let mut digest = Digest::EMPTY;
    toml::to_string(&case.table).unwrap_or_default().hash(&mut digest);
    case.messages.hash(&mut digest);
    case.seed.hash(&mut digest);
    digest.value()
}
