//! A test bench for protocols: a small world, and queries about its runs.

pub mod scripted;

use std::ops::Range;

use ftsim_core::adversary::Behaviour;
use ftsim_core::environment::delay::Delay;
use ftsim_core::environment::detector::{DetectorConfig, DetectorKind};
use ftsim_core::fault::random::{Occurrence, RandomAction, RandomFaults, RandomKind};
use ftsim_core::fault::{Action, Crash, Fault, InFlight, Trigger};
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::time::CountRange;
use ftsim_core::{
    Duration, DurationRange, Entry, Experiment, Instant, Outcome, ProcessId, PropertyId, Protocol,
    Setting, Verdict,
};
use serde_json::Value;

/// A protocol in a world of its own.
pub struct Bench<P: Protocol> {
    /// The world, for settings that no method here covers.
    pub experiment: Experiment,
    params: Value,
    workload: Value,
    protocol: std::marker::PhantomData<P>,
}

/// A recorded run.
pub struct Run {
    pub outcome: Outcome,
    pub trace: ftsim_core::Trace,
}

impl std::ops::Deref for Run {
    type Target = Outcome;
    fn deref(&self) -> &Outcome {
        &self.outcome
    }
}

/// The delay of every message under [`Bench::lockstep`]: one communication step.
pub const STEP: Duration = Duration::from_millis(10);

impl<P: Protocol> Bench<P> {
    /// `n` processes of the protocol's first role.
    pub fn new(n: u32) -> Self {
        Self::with_roles(&[(P::ROLES[0], n)])
    }

    /// A given number of processes of each role.
    pub fn with_roles(roles: &[(&str, u32)]) -> Self {
        let n = roles.iter().map(|(_, count)| count).sum();
        let roles = roles.iter().map(|(role, count)| ((*role).to_owned(), *count)).collect();
        let empty = || Value::Object(serde_json::Map::new());
        Self {
            experiment: Experiment::new(Setting { roles, ..Setting::of(n) }),
            params: empty(),
            workload: empty(),
            protocol: std::marker::PhantomData,
        }
    }

    /// `[params]` as JSON.
    pub fn params(mut self, json: &str) -> Self {
        self.params = serde_json::from_str(json).expect("valid JSON");
        self
    }

    /// `[workload]` as JSON.
    pub fn workload(mut self, json: &str) -> Self {
        self.workload = serde_json::from_str(json).expect("valid JSON");
        self
    }

    /// Selects this mutant.
    pub fn mutant(mut self, name: &str) -> Self {
        let mutant = P::MUTANTS.iter().find(|mutant| mutant.name == name);
        self.experiment.setting.mutant = Some(mutant.expect("a mutant of the protocol"));
        self
    }

    /// Checks this property as well.
    pub fn check(mut self, id: PropertyId) -> Self {
        self.experiment.check.push(id);
        self
    }

    /// Makes every message take [`STEP`], so that time counts communication steps.
    pub fn lockstep(self) -> Self {
        self.delay(STEP)
    }

    /// Makes every message take exactly this long.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.experiment.network.default.delay = Delay::Uniform(DurationRange::constant(delay));
        self.experiment.network.bound = delay;
        self.experiment.setting.delay_bound = delay;
        self
    }

    /// Crashes `process` permanently, keeping its messages in flight.
    pub fn crash(self, process: u32, trigger: Trigger) -> Self {
        self.crash_with(process, trigger, InFlight::Keep)
    }

    /// Crashes `process` permanently.
    pub fn crash_with(mut self, process: u32, trigger: Trigger, in_flight: InFlight) -> Self {
        let crash = Crash { in_flight, ..Crash::default() };
        let action = Action::Crash(ProcessId(process), crash);
        self.experiment.plan.faults.push(Fault { trigger, action });
        self
    }

    /// Crashes up to `count_max` processes permanently, each between two effects or at a time
    /// within the `window` (`"0ms..30ms"`), all drawn from the seed.
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
    pub fn recovering(mut self, after: &str) -> Self {
        let random = self.experiment.random.as_mut().expect("random crashes");
        let recover_after = Some(after.parse().expect("a range of durations"));
        random.kinds[0].what = RandomAction::Crash { recover_after, announced: false };
        self
    }

    /// Sets a perfect failure detector that reports each crash after a `delay`: `"5ms"`, or
    /// `"1ms..20ms"`.
    pub fn perfect_detector(mut self, delay: &str) -> Self {
        let delay = delay.parse().expect("a range of durations");
        let kind = DetectorKind::Perfect;
        self.experiment.detector = DetectorConfig { kind, delay, ..DetectorConfig::default() };
        self
    }

    /// Makes `process` Byzantine from the start.
    pub fn byzantine(mut self, process: u32, behaviour: Behaviour) -> Self {
        let trigger = Trigger::At(Instant::ZERO);
        let action = Action::Corrupt(ProcessId(process), behaviour);
        self.experiment.plan.faults.push(Fault { trigger, action });
        self
    }

    /// Runs these seeds without recording them; returns the properties that each violates.
    pub fn violated_in(&self, seeds: Range<u64>) -> Vec<Vec<&'static str>> {
        let entry = Entry::of::<P>();
        let mut runner = entry
            .prepare(self.experiment.clone(), &self.params, &self.workload)
            .expect("a valid setting");
        let run = |seed| {
            let outcome = runner.run(seed);
            assert_eq!(outcome.panicked, None);
            violated(&outcome)
        };
        seeds.map(run).collect()
    }

    /// Runs one seed and records it.
    pub fn run(&self, seed: u64) -> Run {
        let entry = Entry::of::<P>();
        let mut runner = entry
            .prepare(self.experiment.clone(), &self.params, &self.workload)
            .expect("a valid setting");
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
