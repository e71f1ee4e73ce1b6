//! Time redundancy: what fails is done again.
//!
//! Source: Avižienis, Laprie, Randell and Landwehr (2004), *Basic concepts and taxonomy of
//! dependable and secure computing*, section 5.2, for retries and rollback; Randell (1975), *System
//! structure for software fault tolerance*, for the recovery point. Spec: [`Computation`] with
//! `lnk.exactly-once-effect`, and `smr.liveness`: each job ends. Model: synchronous, fair-loss
//! links; the unit may crash, or be silent at times.
//!
//! Steps: a *driver* has one job after another done by a *unit*, and waits for its result for a
//! round trip, 2δ. If none comes, it has the unit do the job again, up to `retries` times; then it
//! gives the job up. Before it begins a job, the unit keeps its state, the sum of all inputs, as a
//! recovery point. If it is to do the same job again, it goes back to it first.
//!
//! Why it works: a transient fault is over when the job is done again, a permanent one is not, and
//! an intermittent one may be. Nobody can tell them apart but by trying, so the tries must be
//! counted. The result of an attempt may be lost although the unit has done the job; then the next
//! attempt must undo that, for what it does is not idempotent. If each attempt fails with
//! probability q, independently, a job succeeds with probability 1 − q^(r + 1).

use std::collections::VecDeque;

use ftsim_core::prelude::*;

use crate::spec::computation::{Computation, DRIVER, Indication, JobNumber, Request, Value, steps};
use crate::spec::link::EXACTLY_ONCE_EFFECT;
use crate::spec::service::properties::LIVENESS;

const UNIT: &str = "unit";

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Job {
    number: JobNumber,
    input: Value,
    steps: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// From the driver: the job is to be done, perhaps again.
    Do(Job),
    /// From the unit: the result.
    Done { number: JobNumber, value: Value },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// At the driver: the result should have come.
    Overdue,
}

/// A process of time redundancy.
#[derive(Clone, Debug, Hash)]
pub enum TimeRedundancy {
    /// It has jobs done.
    Driver(Driver),
    /// It does them.
    Unit(Unit),
}

#[derive(Clone, Debug, Hash)]
pub struct Driver {
    retry_count_max: u32,
    /// The jobs that are not done, the first of which is being done.
    jobs: VecDeque<Job>,
    /// How often that one has been tried again.
    retry_count: u32,
}

#[derive(Clone, Debug, Hash)]
pub struct Unit {
    rolls_back: bool,
    sum: Value,
    /// The latest job, and the sum before it: the recovery point.
    recovery_point: (JobNumber, Value),
}

impl Process for TimeRedundancy {
    type Spec = Computation;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        let Request::Compute { number, input, steps } = request;
        if let Self::Driver(driver) = self {
            driver.jobs.push_back(Job { number, input, steps });
            if driver.jobs.len() == 1 {
                driver.attempt(cx);
            }
        }
    }

    fn on_message(&mut self, _: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match (self, msg) {
            (Self::Unit(unit), Msg::Do(job)) => unit.perform(job, cx),
            (Self::Driver(driver), Msg::Done { number, value }) => {
                driver.on_done(number, value, cx);
            }
            _ => {}
        }
    }

    fn on_timer(&mut self, Timer::Overdue: Timer, cx: &mut Cx<Self>) {
        if let Self::Driver(driver) = self {
            driver.on_overdue(cx);
        }
    }
}

impl Driver {
    /// Has the first job done.
    fn attempt(&self, cx: &mut Cx<TimeRedundancy>) {
        if let Some(job) = self.jobs.front() {
            cx.send_to(cx.role(UNIT), Msg::Do(*job));
            let delay = cx.setting().delay_bound;
            cx.set_timer(delay + delay, Timer::Overdue);
        }
    }

    fn on_done(&mut self, number: JobNumber, value: Value, cx: &mut Cx<TimeRedundancy>) {
        if self.jobs.front().is_some_and(|job| job.number == number) {
            cx.indicate(Indication::Output { number, value });
            self.next(cx);
        }
    }

    fn on_overdue(&mut self, cx: &mut Cx<TimeRedundancy>) {
        if self.retry_count < self.retry_count_max || cx.runs(&RETRY_FOR_EVER) {
            self.retry_count = self.retry_count.saturating_add(1);
            cx.reach("tried again");
            return self.attempt(cx);
        }
        if let Some(job) = self.jobs.front() {
            cx.reach("gave up");
            cx.indicate(Indication::Failed { number: job.number });
        }
        self.next(cx);
    }

    fn next(&mut self, cx: &mut Cx<TimeRedundancy>) {
        cx.cancel_timer(Timer::Overdue);
        self.jobs.pop_front();
        self.retry_count = 0;
        self.attempt(cx);
    }
}

impl Unit {
    fn perform(&mut self, job: Job, cx: &mut Cx<TimeRedundancy>) {
        let Job { number, input, steps: count } = job;
        let (latest, before) = self.recovery_point;
        if number < latest {
            // An old message: the driver has done with this job.
            return;
        }
        if number > latest {
            self.recovery_point = (number, self.sum);
        } else if self.rolls_back {
            self.sum = before;
            cx.reach("rolled back");
        }
        self.sum = self.sum.wrapping_add(input);
        cx.indicate(Indication::Effect { number, sum: self.sum });
        cx.send_to(cx.role(DRIVER), Msg::Done { number, value: steps(input, count) });
    }
}

/// `[params]` of time redundancy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// How often a job is tried again.
    pub retries: u32,
    /// Whether the unit goes back to its state before a job when it does it again.
    pub rollback: bool,
}

impl Default for Params {
    fn default() -> Self {
        Self { retries: 3, rollback: true }
    }
}

const NO_ROLLBACK: Mutant = Mutant::assumption(
    "no-rollback",
    "does a job again in the state in which the attempt before has left it",
    EXACTLY_ONCE_EFFECT,
    "params.rollback",
    Some("true"),
);
const RETRY_FOR_EVER: Mutant =
    Mutant::code("retry-for-ever", "takes every fault for a transient one", LIVENESS);

impl Protocol for TimeRedundancy {
    const NAME: &'static str = "time-redundancy";
    const SUMMARY: &'static str = "a job that fails is done again, so many times, from its start";
    const SOURCE: &'static str = "Avižienis, Laprie, Randell & Landwehr 2004; Randell 1975";
    const ROLES: &'static [&'static str] = &[DRIVER, UNIT];
    const MUTANTS: &'static [Mutant] = &[NO_ROLLBACK, RETRY_FOR_EVER];

    type Params = Params;

    fn model(_: &Params, _: &Setting) -> Model {
        Model::SYNCHRONOUS.crash_stop(Bound::ANY).over(Links::FairLoss)
    }

    fn validate(_: &Params, setting: &Setting) -> Result<(), Invalid> {
        for role in [DRIVER, UNIT] {
            if setting.role_size(role) != 1 {
                return Err(Invalid::role(role, format!("there is one {role}")));
            }
        }
        Ok(())
    }

    fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        if setting.has_role(me, DRIVER) {
            let retry_count_max = params.retries;
            return Self::Driver(Driver { retry_count_max, jobs: VecDeque::new(), retry_count: 0 });
        }
        Self::Unit(Unit { rolls_back: params.rollback, sum: 0, recovery_point: (0, 0) })
    }

    fn claims(_: &Params, _: &Setting) -> Vec<PropertyId> {
        vec![EXACTLY_ONCE_EFFECT, LIVENESS]
    }
}
