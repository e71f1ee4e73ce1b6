//! Flooding consensus: processes send each other all values they know, until a round in which no
//! process was missed.
//!
//! Source: Cachin, Guerraoui and Rodrigues (2011), algorithm 5.1, with one change, described below;
//! their *correct* (not detected yet) is our *alive*. Spec: [`Consensus`], core. Model:
//! asynchronous, perfect links, a perfect failure detector, any number of crashes.
//!
//! Steps: in each round a process sends a PROPOSAL to all: the values that it knows, and the
//! processes that it heard in the round before. A round ends when all processes alive have been
//! heard in it. If all processes heard had, in the round before, heard exactly each other, the
//! process decides the least value and sends DECIDED to all; otherwise it goes on to the next
//! round. In round 1 this means that all processes have been heard. A process that receives DECIDED
//! from a process alive decides the same value and relays it.
//!
//! Why it works: the processes heard in a round that decides have all heard the same processes in
//! the round before, so they know the same values. Two processes that decide in one round have both
//! heard every correct process, so they have heard the same ones. Let p decide in round r, and q on
//! its own in a later round s. If a correct process has p's decision, q has heard that process in
//! round s. The process from which it got the decision was alive to it then, so it was heard in
//! round s - 1, and so by q in round s; and so on back to p, which sends no PROPOSAL after round r.
//! The algorithm terminates: once no message of a crashed process is in flight, all processes alive
//! hear exactly each other. Agreement is not uniform: a process can decide and crash before any
//! other hears of it.
//!
//! The change: algorithm 5.1 sends no views. It compares the processes that it heard itself in this
//! round and the last, and counts a late PROPOSAL in the round to which it belongs. But a detector
//! can be faster than a link. A process that another has given up may have sent a message of one
//! more round, which a third process then hears: Charron-Bost, Guerraoui and Schiper (2000) show
//! that rounds built on a perfect detector are weaker than synchronous ones. So 5.1 can lose
//! agreement for n >= 4 and f >= 2, whether late PROPOSALs count (mutant `own-view`) or not (mutant
//! `close-round`). It cannot if each crash is detected after the arrival of everything that the
//! process has sent.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::prelude::*;

use crate::spec::consensus::{
    AGREEMENT, Consensus, Indication, Request, TERMINATION, UNIFORM_AGREEMENT, Value,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// The values that the sender knows.
    Proposal {
        round: u32,
        values: BTreeSet<Value>,
        /// The processes that it heard in the round before.
        heard: ProcessSet,
    },
    /// The sender has decided this.
    Decided(Value),
}

/// A process of flooding consensus.
#[derive(Clone, Debug, Hash)]
pub struct FloodingConsensus {
    everybody: ProcessSet,
    alive: ProcessSet,
    /// Counts from 1.
    round: u32,
    heard: BTreeMap<u32, Heard>,
    decision: Option<Value>,
}

/// The PROPOSALs of one round.
#[derive(Clone, Debug, Default, Hash)]
struct Heard {
    values: BTreeSet<Value>,
    /// The senders, each with the processes that it had heard in the round before.
    views: BTreeMap<ProcessId, ProcessSet>,
}

impl Process for FloodingConsensus {
    type Spec = Consensus;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Propose(value): Request, cx: &mut Cx<Self>) {
        let mut values = self.heard.get(&1).map(|h| h.values.clone()).unwrap_or_default();
        values.insert(value);
        self.send_proposal(values, cx);
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Proposal { round, values, heard } => {
                if round >= self.round || !cx.runs(&CLOSE_ROUND) {
                    let of_round = self.heard.entry(round).or_default();
                    of_round.values.extend(values);
                    of_round.views.insert(from, heard);
                    self.try_to_end_round(cx);
                }
            }
            Msg::Decided(value) => {
                if self.decision.is_none() && self.alive.contains(from) {
                    cx.reach("adopted a decision");
                    self.decide(value, cx);
                }
            }
        }
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        self.alive.remove(p);
        self.try_to_end_round(cx);
    }
}

impl FloodingConsensus {
    fn send_proposal(&self, values: BTreeSet<Value>, cx: &mut Cx<Self>) {
        let heard = self.senders(self.round - 1);
        cx.broadcast(Msg::Proposal { round: self.round, values, heard });
    }

    /// Ends the round if all processes alive have been heard in it.
    fn try_to_end_round(&mut self, cx: &mut Cx<Self>) {
        if self.decision.is_some() || !self.senders(self.round).is_superset(&self.alive) {
            return;
        }
        let values = self.heard.get(&self.round).map(|h| h.values.clone()).unwrap_or_default();
        match values.first() {
            Some(least) if self.is_settled(cx) => self.decide(*least, cx),
            _ => {
                cx.reach("went on undecided");
                self.round += 1;
                self.send_proposal(values, cx);
            }
        }
    }

    /// Whether this round, now over, decides: all processes heard had, in the round before, heard
    /// exactly each other.
    fn is_settled(&self, cx: &Cx<Self>) -> bool {
        let senders = self.senders(self.round);
        if cx.runs(&DECIDE_EARLY) {
            return true;
        }
        if cx.runs(&OWN_VIEW) || cx.runs(&CLOSE_ROUND) {
            return senders == self.senders(self.round - 1);
        }
        let heard = self.heard.get(&self.round);
        heard.is_some_and(|heard| heard.views.values().all(|view| *view == senders))
    }

    /// The processes heard in this round; all processes in round 0.
    fn senders(&self, round: u32) -> ProcessSet {
        if round == 0 {
            return self.everybody.clone();
        }
        self.heard.get(&round).map(|h| h.views.keys().copied().collect()).unwrap_or_default()
    }

    fn decide(&mut self, value: Value, cx: &mut Cx<Self>) {
        self.decision = Some(value);
        cx.broadcast(Msg::Decided(value));
        cx.indicate(Indication::Decide(value));
    }
}

const DECIDE_EARLY: Mutant = Mutant::code(
    "decide-early",
    "decides at the end of round 1 even if a process was missed",
    AGREEMENT,
);
const IMPERFECT_FD: Mutant = Mutant::assumption(
    "imperfect-fd",
    "has a detector that suspects processes that are up",
    AGREEMENT,
    "detector.mistakes",
    None,
);
const INCOMPLETE_FD: Mutant = Mutant::assumption(
    "incomplete-fd",
    "has a detector that does not report a crash to some process",
    TERMINATION,
    "detector.blind",
    None,
);
const AS_UNIFORM: Mutant = Mutant::assumption(
    "as-uniform",
    "is expected to solve uniform consensus",
    UNIFORM_AGREEMENT,
    "check",
    None,
);
const OWN_VIEW: Mutant = Mutant::code(
    "own-view",
    "compares only its own views of this round and the last, as algorithm 5.1 does",
    AGREEMENT,
);
const CLOSE_ROUND: Mutant = Mutant::code(
    "close-round",
    "as `own-view`, but ignores a PROPOSAL of a round that is over",
    AGREEMENT,
);

impl Protocol for FloodingConsensus {
    const NAME: &'static str = "flooding-consensus";
    const SUMMARY: &'static str =
        "consensus: flood all values until a round that misses no process";
    const SOURCE: &'static str = "after Cachin, Guerraoui & Rodrigues 2011, algorithm 5.1";
    const MUTANTS: &'static [Mutant] =
        &[DECIDE_EARLY, IMPERFECT_FD, INCOMPLETE_FD, AS_UNIFORM, OWN_VIEW, CLOSE_ROUND];

    type Params = NoParams;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE).with(DetectorClass::Perfect)
    }

    fn new(_: &NoParams, setting: &Setting, _: ProcessId) -> Self {
        let everybody: ProcessSet = setting.processes().collect();
        Self {
            alive: everybody.clone(),
            everybody,
            round: 1,
            heard: BTreeMap::new(),
            decision: None,
        }
    }
}
