//! Election by the strongest: whoever hears of no greater process that is up becomes the leader.
//!
//! Source: Garcia-Molina (1982), *Elections in a distributed computing system*, as textbooks tell
//! it. Spec: [`Election`]. Model: synchronous with known delay bound δ, crash-recovery, reliable
//! links.
//!
//! Steps: a process that is asked for an election sends ELECTION to all greater ones, which answer
//! OK and hold elections of their own. If no OK comes within 2δ, it is the leader, and sends
//! COORDINATOR to all lesser ones; otherwise it waits for COORDINATOR, and begins anew if none
//! comes within 4δ. A process that recovers answers at once, and holds an election after 3δ.
//!
//! Why it works: a process that becomes the leader at t asked all greater ones at t − 2δ. One that
//! did not answer was down between then and t − δ. So if it is up again it recovered after t − 2δ,
//! and begins its election after t + δ, when all have heard of the lesser leader. The greatest
//! process that stays up is the last one to announce itself, and all hear it last.
//!
//! Words: textbooks leave out what keeps two leaders apart in the paper, and so does this version,
//! whose messages they count: there, a candidate first halts all lesser processes, which then
//! refuse the announcements of others. Without that, a process that recovers and holds an election
//! at once (mutant `join-at-once`) can lead before a lesser one whose election began earlier, and
//! be forgotten for it. So it waits for 3δ here.

use ftsim_core::prelude::*;

use crate::spec::election::{Election, Indication, MAX, ONE_LEADER, Request, TERMINATION};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// The sender, which is lesser, holds an election.
    Election,
    /// The sender, which is greater, is up.
    Ok,
    /// The sender, which is greater, is the leader.
    Coordinator,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// Its time to join is over.
    Join,
    /// All greater processes that are up have answered.
    Answers,
    /// A greater process should have become the leader.
    Coordinator,
}

/// A process of the bully algorithm.
#[derive(Clone, Debug, Hash)]
pub struct Bully {
    stage: Stage,
}

/// How far the election of a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    /// It holds none.
    Idle,
    /// It has just recovered, and will hold one.
    Joins,
    /// It has asked the greater processes.
    Calls,
    /// A greater process is up, and should become the leader.
    Waits,
}

impl Process for Bully {
    type Spec = Election;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        cx.indicate(Indication::JoinsWithin(cx.setting().delay_bound.times(3)));
    }

    fn on_recover(&mut self, _: &[Stored<Never>], cx: &mut Cx<Self>) {
        self.on_start(cx);
        if cx.runs(&JOIN_AT_ONCE) {
            self.call(cx);
        } else {
            self.stage = Stage::Joins;
            cx.set_timer(cx.setting().delay_bound.times(3), Timer::Join);
        }
    }

    fn on_request(&mut self, Request::Elect: Request, cx: &mut Cx<Self>) {
        self.call_if_idle(cx);
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Election => {
                cx.send(from, Msg::Ok);
                self.call_if_idle(cx);
            }
            Msg::Ok => self.on_ok(cx),
            Msg::Coordinator => self.on_coordinator(from, cx),
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<Self>) {
        match timer {
            Timer::Join => self.call(cx),
            Timer::Answers => self.lead(cx),
            Timer::Coordinator if cx.runs(&NO_RESTART) => {}
            Timer::Coordinator => {
                cx.reach("the greater process has crashed");
                self.call(cx);
            }
        }
    }
}

impl Bully {
    fn call_if_idle(&mut self, cx: &mut Cx<Self>) {
        if self.stage == Stage::Idle {
            self.call(cx);
        }
    }

    fn call(&mut self, cx: &mut Cx<Self>) {
        let me = cx.me();
        if me.0 + 1 == cx.n() {
            self.lead(cx);
            return;
        }
        self.stage = Stage::Calls;
        cx.send_to(cx.processes().filter(|p| *p > me), Msg::Election);
        let delays = if cx.runs(&SHORT_TIMEOUT) { 1 } else { 2 };
        cx.set_timer(cx.setting().delay_bound.times(delays), Timer::Answers);
    }

    fn on_ok(&mut self, cx: &mut Cx<Self>) {
        if self.stage == Stage::Calls && !cx.runs(&IGNORE_OK) {
            self.stage = Stage::Waits;
            cx.cancel_timer(Timer::Answers);
            cx.set_timer(cx.setting().delay_bound.times(4), Timer::Coordinator);
        }
    }

    fn lead(&mut self, cx: &mut Cx<Self>) {
        let me = cx.me();
        self.stage = Stage::Idle;
        cx.indicate(Indication::Leads);
        cx.send_to(cx.processes().filter(|p| *p < me), Msg::Coordinator);
    }

    fn on_coordinator(&mut self, leader: ProcessId, cx: &mut Cx<Self>) {
        cx.indicate(Indication::Follows(leader.0.into()));
        if self.stage != Stage::Joins {
            self.stage = Stage::Idle;
            cx.cancel_timer(Timer::Answers);
            cx.cancel_timer(Timer::Coordinator);
        }
    }
}

const SHORT_TIMEOUT: Mutant =
    Mutant::code("short-timeout", "waits for answers for δ instead of 2δ", ONE_LEADER);
const ASYNC: Mutant = Mutant::assumption(
    "async",
    "takes the silence of those beyond a cut for their crash",
    ONE_LEADER,
    "fault",
    None,
);
const NO_RESTART: Mutant = Mutant::code(
    "no-restart",
    "waits for ever for a greater process that has answered",
    TERMINATION,
);
const JOIN_AT_ONCE: Mutant =
    Mutant::code("join-at-once", "holds an election as soon as it has recovered", ONE_LEADER);
const IGNORE_OK: Mutant =
    Mutant::code("ignore-ok", "becomes the leader although a greater process answers", MAX);

impl Protocol for Bully {
    const NAME: &'static str = "bully";
    const SUMMARY: &'static str = "election by asking all greater processes whether they are up";
    const SOURCE: &'static str = "Garcia-Molina 1982";
    const MUTANTS: &'static [Mutant] = &[SHORT_TIMEOUT, ASYNC, NO_RESTART, JOIN_AT_ONCE, IGNORE_OK];

    type Params = NoParams;

    fn model(_: &NoParams, _: &Setting) -> Model {
        Model::SYNCHRONOUS.crash_recovery(Bound::ALL_BUT_ONE)
    }

    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self { stage: Stage::Idle }
    }
}
