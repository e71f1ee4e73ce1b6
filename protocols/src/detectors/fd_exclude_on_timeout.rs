//! Exclude on timeout: the perfect failure detector, P, of a synchronous system.
//!
//! Source: Cachin, Guerraoui and Rodrigues (2011), algorithm 2.5. Spec: [`FailureDetector`],
//! strongly complete and strongly accurate, with a bound on the detection time. Model: synchronous,
//! δ bounds every delay and steps take no time; crash-stop, f < n; perfect links.
//!
//! Steps: every period T, suspect permanently all processes that have not replied since the period
//! began, and send a REQUEST to the others, which REPLY at once. The first period sends no requests
//! and considers all processes alive.
//!
//! Why it works: a round trip takes at most 2δ. With T ≥ 2δ the reply of a correct process has
//! arrived when the period ends, so no process is suspected wrongly. A process that crashes at t
//! answers no request that is sent after t; the next is sent by t + T, and its period ends by t +
//! 2T.
//!
//! Words: the paper's *detected* is our suspected, its Δ our T.

use ftsim_core::prelude::*;

use crate::spec::detector::{
    DETECTION_TIME, FailureDetector, Indication, STRONG_ACCURACY, STRONG_COMPLETENESS,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A request for a sign of life.
    Request,
    /// The reply.
    Reply,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// A period ends, and the next begins.
    PeriodEnd,
}

/// A process that excludes on timeout.
#[derive(Clone, Debug, Hash)]
pub struct FdExcludeOnTimeout {
    period: Duration,
    /// The processes that have replied in this period.
    alive: ProcessSet,
    suspected: ProcessSet,
}

impl Process for FdExcludeOnTimeout {
    type Spec = FailureDetector;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        cx.indicate(Indication::DetectsWithin(self.period.times(2)));
        self.alive = cx.processes().collect();
        cx.set_timer(self.period, Timer::PeriodEnd);
    }

    fn on_request(&mut self, request: Never, _: &mut Cx<Self>) {
        match request {}
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Request => cx.send(from, Msg::Reply),
            Msg::Reply => {
                if self.suspected.contains(from) {
                    cx.reach("a reply came too late");
                }
                self.alive.insert(from);
            }
        }
    }

    fn on_timer(&mut self, Timer::PeriodEnd: Timer, cx: &mut Cx<Self>) {
        for p in cx.others() {
            if !self.alive.contains(p) && self.suspected.insert(p) {
                cx.indicate(Indication::Suspect(p));
            }
        }
        self.alive = ProcessSet::new();
        cx.send_to(cx.others().filter(|p| !self.suspected.contains(*p)), Msg::Request);
        cx.set_timer(self.period, Timer::PeriodEnd);
    }
}

/// `[params]` of `fd-exclude-on-timeout`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FdExcludeOnTimeoutParams {
    /// T: the time between two requests, and the time that a process has for its reply. By default
    /// a round trip, 2δ.
    pub period: Option<Duration>,
}

impl FdExcludeOnTimeoutParams {
    fn period(&self, setting: &Setting) -> Duration {
        self.period.unwrap_or(setting.delay_bound.times(2))
    }
}

const SHORT_PERIOD: Mutant = Mutant::assumption(
    "short-period",
    "ends its period before a round trip is over",
    STRONG_ACCURACY,
    "params.period",
    None,
);

impl Protocol for FdExcludeOnTimeout {
    const NAME: &'static str = "fd-exclude-on-timeout";
    const SUMMARY: &'static str =
        "perfect failure detector: a process that misses a reply is excluded permanently";
    const SOURCE: &'static str = "Cachin, Guerraoui & Rodrigues 2011, algorithm 2.5";
    const MUTANTS: &'static [Mutant] = &[SHORT_PERIOD];

    type Params = FdExcludeOnTimeoutParams;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::SYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE)
    }

    fn validate(params: &FdExcludeOnTimeoutParams, setting: &Setting) -> Result<(), Invalid> {
        if params.period(setting) == Duration::ZERO {
            return Err(Invalid::new("period", "must be longer than zero"));
        }
        Ok(())
    }

    fn new(params: &FdExcludeOnTimeoutParams, setting: &Setting, _: ProcessId) -> Self {
        let period = params.period(setting);
        Self { period, alive: ProcessSet::new(), suspected: ProcessSet::new() }
    }

    fn claims(_: &FdExcludeOnTimeoutParams, _: &Setting) -> Vec<PropertyId> {
        vec![STRONG_COMPLETENESS, STRONG_ACCURACY, DETECTION_TIME]
    }
}
