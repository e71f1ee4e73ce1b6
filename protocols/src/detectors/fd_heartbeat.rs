//! Heartbeats: a process that has not been heard for too long is suspected, until it is heard
//! again.
//!
//! Source: Aguilera, Chen and Toueg (1997), *Heartbeat: a timeout-free failure detector*, for the
//! heartbeats; Cachin, Guerraoui and Rodrigues (2011), algorithm 2.7, *increasing timeout*; Chen,
//! Toueg and Aguilera (2002) for the quality of service. Spec: [`FailureDetector`]. Model:
//! crash-stop, f < n; synchronous with a fixed timeout, which makes it P, or partially synchronous
//! with a growing one, which makes it ◇P.
//!
//! Steps: every η a process sends HEARTBEAT to all others (`push`), or REQUEST, which is answered
//! by HEARTBEAT (`pull`). A process that has not been heard for τ is suspected. When it is heard
//! again, it is trusted, and its τ grows by `increment`.
//!
//! Why it works: a crashed process sends nothing, and its last heartbeat arrives within δ; τ later
//! it is suspected, and stays so. Two heartbeats of a correct process arrive at most η + δ apart
//! (`pull`: η + 2δ), since the first may be fast and the second slow. A τ at least as long never
//! errs while δ holds. If δ holds from an unknown time GST on, a shorter τ errs, grows with each
//! mistake that is taken back, and is long enough after ⌈(η + δ − τ)/increment⌉ of them.
//!
//! Before GST a slow process cannot be distinguished from a crashed one: the scenarios
//! `slow-or-dead-crash` and `slow-or-dead-slow` look the same to an observer for a second.
//!
//! Words: the algorithm of the book has one timeout for all processes, and one request for each;
//! here each process has a timeout of its own.

use ftsim_core::prelude::*;

use crate::spec::detector::{
    DETECTION_TIME, EVENTUAL_STRONG_ACCURACY, FailureDetector, Indication, STRONG_ACCURACY,
    STRONG_COMPLETENESS,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A request for a heartbeat.
    Request,
    /// A sign of life.
    Heartbeat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// The next heartbeat, or request for one, is due.
    Beat,
    /// This process has not been heard for too long.
    Silence(ProcessId),
}

/// A process that sends heartbeats and listens for them.
#[derive(Clone, Debug, Hash)]
pub struct FdHeartbeat {
    mode: Mode,
    period: Duration,
    increment: Duration,
    /// τ for each process, in the order of their ids.
    timeouts: Vec<Duration>,
    suspected: ProcessSet,
    /// The detection time that it promises, if it can.
    detects_within: Option<Duration>,
    /// The number of mistakes about a process after which it promises to make no more, if its
    /// timeouts grow.
    errs_at_most: Option<u64>,
}

impl Process for FdHeartbeat {
    type Spec = FailureDetector;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        if let Some(within) = self.detects_within {
            cx.indicate(Indication::DetectsWithin(within));
        }
        if let Some(mistakes) = self.errs_at_most {
            cx.indicate(Indication::ErrsAtMost(mistakes));
        }
        for p in cx.others() {
            cx.set_timer(self.timeouts[p.index()], Timer::Silence(p));
        }
        self.beat(cx);
    }

    fn on_request(&mut self, request: Never, _: &mut Cx<Self>) {
        match request {}
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Request => cx.send(from, Msg::Heartbeat),
            Msg::Heartbeat => self.heard(from, cx),
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<Self>) {
        match timer {
            Timer::Beat => self.beat(cx),
            Timer::Silence(p) => {
                self.suspected.insert(p);
                cx.indicate(Indication::Suspect(p));
            }
        }
    }
}

impl FdHeartbeat {
    fn beat(&self, cx: &mut Cx<Self>) {
        let msg = if self.mode == Mode::Push { Msg::Heartbeat } else { Msg::Request };
        cx.send_to_others(msg);
        cx.set_timer(self.period, Timer::Beat);
    }

    fn heard(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        if self.suspected.contains(p) {
            cx.reach("a suspect is heard");
            if cx.runs(&NO_TRUST) {
                return;
            }
            self.suspected.remove(p);
            if !cx.runs(&FIXED_TIMEOUT) {
                self.timeouts[p.index()] = self.timeouts[p.index()] + self.increment;
            }
            cx.indicate(Indication::Trust(p));
        }
        cx.set_timer(self.timeouts[p.index()], Timer::Silence(p));
    }
}

/// How heartbeats are triggered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The sender sends it on its own.
    #[default]
    Push,
    /// The receiver requests it.
    Pull,
}

/// `[params]` of `fd-heartbeat`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FdHeartbeatParams {
    /// Whether heartbeats are sent on their own (`push`) or on request (`pull`).
    pub mode: Mode,
    /// η: the time between two heartbeats.
    pub period: Duration,
    /// τ: the silence after which a process is suspected. If δ bounds every delay, `period` + δ is
    /// safe, and `period` + 2δ with `pull`.
    pub timeout: Duration,
    /// The amount by which a process's `timeout` grows when a suspicion of it was wrong; zero keeps
    /// it fixed.
    pub increment: Duration,
}

impl Default for FdHeartbeatParams {
    fn default() -> Self {
        Self {
            mode: Mode::Push,
            period: Duration::from_millis(40),
            timeout: Duration::from_millis(50),
            increment: Duration::ZERO,
        }
    }
}

impl FdHeartbeatParams {
    /// The longest time between two arrivals.
    fn gap_max(&self, setting: &Setting) -> Duration {
        let messages = if self.mode == Mode::Push { 1 } else { 2 };
        self.period + setting.delay_bound.times(messages)
    }

    /// The number of mistakes after which a timeout is long enough, if it grows.
    fn mistakes_max(&self, setting: &Setting) -> Option<u64> {
        let missing_ns = self.gap_max(setting).as_nanos().saturating_sub(self.timeout.as_nanos());
        let increment_ns = self.increment.as_nanos();
        (increment_ns > 0).then(|| missing_ns.div_ceil(increment_ns))
    }

    /// Whether the timeout is fixed and long enough from the start.
    fn is_perfect(&self, setting: &Setting) -> bool {
        self.increment == Duration::ZERO && self.timeout >= self.gap_max(setting)
    }
}

const FIXED_TIMEOUT: Mutant = Mutant::code(
    "fixed-timeout",
    "never waits longer after a mistake, and so repeats it forever",
    EVENTUAL_STRONG_ACCURACY,
);
const NO_TRUST: Mutant =
    Mutant::code("no-trust", "never revokes a suspicion", EVENTUAL_STRONG_ACCURACY);

impl Protocol for FdHeartbeat {
    const NAME: &'static str = "fd-heartbeat";
    const SUMMARY: &'static str =
        "failure detector: suspect a silent process, trust one that is heard again";
    const SOURCE: &'static str = "Aguilera, Chen & Toueg 1997; Cachin, Guerraoui & Rodrigues \
                                  2011, algorithm 2.7; Chen, Toueg & Aguilera 2002";
    const MUTANTS: &'static [Mutant] = &[FIXED_TIMEOUT, NO_TRUST];

    type Params = FdHeartbeatParams;

    fn model(params: &FdHeartbeatParams, setting: &Setting) -> Model {
        let model = match params.is_perfect(setting) {
            true => Model::SYNCHRONOUS,
            false => Model::PARTIALLY_SYNCHRONOUS,
        };
        model.crash_stop(Bound::ALL_BUT_ONE)
    }

    fn validate(params: &FdHeartbeatParams, _: &Setting) -> Result<(), Invalid> {
        for (key, duration) in [("period", params.period), ("timeout", params.timeout)] {
            if duration == Duration::ZERO {
                return Err(Invalid::new(key, "must be longer than zero"));
            }
        }
        Ok(())
    }

    fn new(params: &FdHeartbeatParams, setting: &Setting, _: ProcessId) -> Self {
        let FdHeartbeatParams { mode, period, timeout, increment } = *params;
        let detects_within = timeout + setting.delay_bound;
        Self {
            mode,
            period,
            increment,
            timeouts: vec![timeout; setting.n as usize],
            suspected: ProcessSet::new(),
            detects_within: params.is_perfect(setting).then_some(detects_within),
            errs_at_most: params.mistakes_max(setting),
        }
    }

    /// The properties of P with a fixed timeout that is long enough; those of ◇P with one that
    /// grows.
    fn claims(params: &FdHeartbeatParams, setting: &Setting) -> Vec<PropertyId> {
        let mut claims = vec![STRONG_COMPLETENESS];
        if params.is_perfect(setting) {
            claims.extend([STRONG_ACCURACY, DETECTION_TIME]);
        }
        if params.increment > Duration::ZERO {
            claims.push(EVENTUAL_STRONG_ACCURACY);
        }
        claims
    }
}
