//! Runs candidate cases and keeps the smallest one that still shows the failure.

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

/// The extra events that a smaller case may take, beyond twice those of the original run.
const MORE_EVENTS: u64 = 1_000;

/// The smallest case so far, and the conditions that candidates must satisfy.
pub struct Shrinker<'a> {
    catalogue: &'a Catalogue,
    /// The failure to preserve.
    pub target: Target,
    /// The smallest case so far that shows the failure.
    pub best: Case,
    /// The outcome of its run.
    pub outcome: Outcome,
    /// The longest time that any message took.
    pub delay_max: ftsim_core::Duration,
    /// The seed of the original run.
    pub outcome_seed: u64,
    /// The controls that must hold for every case.
    pub controls: Controls,
    /// Whether the network changed messages in the original run.
    network_lies: bool,
    event_count_max: u64,
    /// Digests of all cases tried.
    tried: BTreeSet<u64>,
    /// The number of runs.
    pub runs: u64,
    /// The end of the budget, on the progress's clock.
    deadline: Duration,
    halt: &'a AtomicBool,
    /// Called for each run, with the number of runs and the smallest case so far.
    progress: &'a dyn Fn(u64, &Case),
}

impl<'a> Shrinker<'a> {
    /// Starts with a case whose outcome is known.
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

    /// Whether to stop: the time is up, or the user interrupted.
    pub fn is_over(&self) -> bool {
        self.halt.load(Ordering::Relaxed) || clock() >= self.deadline
    }

    /// Tries a case and keeps it if it shows the failure. A case is never tried twice.
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

    /// Like [`try_candidate`](Self::try_candidate); `None` if shrinking is over.
    pub fn try_in_time(&mut self, case: &Case) -> Option<bool> {
        (!self.is_over()).then(|| self.try_candidate(case))
    }

    /// Tries cases in turn until one shows the failure.
    pub fn attempt_any(&mut self, cases: impl IntoIterator<Item = Case>) -> bool {
        cases.into_iter().map_while(|case| self.try_in_time(&case)).any(|shown| shown)
    }

    /// The scenario of the best case.
    ///
    /// # Panics
    /// Never: it has been run.
    pub fn scenario(&self) -> Scenario {
        self.best.scenario(self.catalogue).expect("the best case was run")
    }

    /// Determines the controls that hold for the best case; from now on they must hold for all
    /// cases.
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

    /// Whether the property is not violated in the run of a case. Without its faults a run can be
    /// much longer, and violate the property at its end.
    fn is_well(&mut self, case: &Case) -> bool {
        let limited = self.run(case);
        let outcome = match limited {
            Some(outcome) if self.is_cut(case, &outcome) => self.run_within(case, u64::MAX),
            other => other,
        };
        outcome.is_some_and(|outcome| !self.target.is_violated_by(&outcome))
    }

    /// The fates of all messages of the best case, as overrides.
    pub fn decided(&self) -> Vec<MessageRule> {
        self.decisions().into_iter().map(|decision| decision.rule).collect()
    }

    /// The messages of a process in the best case, each as an override with its content.
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

    /// Whether the run of a case ended at the shrinker's own limit, which the file does not have,
    /// so that the file's run would go on.
    fn is_cut(&self, case: &Case, outcome: &Outcome) -> bool {
        let own = case.get("run", "max_events").and_then(Value::as_integer);
        outcome.cause == EndCause::EventLimit
            && outcome.statistics.events >= self.event_count_max
            && own.is_none_or(|own| own.unsigned_abs() > self.event_count_max)
    }

    /// Runs a case; `None` if it is not a valid scenario, or if ftsim fails on it.
    fn run(&mut self, case: &Case) -> Option<Outcome> {
        self.run_within(case, self.event_count_max)
    }

    /// Runs a case up to a limit on events, if its own is higher.
    fn run_within(&mut self, case: &Case, event_count_max: u64) -> Option<Outcome> {
        let mut scenario = case.scenario(self.catalogue)?;
        let limits = &mut scenario.experiment.limits;
        limits.event_count_max = limits.event_count_max.min(event_count_max);
        self.runs += 1;
        run::run(&scenario, case.seed).ok()
    }

    /// Removes faults and overrides that did not strike in the run of the best case, even if the
    /// time is up. This does not change the run, and avoids warnings about them.
    pub fn leave_out_unused(&mut self) {
        let Outcome { unfired, unused, unused_requests, unused_masks, .. } = &self.outcome;
        let scenario = self.scenario();
        let fired = |index: &usize| {
            let parts = scenario.fault_origins.iter().enumerate();
            let mut parts = parts.filter(|(_, origin)| *origin == index).peekable();
            // A process that is never started is absent anyway.
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
        // A mutant that breaks an assumption requires its fault, but is only a name for it.
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
