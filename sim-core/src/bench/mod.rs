//! A test bench for protocols and for the properties of problems.
//!
//! A [`Bench`] is a small world for one protocol, and a [`Run`] answers questions about what
//! happened in it:
//!
//! ```ignore
//! let run = Bench::of::<TokenRing>(3).params(r#"{"rounds": 4}"#).lockstep().run(1);
//! assert_eq!(run.statistics.sent(), 12);
//! let ring = Bench::of::<TokenRing>(3).workload(r#"{"up_to": 2}"#);
//! assert_eq!(ring.crash(1, sends(0, "Token", 1)).run(1).violated(), ["own.entry"]);
//! ```
//!
//! [`history`] judges histories written by hand, so that a checker can be shown to fail.

pub mod history;

use std::ops::Range;

use serde_json::Value;

use crate::adversary::Behaviour;
use crate::catalogue::Entry;
use crate::engine::runner::Runner;
use crate::environment::delay::Delay;
use crate::environment::detector::{DetectorConfig, DetectorKind};
use crate::experiment::Experiment;
use crate::fault::random::{Occurrence, RandomAction, RandomFaults, RandomKind};
use crate::fault::{Action, Crash, Fault, InFlight, Trigger};
use crate::id::{ProcessId, PropertyId};
use crate::model::property::Verdict;
use crate::model::protocol::Protocol;
use crate::model::setting::{Invalid, Setting};
use crate::outcome::Outcome;
use crate::outcome::trace::{Trace, TraceEvent};
use crate::time::{CountRange, Duration, DurationRange, Instant};

/// A protocol in a world of its own. Its methods panic on invalid settings, as tests should.
#[derive(Clone)]
pub struct Bench {
    /// The world, for settings that no method here covers.
    pub experiment: Experiment,
    entry: Entry,
    params: Value,
    workload: Value,
}

/// A recorded run.
#[derive(Clone, Debug)]
pub struct Run {
    /// The verdicts and figures.
    pub outcome: Outcome,
    /// All that happened.
    pub trace: Trace,
}

impl std::ops::Deref for Run {
    type Target = Outcome;
    fn deref(&self) -> &Outcome {
        &self.outcome
    }
}

/// The delay of every message under [`Bench::lockstep`]: one communication step.
pub const STEP: Duration = Duration::from_millis(10);

impl Bench {
    /// `n` processes of the first role of `P`.
    pub fn of<P: Protocol>(n: u32) -> Self {
        Self::with_roles::<P>(&[(P::ROLES[0], n)])
    }

    /// A given number of processes of each role of `P`.
    pub fn with_roles<P: Protocol>(roles: &[(&str, u32)]) -> Self {
        Self::new(Entry::of::<P>(), roles)
    }

    /// A given number of processes of each role of the protocol.
    pub fn new(entry: Entry, roles: &[(&str, u32)]) -> Self {
        let n = roles.iter().map(|(_, count)| count).sum();
        let roles = roles.iter().map(|(role, count)| ((*role).to_owned(), *count)).collect();
        let empty = || Value::Object(serde_json::Map::new());
        Self {
            experiment: Experiment::new(Setting { roles, ..Setting::of(n) }),
            entry,
            params: empty(),
            workload: empty(),
        }
    }

    /// `[params]` as JSON.
    ///
    /// # Panics
    /// If it is not JSON.
    #[must_use]
    pub fn params(mut self, json: &str) -> Self {
        self.params = serde_json::from_str(json).expect("valid JSON");
        self
    }

    /// `[workload]` as JSON.
    ///
    /// # Panics
    /// If it is not JSON.
    #[must_use]
    pub fn workload(mut self, json: &str) -> Self {
        self.workload = serde_json::from_str(json).expect("valid JSON");
        self
    }

    /// Selects this mutant.
    ///
    /// # Panics
    /// If the protocol has no such mutant.
    #[must_use]
    pub fn mutant(mut self, name: &str) -> Self {
        let mutant = self.entry.mutants.iter().find(|mutant| mutant.name == name);
        self.experiment.setting.mutant = Some(mutant.expect("a mutant of the protocol"));
        self
    }

    /// Checks this property as well.
    #[must_use]
    pub fn check(mut self, id: PropertyId) -> Self {
        self.experiment.check.push(id);
        self
    }

    /// Makes every message take [`STEP`], so that time counts communication steps.
    #[must_use]
    pub fn lockstep(self) -> Self {
        self.delay(STEP)
    }

    /// Makes every message take exactly this long.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.experiment.network.default.delay = Delay::Uniform(DurationRange::constant(delay));
        self.experiment.network.bound = delay;
        self.experiment.setting.delay_bound = delay;
        self
    }

    /// Crashes `process` permanently, keeping its messages in flight.
    #[must_use]
    pub fn crash(self, process: u32, trigger: Trigger) -> Self {
        self.crash_with(process, trigger, InFlight::Keep)
    }

    /// Crashes `process` permanently.
    #[must_use]
    pub fn crash_with(mut self, process: u32, trigger: Trigger, in_flight: InFlight) -> Self {
        let crash = Crash { in_flight, ..Crash::default() };
        let action = Action::Crash(ProcessId(process), crash);
        self.experiment.plan.faults.push(Fault { trigger, action });
        self
    }

    /// Crashes up to `count_max` processes permanently, each between two effects or at a time
    /// within the `window` (`"0ms..30ms"`), all drawn from the seed.
    #[must_use]
    pub fn random_crashes(mut self, count_max: u32, window: &str) -> Self {
        let occurrence = Occurrence {
            count: CountRange { min: 0, max: count_max },
            between: window.parse().expect("a range of durations"),
            targets: self.experiment.setting.processes().collect(),
        };
        let what = RandomAction::Crash { recover_after: None, announced: false };
        self.experiment.random = Some(RandomFaults {
            faulty_count_max: count_max,
            kinds: vec![RandomKind { occurrence, what }],
            swarm: false,
        });
        self
    }

    /// Lets processes recover from drawn crashes after a time within this range.
    #[must_use]
    pub fn recovering(mut self, after: &str) -> Self {
        let random = self.experiment.random.as_mut().expect("random crashes");
        let recover_after = Some(after.parse().expect("a range of durations"));
        random.kinds[0].what = RandomAction::Crash { recover_after, announced: false };
        self
    }

    /// Sets a perfect failure detector that reports each crash after a `delay`: `"5ms"`, or
    /// `"1ms..20ms"`.
    #[must_use]
    pub fn perfect_detector(mut self, delay: &str) -> Self {
        let delay = delay.parse().expect("a range of durations");
        let kind = DetectorKind::Perfect;
        self.experiment.detector = DetectorConfig { kind, delay, ..DetectorConfig::default() };
        self
    }

    /// Makes `process` Byzantine from the start.
    #[must_use]
    pub fn byzantine(mut self, process: u32, behaviour: Behaviour) -> Self {
        let trigger = Trigger::At(Instant::ZERO);
        let action = Action::Corrupt(ProcessId(process), behaviour);
        self.experiment.plan.faults.push(Fault { trigger, action });
        self
    }

    /// A runner for this world.
    ///
    /// # Panics
    /// If a setting is invalid.
    pub fn runner(&self) -> Runner {
        let runner = self.entry.prepare(self.experiment.clone(), &self.params, &self.workload);
        runner.expect("valid settings")
    }

    /// The setting that the protocol refuses, if there is one.
    pub fn refused(&self) -> Option<Invalid> {
        self.entry.prepare(self.experiment.clone(), &self.params, &self.workload).err()
    }

    /// Runs these seeds without recording them; returns the properties that each violates.
    ///
    /// # Panics
    /// If a setting is invalid, or a handler panics.
    pub fn violated_in(&self, seeds: Range<u64>) -> Vec<Vec<&'static str>> {
        let mut runner = self.runner();
        let run = |seed| {
            let outcome = runner.run(seed);
            assert_eq!(outcome.panicked, None);
            violated(&outcome)
        };
        seeds.map(run).collect()
    }

    /// Runs one seed and records it.
    ///
    /// # Panics
    /// If a setting is invalid, or a handler panics.
    pub fn run(&self, seed: u64) -> Run {
        let mut runner = self.runner();
        let (outcome, trace) = runner.record(seed);
        assert_eq!(outcome.panicked, None);
        Run { outcome, trace }
    }
}

impl Run {
    /// The number of communication steps of the run under [`Bench::lockstep`].
    pub fn steps(&self) -> u64 {
        self.outcome.at.as_nanos() / STEP.as_nanos()
    }

    /// The communication step of each indication, in the order of the trace, if all processes start
    /// at once under [`Bench::lockstep`].
    pub fn indication_steps(&self) -> Vec<u64> {
        let indications =
            self.trace.entries.iter().filter(|e| matches!(e.what, TraceEvent::Indicate { .. }));
        indications.map(|e| e.at.as_nanos() / STEP.as_nanos()).collect()
    }

    /// The properties that were violated.
    pub fn violated(&self) -> Vec<&'static str> {
        violated(&self.outcome)
    }
}

fn violated(outcome: &Outcome) -> Vec<&'static str> {
    let violated =
        outcome.judged.iter().filter(|judged| matches!(judged.verdict, Verdict::Violated(_)));
    violated.map(|judged| judged.id.0).collect()
}

/// The trigger of the `nth` effect of a process.
pub fn after_effect(process: u32, nth: u64) -> Trigger {
    Trigger::AfterEffect { process: ProcessId(process), nth }
}

/// The trigger of the `nth` send of messages of a kind.
pub fn sends(process: u32, kind: &str, nth: u64) -> Trigger {
    Trigger::Sends { process: ProcessId(process), kind: kind.to_owned(), nth }
}
