//! Hierarchical uniform consensus: the ranks lead in turn, and a leader decides what all others
//! have acknowledged.
//!
//! Source: Cachin, Guerraoui and Rodrigues (2011), algorithm 5.4. Spec: [`Consensus`] with uniform
//! agreement. Model: asynchronous, perfect links, a perfect failure detector, any number of
//! crashes; every correct process proposes.
//!
//! Steps: round i belongs to the process of rank i, which sends PROPOSAL with its value to all. Who
//! receives it in this round or an earlier one answers with ACK. Once all processes have
//! acknowledged it or are suspected, the leader broadcasts DECIDED reliably: whoever receives that
//! for the first time relays it and decides. If the leader of the round is suspected, a process
//! takes the value that it had proposed, if it has received one, and goes on to the next round.
//!
//! Why it works: what a leader decides has been received by all processes that have not crashed, in
//! its round or before; so the leaders of later rounds propose nothing else. The leader that is
//! correct is suspected by nobody, so that its PROPOSAL is acknowledged by all that are correct.
//!
//! Words: rank 1 of the book is our p0. The book's reliable broadcast is its algorithm 3.3, eager.

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use crate::spec::consensus::{Consensus, Indication, Request, UNIFORM_AGREEMENT, Value};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// Leader to all: this is to be decided.
    Proposal(Value),
    /// To the leader: its PROPOSAL has been received.
    Ack,
    /// This is decided.
    Decided(Value),
}

/// A process of hierarchical uniform consensus.
#[derive(Clone, Debug, Hash)]
pub struct HierarchicalUniform {
    /// Its own proposal, or the one of an earlier leader that it has taken.
    value: Option<Value>,
    /// The leader of the round in which it is.
    leader: ProcessId,
    /// What leaders have proposed.
    proposed: BTreeMap<ProcessId, Value>,
    /// Whether it has sent its own PROPOSAL.
    has_proposed: bool,
    acked: ProcessSet,
    suspected: ProcessSet,
    decided: bool,
}

impl Process for HierarchicalUniform {
    type Spec = Consensus;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Propose(value): Request, cx: &mut Cx<Self>) {
        self.value.get_or_insert(value);
        self.lead_in_turn(cx);
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Proposal(value) => {
                self.proposed.insert(from, value);
                if from >= self.leader {
                    cx.send(from, Msg::Ack);
                }
                self.go_on(cx);
            }
            Msg::Ack => {
                self.acked.insert(from);
                self.decide_if_acked(cx);
            }
            Msg::Decided(value) => self.decide(value, cx),
        }
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        self.suspected.insert(p);
        self.go_on(cx);
        self.decide_if_acked(cx);
    }
}

impl HierarchicalUniform {
    /// Passes over leaders that are suspected.
    fn go_on(&mut self, cx: &mut Cx<Self>) {
        while self.suspected.contains(self.leader) {
            if let Some(value) = self.proposed.get(&self.leader)
                && !self.decided
            {
                cx.reach("took a proposal over");
                self.value = Some(*value);
            }
            self.leader = ProcessId(self.leader.0 + 1);
        }
        self.lead_in_turn(cx);
    }

    fn lead_in_turn(&mut self, cx: &mut Cx<Self>) {
        let leads = self.leader == cx.me() && !self.decided;
        let Some(value) = self.value.filter(|_| leads) else { return };
        if !std::mem::replace(&mut self.has_proposed, true) {
            self.acked.insert(cx.me());
            cx.send_to_others(Msg::Proposal(value));
            self.decide_if_acked(cx);
        }
    }

    /// At the leader: decides once all have acknowledged its PROPOSAL or are suspected.
    fn decide_if_acked(&mut self, cx: &mut Cx<Self>) {
        let Some(value) = self.value.filter(|_| self.has_proposed) else { return };
        let has_it = |p| self.acked.contains(p) || self.suspected.contains(p);
        if cx.processes().all(has_it) || cx.runs(&NO_ACKS) {
            self.decide(value, cx);
        }
    }

    fn decide(&mut self, value: Value, cx: &mut Cx<Self>) {
        if !std::mem::replace(&mut self.decided, true) {
            cx.send_to_others(Msg::Decided(value));
            cx.indicate(Indication::Decide(value));
        }
    }
}

const NO_ACKS: Mutant = Mutant::code(
    "no-acks",
    "a leader decides without waiting for acknowledgements",
    UNIFORM_AGREEMENT,
);
const IMPERFECT_FD: Mutant = Mutant::assumption(
    "imperfect-fd",
    "has a detector that suspects processes that are up",
    UNIFORM_AGREEMENT,
    "detector.mistakes",
    None,
);

impl Protocol for HierarchicalUniform {
    const NAME: &'static str = "hierarchical-uniform";
    const SUMMARY: &'static str =
        "uniform consensus: the ranks lead in turn, and decide what all have acknowledged";
    const SOURCE: &'static str = "Cachin, Guerraoui & Rodrigues 2011, algorithm 5.4";
    const MUTANTS: &'static [Mutant] = &[NO_ACKS, IMPERFECT_FD];

    type Params = NoParams;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE).with(DetectorClass::Perfect)
    }

    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self {
            value: None,
            leader: ProcessId(0),
            proposed: BTreeMap::new(),
            has_proposed: false,
            acked: ProcessSet::new(),
            suspected: ProcessSet::new(),
            decided: false,
        }
    }

    fn claims(_: &NoParams, _: &Setting) -> Vec<PropertyId> {
        vec![UNIFORM_AGREEMENT]
    }
}
