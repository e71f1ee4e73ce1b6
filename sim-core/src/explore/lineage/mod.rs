//! Lineage-driven fault injection: of all fault patterns within a budget, those that can matter
//! (Alvaro, Rosen and Hellerstein 2015).
//!
//! # Model
//!
//! Time is in [lockstep](Time::Lockstep), and all that is due at one instant happens in the order
//! of the engine. So a [`Pattern`] decides a run: which processes crash for good, each after one of
//! its effects, or before it handles what reaches it at an instant; which messages are lost; and
//! which are late, and take [three times](LATE_BOUND_COUNT) the bound, as they may in a model
//! without one.
//!
//! # What a run says of others
//!
//! Alvaro, Rosen and Hellerstein know which tuples of a program support its outcome. Here handlers
//! are black boxes, and three facts take their place:
//!
//! - *A handler is a function* of its process's state and of its input.
//! - *An outcome is what properties see*: requests, indications and crashes, with their order and
//!   times, and who is correct. All verdicts are functions of it.
//! - *Absence is an input.* A process that waits for a message until a timer runs out does
//!   something else if the message is lost, something new perhaps. So it is not enough that a
//!   message contributed to no indication; it must have changed nothing.
//!
//! A message that was handled in a run is *immaterial* if its handler had no effect, nothing of it
//! was seen by properties, and it left the state of the process as it was, or the process took no
//! later step. If any immaterial messages are lost as well, each process goes through the same
//! states in the same steps, apart from those of these messages, with the same effects under the
//! same numbers: by induction over the steps, since an event that is caused alike is scheduled
//! alike, and the order of two events depends on the order of their causes alone. Silence can
//! cause nothing: timers are set and cancelled by effects, and immaterial steps have none. So the
//! outcome is the same.
//!
//! A crash is seen by properties itself, so that no run says anything of patterns in which another
//! process crashes at a point that it passed. But a crash can be moved to an earlier point of its
//! process: the effects between, and the steps, are then missing. The outcome is the same if
//! properties saw none of them, no step in between was a request, and each message sent there was
//! lost, came to a process that was down, or was immaterial to its receiver. For what the process
//! did to itself (timers, its log, messages to itself) nobody learns any more, since it never
//! recovers. The crash is moved within one instant only, and not past another crash, if other
//! processes are told of crashes, or a property minds the order of events; in the latter case not
//! past anything that properties saw either.
//!
//! What did not arrive before the run ended counts as material. Losses make a run one with
//! failures, which properties may ask for: the run without faults is judged as such a run, too.
//! If that changes whether a property is violated, all its messages are material.
//!
//! What was late, or came in time to a process that was up, may matter by its time: a run says
//! nothing of patterns in which another of its messages is late, or one less. A message is lost or
//! late, not both.
//!
//! # The search
//!
//! Each run gives a [`Clause`]: a pattern that has its faults, up to equivalent points of crashes,
//! and no other that is material, comes to the same. A SAT solver proposes a pattern that no
//! clause covers, those with the fewest faults first, until there is none. Crashes and losses are
//! added to its problem once they are possible in some run. None is missed: if a pattern has
//! faults that were never possible, a clause covers the rest of it, and these do not happen in the
//! run of that clause either; so the clause covers it, too. A clause also covers patterns in which
//! a process crashes at an instant at which nothing reaches it: they are none.

mod clause;
mod pattern;
mod proposer;
mod run;

use std::ops::ControlFlow;

use super::budget::{STEP_COUNT_MAX, Time};
use crate::engine::runner::Runner;
use crate::environment::detector::DetectorKind;
use crate::experiment::Experiment;
use crate::model::property::Verdict;
use crate::outcome::Outcome;
use crate::time::Duration;
pub use clause::Clause;
use clause::Sight;
pub use pattern::{MessageName, Pattern, Point};
use proposer::Proposer;
use run::{Kind, Run};

/// How many faults there are in a pattern at most, and how long its run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// Crashes.
    pub crashes: u32,
    /// Lost messages.
    pub losses: u32,
    /// Late messages; none on links that keep order.
    pub late: u32,
    /// Steps, after which a run is cut off; at most [`STEP_COUNT_MAX`].
    pub steps: u32,
}

/// How many times the bound a late message takes: as long as a message, its answer, and one more.
pub const LATE_BOUND_COUNT: u64 = 3;

/// A pattern that was run.
#[derive(Debug)]
pub struct Tried<'a> {
    /// The pattern.
    pub pattern: &'a Pattern,
    /// The verdicts and figures.
    pub outcome: &'a Outcome,
    /// Which other patterns come to the same.
    pub clause: &'a Clause,
    /// Whether the run was cut off before all that was due had happened.
    pub is_cut: bool,
}

impl Faults {
    /// The numbers of faults within these, the fewest first.
    fn of_each_size(self) -> impl Iterator<Item = Self> {
        let Self { crashes, losses, late, .. } = self;
        let size_max = crashes.saturating_add(losses).saturating_add(late);
        (0..=size_max).flat_map(move |size| {
            (0..=size.min(crashes)).flat_map(move |crashes| {
                let rest = size - crashes;
                let least = rest.saturating_sub(late);
                (least..=rest.min(losses)).map(move |losses| Self {
                    crashes,
                    losses,
                    late: rest - losses,
                    ..self
                })
            })
        })
    }
}

/// What a search has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Patterns that were run.
    pub runs: u64,
    /// Runs that were cut off at the greatest number of steps.
    pub cut: u64,
    /// Steps of all runs.
    pub steps: u64,
    /// The most steps of a run.
    pub longest: u64,
    /// The patterns within the budget: all ways to choose among the faults that were possible in
    /// some run.
    pub patterns: u128,
}

/// A search through all fault patterns within a budget.
pub struct Lineage {
    runner: Runner,
    faults: Faults,
    sight: Sight,
    proposer: Proposer,
    count: Count,
}

impl Lineage {
    /// The experiment in lockstep, without anything that is drawn or scripted.
    #[must_use]
    pub fn strip(experiment: &Experiment) -> Experiment {
        Time::Lockstep.strip(experiment)
    }

    /// Searches the runs of this runner, made for an experiment that was
    /// [stripped](Self::strip).
    ///
    /// # Panics
    /// If messages take no time: there is no lockstep then.
    pub fn new(mut runner: Runner, faults: Faults) -> Self {
        let minds_order = runner.stepper().minds_order();
        let experiment = &runner.stepper().world().experiment;
        assert!(experiment.network.bound > Duration::ZERO, "in lockstep messages take time");
        let sight = Sight {
            minds_order,
            tells_crashes: experiment.detector.kind != DetectorKind::None,
            shares_fates: !experiment.fate_groups.is_empty(),
        };
        let late_delay = experiment.network.bound.times(LATE_BOUND_COUNT);
        let proposer = Proposer::new(experiment.setting.n, faults, late_delay);
        let faults = Faults { steps: faults.steps.min(STEP_COUNT_MAX), ..faults };
        Self { runner, faults, sight, proposer, count: Count::default() }
    }

    /// Runs patterns until all within the budget have been run or are covered by one that was.
    /// `Break` if `visit` ended the search.
    pub fn explore(
        &mut self,
        seed: u64,
        visit: &mut dyn FnMut(&Tried<'_>) -> ControlFlow<()>,
    ) -> (Count, ControlFlow<()>) {
        let flow = self.search(seed, visit);
        self.count.patterns = self.proposer.pattern_count();
        (self.count, flow)
    }

    fn search(
        &mut self,
        seed: u64,
        visit: &mut dyn FnMut(&Tried<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        for faults in self.faults.of_each_size() {
            while let Some(pattern) = self.proposer.propose(faults) {
                self.try_pattern(seed, &pattern, visit)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Runs a pattern, and learns from it.
    fn try_pattern(
        &mut self,
        seed: u64,
        pattern: &Pattern,
        visit: &mut dyn FnMut(&Tried<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let steps = self.faults.steps;
        let run = Run::make(&mut self.runner, seed, pattern, steps, false);
        let all_matter = pattern.fault_count() == 0 && {
            let failed = Run::make(&mut self.runner, seed, pattern, steps, true);
            violations(&failed.outcome) != violations(&run.outcome)
        };
        let clause = Clause::of(pattern, &run, self.sight, all_matter);
        self.note_possible(&run);
        self.proposer.learn(&clause);
        self.count.runs += 1;
        self.count.cut += u64::from(run.is_cut);
        self.count.steps += run.steps.len() as u64;
        self.count.longest = self.count.longest.max(run.steps.len() as u64);
        let Run { outcome, is_cut, .. } = &run;
        visit(&Tried { pattern, outcome, clause: &clause, is_cut: *is_cut })
    }

    /// Notes which faults were possible in a run.
    fn note_possible(&mut self, run: &Run) {
        for step in &run.steps {
            if let Kind::Message(name) = step.kind {
                self.proposer.add_message(name);
            }
        }
        for (p, point, at) in run.points() {
            self.proposer.add_point(p, point, at);
        }
    }
}

/// Which properties are violated.
fn violations(outcome: &Outcome) -> Vec<bool> {
    let judged = outcome.judged.iter();
    judged.map(|one| matches!(one.verdict, Verdict::Violated(_))).collect()
}
