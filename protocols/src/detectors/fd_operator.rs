//! An operator: a person confirms each suspicion, late and sometimes in error.
//!
//! Source: Chandra and Toueg (1996) for the classes of detectors. Spec: [`FailureDetector`]. Model:
//! asynchronous, crash-stop, f < n; an operator for each process, who sees which machines are down:
//! the oracle of the environment.
//!
//! Steps: an [`FdHeartbeat`] suspects silent processes. Each suspicion is a question to the
//! operator, who answers after a while, and wrongly with the probability `error_rate`. If the
//! operator confirms that the process is down, announce the suspicion, and never take it back: by
//! now the machine is switched off. If the operator denies it and the process stays silent, ask
//! again. If it is heard before the answer, the question is withdrawn.
//!
//! Why it works: if the operator never errs, nobody is suspected who is up, however slow, and who
//! is down is confirmed at the first question after the operator can see it: this is P, without any
//! bound on delays. Operators who err deny a crash any number of times, but not for ever, since
//! every question may be the one that is answered rightly: so strong completeness is left, with
//! probability 1. Accuracy is not. One question about a slow process that is answered wrongly
//! suspects a correct process for good, so the detector is not even ◇P, as it is without an
//! operator if delays are bounded in the end.

use ftsim_core::prelude::*;
use ftsim_core::{DurationRange, Part, Probability};

use super::fd_heartbeat::{self, FdHeartbeat, FdHeartbeatParams, Mode, Msg};
use crate::spec::detector::{
    EVENTUAL_STRONG_ACCURACY, FailureDetector, Indication, STRONG_ACCURACY, STRONG_COMPLETENESS,
};

/// The detector whose suspicions are questions.
const DETECTOR: Part<FdOperator, FdHeartbeat> =
    Part { msg: |msg| msg, timer: Timer::Detector, record: |record| record };

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// A timer of the detector.
    Detector(fd_heartbeat::Timer),
    /// The operator answers the question about this process.
    Answer(ProcessId),
}

/// A process with an operator.
#[derive(Clone, Debug, Hash)]
pub struct FdOperator {
    detector: FdHeartbeat,
    delay: DurationRange,
    error_rate: Probability,
    /// The processes of which the operator can see that they are down.
    seen_down: ProcessSet,
    /// The processes that the operator has confirmed.
    suspected: ProcessSet,
}

impl Process for FdOperator {
    type Spec = FailureDetector;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        self.detect(FdHeartbeat::on_start, cx);
    }

    fn on_request(&mut self, request: Never, _: &mut Cx<Self>) {
        match request {}
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        self.detect(|detector, cx| detector.on_message(from, msg, cx), cx);
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<Self>) {
        match timer {
            Timer::Detector(timer) => self.detect(|d, cx| d.on_timer(timer, cx), cx),
            Timer::Answer(p) => self.answered(p, cx),
        }
    }

    fn on_suspect(&mut self, p: ProcessId, _: &mut Cx<Self>) {
        self.seen_down.insert(p);
    }

    fn on_trust(&mut self, p: ProcessId, _: &mut Cx<Self>) {
        self.seen_down.remove(p);
    }
}

impl FdOperator {
    /// Runs the detector; its suspicions are questions.
    fn detect(
        &mut self,
        run: impl FnOnce(&mut FdHeartbeat, &mut Cx<FdHeartbeat>),
        cx: &mut Cx<Self>,
    ) {
        for indication in cx.layer(&DETECTOR, |cx| run(&mut self.detector, cx)) {
            match indication {
                Indication::Suspect(p) if cx.runs(&DOES_NOT_ASK) => self.suspect(p, cx),
                Indication::Suspect(p) if !self.suspected.contains(p) => self.ask(p, cx),
                Indication::Trust(p) => cx.cancel_timer(Timer::Answer(p)),
                _ => {}
            }
        }
    }

    fn ask(&self, p: ProcessId, cx: &mut Cx<Self>) {
        let DurationRange { min, max } = self.delay;
        let after_ns = cx.rng().between(min.as_nanos(), max.as_nanos());
        cx.set_timer(Duration::from_nanos(after_ns), Timer::Answer(p));
    }

    fn answered(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        let errs = cx.rng().chance(self.error_rate);
        if self.seen_down.contains(p) != errs {
            self.suspect(p, cx);
        } else {
            cx.reach("an operator denies a crash");
            if !cx.runs(&ASK_ONCE) {
                self.ask(p, cx);
            }
        }
    }

    fn suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        if self.suspected.insert(p) {
            cx.indicate(Indication::Suspect(p));
        }
    }
}

/// `[params]` of `fd-operator`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FdOperatorParams {
    /// η: the time between two heartbeats.
    pub period: Duration,
    /// τ: the silence after which the operator is asked, at first.
    pub timeout: Duration,
    /// The amount by which a process's `timeout` grows when it is heard again.
    pub increment: Duration,
    /// The time that the operator takes for an answer.
    pub delay: DurationRange,
    /// The probability that an answer is wrong, less than 1.
    pub error_rate: f64,
}

impl Default for FdOperatorParams {
    fn default() -> Self {
        let millis = Duration::from_millis;
        Self {
            period: millis(40),
            timeout: millis(50),
            increment: millis(10),
            delay: DurationRange { min: millis(20), max: millis(100) },
            error_rate: 0.0,
        }
    }
}

impl FdOperatorParams {
    fn of_detector(&self) -> FdHeartbeatParams {
        let Self { period, timeout, increment, .. } = *self;
        FdHeartbeatParams { mode: Mode::Push, period, timeout, increment }
    }
}

const ASK_ONCE: Mutant =
    Mutant::code("ask-once", "takes the operator's first answer for all time", STRONG_COMPLETENESS);
const DOES_NOT_ASK: Mutant =
    Mutant::code("does-not-ask", "announces suspicions without asking", STRONG_ACCURACY);
const ERRS: Mutant = Mutant::assumption(
    "errs",
    "has operators who confirm crashes of processes that are up",
    EVENTUAL_STRONG_ACCURACY,
    "params.error_rate",
    Some("0.0"),
);

impl Protocol for FdOperator {
    const NAME: &'static str = "fd-operator";
    const SUMMARY: &'static str = "failure detector: an operator confirms each suspicion";
    const SOURCE: &'static str = "Chandra & Toueg 1996; Aguilera, Chen & Toueg 1997";
    const MUTANTS: &'static [Mutant] = &[ASK_ONCE, DOES_NOT_ASK, ERRS];

    type Params = FdOperatorParams;

    fn model(_: &FdOperatorParams, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE).with(DetectorClass::Perfect)
    }

    fn validate(params: &FdOperatorParams, setting: &Setting) -> Result<(), Invalid> {
        if params.delay.max == Duration::ZERO {
            return Err(Invalid::new("delay", "must be longer than zero"));
        }
        if !(0.0..1.0).contains(&params.error_rate) {
            return Err(Invalid::new("error_rate", "must be at least 0 and less than 1"));
        }
        FdHeartbeat::validate(&params.of_detector(), setting)
    }

    fn new(params: &FdOperatorParams, setting: &Setting, me: ProcessId) -> Self {
        Self {
            detector: FdHeartbeat::new(&params.of_detector(), setting, me),
            delay: params.delay,
            error_rate: Probability::new(params.error_rate).unwrap_or_default(),
            seen_down: ProcessSet::new(),
            suspected: ProcessSet::new(),
        }
    }

    /// The properties of P with operators who never err.
    fn claims(params: &FdOperatorParams, _: &Setting) -> Vec<PropertyId> {
        let mut claims = vec![STRONG_COMPLETENESS];
        if params.error_rate == 0.0 {
            claims.extend([STRONG_ACCURACY, EVENTUAL_STRONG_ACCURACY]);
        }
        claims
    }
}
