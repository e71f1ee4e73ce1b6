//! Consensus with an unreliable failure detector: coordinators take turns, and one whom a majority
//! does not suspect decides.
//!
//! Source: Chandra and Toueg (1996), *Unreliable failure detectors for reliable distributed
//! systems*, section 6.2. Spec: [`Consensus`] with uniform agreement. Model: asynchronous, reliable
//! links, f < n/2 crashes, a detector of class ◇S; every correct process proposes. (The catalogue's
//! models name ◇P, which is stronger; of its accuracy only this is needed: from some time on one
//! correct process is suspected by nobody.)
//!
//! Steps: in each round one process, the next in turn, is coordinator.
//!
//! - Phase 1: every process sends ESTIMATE to the coordinator, with the round in which it has
//!   adopted its estimate.
//! - Phase 2: the coordinator waits for the estimates of a majority, selects one that was adopted
//!   latest, and sends it in PROPOSE to all.
//! - Phase 3: a process waits until it receives this, adopts it and answers with ACK, or until it
//!   suspects the coordinator, and answers with NACK. Then it begins the next round.
//! - Phase 4: the coordinator waits for the answers of a majority. If all of them are ACK, it
//!   broadcasts DECIDE reliably: whoever receives it for the first time relays it and decides.
//!
//! Why it works: once a majority has adopted a value in a round, that value is *locked*. Any two
//! majorities have a process in common, so the coordinator of every later round hears of it, or of
//! something that was adopted later, which by induction is the same. Nobody waits for ever, because
//! a majority is correct and a coordinator that has crashed is suspected; and the coordinator whom
//! nobody suspects gets an ACK of every process, once all have stopped suspecting it.

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use crate::spec::consensus::{Consensus, Indication, Request, UNIFORM_AGREEMENT, Value};

/// The number of a round, from 1; 0 is before all of them.
type Round = u32;

/// A value, after the round in which it was adopted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Estimate {
    adopted: Round,
    value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// Phase 1: to the coordinator.
    Estimate(Round, Estimate),
    /// Phase 2: from the coordinator.
    Propose(Round, Value),
    /// Phase 3: the proposal is adopted.
    Ack(Round),
    /// Phase 3: the coordinator is suspected.
    Nack(Round),
    /// This is decided.
    Decide(Value),
}

/// A process of the algorithm.
#[derive(Clone, Debug, Hash)]
pub struct ChandraToueg {
    estimate: Option<Estimate>,
    /// 0 before it proposes.
    round: Round,
    suspected: ProcessSet,
    /// What has arrived of this round and of later ones.
    rounds: BTreeMap<Round, Arrived>,
    decided: bool,
}

/// The messages of one round.
#[derive(Clone, Debug, Default, Hash)]
struct Arrived {
    /// At the coordinator.
    estimates: BTreeMap<ProcessId, Estimate>,
    proposal: Option<Value>,
    /// At the coordinator: who has adopted its proposal, and who has not.
    acks: ProcessSet,
    nacks: ProcessSet,
}

impl Process for ChandraToueg {
    type Spec = Consensus;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Propose(value): Request, cx: &mut Cx<Self>) {
        if self.estimate.is_none() {
            self.estimate = Some(Estimate { adopted: 0, value });
            self.begin_round(cx);
            self.go_on(cx);
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        let round = match msg {
            Msg::Decide(value) => return self.decide(value, cx),
            Msg::Estimate(round, _) | Msg::Propose(round, _) => round,
            Msg::Ack(round) | Msg::Nack(round) => round,
        };
        if round < self.round {
            return;
        }
        let arrived = self.rounds.entry(round).or_default();
        match msg {
            Msg::Estimate(_, estimate) => drop(arrived.estimates.insert(from, estimate)),
            Msg::Propose(_, value) => arrived.proposal = Some(value),
            Msg::Ack(_) => drop(arrived.acks.insert(from)),
            Msg::Nack(_) => drop(arrived.nacks.insert(from)),
            Msg::Decide(_) => {}
        }
        self.go_on(cx);
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        self.suspected.insert(p);
        self.go_on(cx);
    }

    fn on_trust(&mut self, p: ProcessId, _: &mut Cx<Self>) {
        self.suspected.remove(p);
    }
}

impl ChandraToueg {
    /// Phase 1.
    fn begin_round(&mut self, cx: &mut Cx<Self>) {
        let Some(estimate) = self.estimate.filter(|_| !self.decided) else { return };
        self.round += 1;
        self.rounds = self.rounds.split_off(&self.round);
        let coordinator = self.coordinator(cx);
        if coordinator == cx.me() {
            self.arrived().estimates.insert(coordinator, estimate);
        } else {
            cx.send(coordinator, Msg::Estimate(self.round, estimate));
        }
    }

    /// Does what can be done, in this round and the next ones.
    fn go_on(&mut self, cx: &mut Cx<Self>) {
        while self.round > 0 && !self.decided {
            let is_over = match self.coordinator(cx) == cx.me() {
                true => self.coordinate(cx),
                false => self.follow(cx),
            };
            if !is_over {
                return;
            }
            self.begin_round(cx);
        }
    }

    /// Phases 2 and 4, and 3 for itself; whether the round is over.
    fn coordinate(&mut self, cx: &mut Cx<Self>) -> bool {
        let (round, quorum, me) = (self.round, quorum(cx), cx.me());
        let arrived = self.arrived();
        let value = match arrived.proposal {
            Some(value) => value,
            None if arrived.estimates.len() < quorum => return false,
            None => {
                let mut estimates = arrived.estimates.values();
                let selected = match cx.runs(&ANY_ESTIMATE) {
                    true => estimates.next(),
                    false => estimates.max(),
                };
                let Some(Estimate { value, .. }) = selected.copied() else { return false };
                arrived.proposal = Some(value);
                arrived.acks.insert(me);
                cx.send_to_others(Msg::Propose(round, value));
                value
            }
        };
        let (acks, nacks) = (arrived.acks.len(), arrived.nacks.len());
        self.estimate = Some(Estimate { adopted: round, value });
        if acks + nacks < quorum {
            return false;
        }
        if nacks == 0 {
            self.decide(value, cx);
        } else {
            cx.reach("a coordinator was suspected");
        }
        true
    }

    /// Phase 3; whether the round is over.
    fn follow(&mut self, cx: &mut Cx<Self>) -> bool {
        let (round, coordinator) = (self.round, self.coordinator(cx));
        if let Some(value) = self.arrived().proposal {
            self.estimate = Some(Estimate { adopted: round, value });
            cx.send(coordinator, Msg::Ack(round));
        } else if self.suspected.contains(coordinator) {
            cx.send(coordinator, Msg::Nack(round));
        } else {
            return false;
        }
        true
    }

    fn decide(&mut self, value: Value, cx: &mut Cx<Self>) {
        if !std::mem::replace(&mut self.decided, true) {
            cx.send_to_others(Msg::Decide(value));
            cx.indicate(Indication::Decide(value));
        }
    }

    /// The coordinator of its round.
    fn coordinator(&self, cx: &Cx<Self>) -> ProcessId {
        ProcessId(self.round.saturating_sub(1) % cx.n())
    }

    /// What has arrived of its round.
    fn arrived(&mut self) -> &mut Arrived {
        self.rounds.entry(self.round).or_default()
    }
}

/// The size of a majority.
fn quorum(cx: &Cx<ChandraToueg>) -> usize {
    let half = cx.n().div_ceil(2) as usize;
    if cx.runs(&HALF) { half } else { cx.n() as usize / 2 + 1 }
}

const ANY_ESTIMATE: Mutant = Mutant::code(
    "any-estimate",
    "a coordinator selects any estimate, whenever it was adopted",
    UNIFORM_AGREEMENT,
);
const HALF: Mutant =
    Mutant::code("half", "half of the processes count as a majority", UNIFORM_AGREEMENT);

impl Protocol for ChandraToueg {
    const NAME: &'static str = "chandra-toueg";
    const SUMMARY: &'static str =
        "consensus: coordinators in turn, one of whom a majority does not suspect";
    const SOURCE: &'static str = "Chandra & Toueg 1996, section 6.2";
    const MUTANTS: &'static [Mutant] = &[ANY_ESTIMATE, HALF];

    type Params = NoParams;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_stop(Bound::MINORITY).with(DetectorClass::EventuallyPerfect)
    }

    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self {
            estimate: None,
            round: 0,
            suspected: ProcessSet::new(),
            rounds: BTreeMap::new(),
            decided: false,
        }
    }

    fn claims(_: &NoParams, _: &Setting) -> Vec<PropertyId> {
        vec![UNIFORM_AGREEMENT]
    }
}
