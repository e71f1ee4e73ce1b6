//! A computation by units of which some may fail: what is announced as its result is right.
//!
//! Source: Von Neumann (1956), *Probabilistic logics and the synthesis of reliable organisms from
//! unreliable components*, whose *restoring organs* are voters; Lyons and Vanderkulk (1962). A job
//! is to apply [`step`] to a number so many times. Clients ask every process of the first role to
//! do it. Its result is announced by the *voters* if there are any, and else by the *drivers*.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::prelude::*;
use ftsim_core::{DurationRange, FaultClass};

use crate::link::EXACTLY_ONCE_EFFECT;
use crate::service::properties::LIVENESS;
use crate::{draw, refuse_too_many};

#[cfg(test)]
mod tests;

/// The problem of computing correctly.
pub struct Computation;

/// The role of those that compare results and announce one.
pub const VOTER: &str = "voter";
/// The role of a process that has a job done, and announces how it ended.
pub const DRIVER: &str = "driver";

/// The number of a job, from 1.
pub type JobNumber = u64;
/// The number that a computation is about.
pub type Value = u64;

/// Values are less than this, which is a prime.
const MODULUS: Value = 10_007;

const FACTOR: Value = 7;
const SUMMAND: Value = 3;

/// One step of a computation. Different values have different results.
pub const fn step(value: Value) -> Value {
    (FACTOR * (value % MODULUS) + SUMMAND) % MODULUS
}

/// So many steps.
///
/// A message of a liar may ask for billions: several steps together are linear like one, so that
/// twice as many are found by one more composition.
pub const fn steps(value: Value, count: u32) -> Value {
    if count == 0 {
        return value;
    }
    // value -> factor * value + summand, for the steps of the lowest bit of `left`.
    let (mut factor, mut summand) = (FACTOR, SUMMAND);
    let mut value = value % MODULUS;
    let mut left = count;
    while left > 0 {
        if left % 2 == 1 {
            value = (factor * value + summand) % MODULUS;
        }
        summand = (factor * summand + summand) % MODULUS;
        factor = factor * factor % MODULUS;
        left /= 2;
    }
    value
}

/// A request to a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// Do a job.
    Compute {
        /// Its number.
        number: JobNumber,
        /// The value to begin with.
        input: Value,
        /// How many steps to take.
        steps: u32,
    },
}

/// An announcement of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// The result of a job.
    Output {
        /// The job.
        number: JobNumber,
        /// The result.
        value: Value,
    },
    /// A job cannot be done.
    Failed {
        /// The job.
        number: JobNumber,
    },
    /// A unit that keeps the sum of all inputs has done a job.
    Effect {
        /// The job.
        number: JobNumber,
        /// The sum, with the job.
        sum: Value,
    },
}

/// What is announced is right.
pub const CORRECT_OUTPUT: PropertyId = PropertyId("mask.correct-output");
/// Something is announced.
pub const OUTPUT: PropertyId = PropertyId("mask.output");

impl Spec for Computation {
    const NAME: &'static str = "computation";
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::safety(
            CORRECT_OUTPUT,
            "every result that is announced is that of a computation without faults",
            |_| Box::new(CorrectOutput::default()),
        )
        .in_any_order(),
        PropertyEntry::liveness(
            OUTPUT,
            "the result of every job is announced by each correct voter, or by the driver",
            |setting| Box::new(Answers::new(setting, false)),
        )
        .in_any_order()
        .if_claimed(),
        PropertyEntry::liveness(
            LIVENESS,
            "of every job the result is announced, or that it failed, by each correct voter or by \
             the driver",
            |setting| Box::new(Answers::new(setting, true)),
        )
        .in_any_order()
        .if_claimed(),
        PropertyEntry::safety(
            EXACTLY_ONCE_EFFECT,
            "the sum that a unit keeps has the input of each job that it has done once",
            |_| Box::new(ExactlyOnce::default()),
        )
        .if_claimed(),
    ];
    const FAULTS: &'static [FaultClass] =
        &[FaultClass::None, FaultClass::CrashStop, FaultClass::Byzantine];

    type Request = Request;
    type Indication = Indication;
    type WorkloadSettings = WorkloadSettings;
    type Workload = Jobs;

    fn workload(settings: &WorkloadSettings, setting: &Setting) -> Result<Jobs, Invalid> {
        let asked: Vec<ProcessId> = match setting.roles.first() {
            Some((role, _)) => setting.role(role).collect(),
            None => Vec::new(),
        };
        refuse_too_many("jobs", settings.jobs, asked.len())?;
        Ok(Jobs { settings: settings.clone(), asked })
    }

    fn is_probe(indication: &Indication) -> bool {
        matches!(indication, Indication::Effect { .. })
    }

    fn phrase(indication: &Indication) -> Option<String> {
        Some(match indication {
            Indication::Output { number, value } => format!("announces {value} for job {number}"),
            Indication::Failed { number } => format!("gives job {number} up"),
            Indication::Effect { number, sum } => format!("has the sum {sum} after job {number}"),
        })
    }
}

/// `[workload]` of computations.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WorkloadSettings {
    /// How many jobs there are.
    pub jobs: u32,
    /// How many steps each has.
    pub steps: u32,
    /// How long after the one before a job comes.
    pub every: DurationRange,
}

impl Default for WorkloadSettings {
    fn default() -> Self {
        Self { jobs: 3, steps: 2, every: DurationRange::constant(Duration::from_millis(50)) }
    }
}

/// Clients that ask for one job after another, at times that do not depend on results.
#[derive(Clone, Debug, Hash)]
pub struct Jobs {
    settings: WorkloadSettings,
    asked: Vec<ProcessId>,
}

impl Workload<Computation> for Jobs {
    fn on_start(&mut self, ask: &mut Ask<'_, Computation>) {
        let mut after = Duration::ZERO;
        for number in 1..=u64::from(self.settings.jobs) {
            let input = ask.rng().below(MODULUS);
            for p in &self.asked {
                let steps = self.settings.steps;
                ask.request(*p, after, Request::Compute { number, input, steps });
            }
            after = after + draw(self.settings.every, ask.rng());
        }
    }
}

/// The jobs that clients have asked for, and their results.
#[derive(Clone, Debug, Default, Hash)]
struct Asked {
    results: BTreeMap<JobNumber, Value>,
}

impl Asked {
    fn apply(&mut self, event: &Observed<'_, Computation>) {
        if let Observation::Request(Request::Compute { number, input, steps: count }) = event.what {
            self.results.entry(*number).or_insert_with(|| steps(*input, *count));
        }
    }
}

#[derive(Clone, Debug, Default, Hash)]
struct CorrectOutput {
    asked: Asked,
    outputs: u64,
}

impl Property<Computation> for CorrectOutput {
    fn observe(&mut self, event: &Observed<'_, Computation>) -> Result<(), Violation> {
        self.asked.apply(event);
        let Observation::Indication(Indication::Output { number, value }) = event.what else {
            return Ok(());
        };
        self.outputs += 1;
        let p = event.process;
        match self.asked.results.get(number) {
            Some(result) if result == value => Ok(()),
            Some(result) => {
                let how = format!("{p} announces {value} for job {number}, but it is {result}");
                Err(Violation::by([p], how))
            }
            None => Err(Violation::by([p], format!("{p} announces {value} for no job"))),
        }
    }

    fn exercised(&self) -> u64 {
        self.outputs
    }
}

/// Looks for jobs that were not answered.
#[derive(Clone, Debug, Hash)]
struct Answers {
    answerers: Vec<ProcessId>,
    /// Whether a failure is an answer.
    counts_failures: bool,
    asked: Asked,
    answered: BTreeSet<(JobNumber, ProcessId)>,
    /// The jobs asked for, if someone correct is to answer.
    due: u64,
}

impl Answers {
    fn new(setting: &Setting, counts_failures: bool) -> Self {
        let role = if setting.role_size(VOTER) > 0 { VOTER } else { DRIVER };
        let answerers = setting.role(role).collect();
        let (asked, answered) = (Asked::default(), BTreeSet::new());
        Self { answerers, counts_failures, asked, answered, due: 0 }
    }

    /// A correct process that has not answered this job.
    fn silent(&self, number: JobNumber, end: &End<'_>) -> Option<ProcessId> {
        let mut correct = self.answerers.iter().copied().filter(|p| end.is_correct(*p));
        correct.find(|p| !self.answered.contains(&(number, *p)))
    }
}

impl Property<Computation> for Answers {
    fn observe(&mut self, event: &Observed<'_, Computation>) -> Result<(), Violation> {
        self.asked.apply(event);
        let number = match event.what {
            Observation::Indication(Indication::Output { number, value }) => {
                let is_right = self.asked.results.get(number) == Some(value);
                Some(number).filter(|_| is_right || self.counts_failures)
            }
            Observation::Indication(Indication::Failed { number }) => {
                Some(number).filter(|_| self.counts_failures)
            }
            _ => None,
        };
        // Only jobs that exist are remembered, whatever is announced.
        if let Some(number) = number.filter(|number| self.asked.results.contains_key(number)) {
            self.answered.insert((*number, event.process));
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        if self.answerers.iter().any(|p| end.is_correct(*p)) {
            self.due = self.asked.results.len() as u64;
        }
        let open = self.asked.results.keys().find_map(|number| {
            let p = self.silent(*number, end)?;
            Some((p, number))
        });
        match open {
            Some((p, number)) => {
                Err(Violation::by([p], format!("{p} has not answered job {number}")))
            }
            None => Ok(()),
        }
    }

    fn exercised(&self) -> u64 {
        self.due
    }

    fn measured(&self, end: &End<'_>) -> Option<f64> {
        let count = self.asked.results.len();
        let answered =
            self.asked.results.keys().filter(|number| self.silent(**number, end).is_none()).count();
        (count > 0).then(|| answered as f64 / count as f64)
    }
}

/// Adds the inputs of the jobs that each unit has done.
#[derive(Clone, Debug, Default, Hash)]
struct ExactlyOnce {
    inputs: BTreeMap<JobNumber, Value>,
    done: BTreeMap<ProcessId, BTreeSet<JobNumber>>,
    effects: u64,
}

impl Property<Computation> for ExactlyOnce {
    fn observe(&mut self, event: &Observed<'_, Computation>) -> Result<(), Violation> {
        let p = event.process;
        match event.what {
            Observation::Request(Request::Compute { number, input, .. }) => {
                self.inputs.insert(*number, *input);
                Ok(())
            }
            Observation::Indication(Indication::Effect { number, sum }) => {
                self.effects += 1;
                let done = self.done.entry(p).or_default();
                if self.inputs.contains_key(number) {
                    done.insert(*number);
                }
                let expected: Value = done.iter().map(|number| self.inputs[number]).sum();
                if expected == *sum {
                    return Ok(());
                }
                let how = format!(
                    "the sum at {p} is {sum} after job {number}, and {expected} with each once"
                );
                Err(Violation::by([p], how))
            }
            _ => Ok(()),
        }
    }

    fn exercised(&self) -> u64 {
        self.effects
    }
}
