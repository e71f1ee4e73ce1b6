//! Eventual leadership: the greatest process that is not suspected.
//!
//! Source: Cachin, Guerraoui and Rodrigues (2011), algorithm 2.8, *monarchical eventual leader
//! detection*; Chandra, Hadzilacos and Toueg (1996) for Ω. Spec: [`EventualLeader`]. Model:
//! partially synchronous, crash-stop, f < n.
//!
//! Steps: an eventually perfect failure detector ◇P, here [`FdHeartbeat`] with growing timeouts,
//! suspects processes and trusts them again. Whenever that changes the greatest process that is not
//! suspected, trust this one as the leader.
//!
//! Why it works: in the end ◇P suspects exactly the crashed processes, and then all correct
//! processes choose the greatest correct one.

use ftsim_core::Part;
use ftsim_core::prelude::*;

use crate::detectors::fd_heartbeat::{FdHeartbeat, FdHeartbeatParams, Mode, Msg, Timer};
use crate::spec::detector;
use crate::spec::eventual_leader::{EVENTUAL_LEADER, EventualLeader, Indication};

/// The detector inside it.
const DETECTOR: Part<Omega, FdHeartbeat> =
    Part { msg: |msg| msg, timer: |timer| timer, record: |record| record };

/// A process that trusts the greatest process which it does not suspect.
#[derive(Clone, Debug, Hash)]
pub struct Omega {
    detector: FdHeartbeat,
    suspected: ProcessSet,
    leader: Option<ProcessId>,
}

impl Process for Omega {
    type Spec = EventualLeader;
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
        self.detect(|detector, cx| detector.on_timer(timer, cx), cx);
    }
}

impl Omega {
    /// Runs the detector, and chooses a leader.
    fn detect(
        &mut self,
        run: impl FnOnce(&mut FdHeartbeat, &mut Cx<FdHeartbeat>),
        cx: &mut Cx<Self>,
    ) {
        for indication in cx.layer(&DETECTOR, |cx| run(&mut self.detector, cx)) {
            match indication {
                detector::Indication::Suspect(p) => drop(self.suspected.insert(p)),
                detector::Indication::Trust(_) if cx.runs(&FIRST_SUSPECTED_STAYS_OUT) => {}
                detector::Indication::Trust(p) => drop(self.suspected.remove(p)),
                detector::Indication::DetectsWithin(_) | detector::Indication::ErrsAtMost(_) => {}
            }
        }
        self.choose(cx);
    }

    fn choose(&mut self, cx: &mut Cx<Self>) {
        let greatest = cx.processes().rev().find(|p| !self.suspected.contains(*p));
        if greatest != self.leader {
            self.leader = greatest;
            cx.indicate(Indication::Trust(greatest.unwrap_or(cx.me())));
        }
    }
}

/// `[params]` of `omega`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// η: the time between two heartbeats.
    pub period: Duration,
    /// τ: the silence after which a process is suspected, at first.
    pub timeout: Duration,
    /// The amount by which a process's `timeout` grows when a suspicion of it was wrong.
    pub increment: Duration,
}

impl Default for Params {
    fn default() -> Self {
        let millis = Duration::from_millis;
        Self { period: millis(40), timeout: millis(50), increment: millis(10) }
    }
}

impl Params {
    fn of_detector(&self) -> FdHeartbeatParams {
        let Self { period, timeout, increment } = *self;
        FdHeartbeatParams { mode: Mode::Push, period, timeout, increment }
    }
}

const FIRST_SUSPECTED_STAYS_OUT: Mutant = Mutant::code(
    "first-suspected-stays-out",
    "never trusts a process again that it has suspected",
    EVENTUAL_LEADER,
);

impl Protocol for Omega {
    const NAME: &'static str = "omega";
    const SUMMARY: &'static str = "eventual leader: the greatest process that is not suspected";
    const SOURCE: &'static str = "Chandra, Hadzilacos & Toueg 1996; Cachin, Guerraoui & Rodrigues \
                                  2011, algorithm 2.8";
    const MUTANTS: &'static [Mutant] = &[FIRST_SUSPECTED_STAYS_OUT];

    type Params = Params;

    fn model(_: &Params, _: &Setting) -> Model {
        Model::PARTIALLY_SYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE)
    }

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        if params.increment == Duration::ZERO {
            return Err(Invalid::new("increment", "must be longer than zero"));
        }
        FdHeartbeat::validate(&params.of_detector(), setting)
    }

    fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        Self {
            detector: FdHeartbeat::new(&params.of_detector(), setting, me),
            suspected: ProcessSet::new(),
            leader: None,
        }
    }
}
