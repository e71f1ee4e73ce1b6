//! Flooding uniform consensus: processes send each other all values that they know in n rounds, and
//! decide in the last one.
//!
//! Source: Cachin, Guerraoui and Rodrigues (2011), algorithm 5.3, with one change, described below;
//! their *correct* (not detected yet) is our *alive*. Spec: [`Consensus`] with uniform agreement.
//! Model: asynchronous, perfect links, a perfect failure detector, any number of crashes; every
//! correct process proposes.
//!
//! Steps: in each round a process sends a PROPOSAL to all: the values that it knows. A round ends
//! when all processes alive have been heard in it. After round n the process decides the least
//! value. A PROPOSAL that is early waits for its round, one that is late does not count, and nor
//! does one of a process that is suspected.
//!
//! Why it works: let p decide a value that q, which decides too, does not know. Who first knows a
//! value at the end of round i sends it in round i + 1; whoever does not hear it then has suspected
//! the sender, and never hears it again. So the value came to p on a path of different processes,
//! one for each round, each of which q has suspected. Now p ends round n only after q has begun it,
//! so q has not suspected p before round n, and p knows the value at the end of round n - 1 at the
//! earliest: the path has n processes, and q is none of them.
//!
//! The change: algorithm 5.3 counts a PROPOSAL of this round whoever has sent it. But a detector
//! can be faster than a link: two processes that suspect a third have missed its PROPOSAL of one
//! round, and one of them hears that of the next. Then a path takes two rounds for each process,
//! and uniform agreement is lost for n = 3 and two crashes (mutant `heed-suspected`), for the
//! reason for which algorithm 5.1 loses agreement (see `flooding-consensus`). Charron-Bost,
//! Guerraoui and Schiper (2000) mend FloodSet in the same way.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::prelude::*;

use crate::spec::consensus::{Consensus, Indication, Request, UNIFORM_AGREEMENT, Value};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// The values that the sender knows.
    Proposal { round: u32, values: BTreeSet<Value> },
}

/// A process of flooding uniform consensus.
#[derive(Clone, Debug, Hash)]
pub struct FloodingUniform {
    alive: ProcessSet,
    /// Counts from 1; 0 before it proposes.
    round: u32,
    values: BTreeSet<Value>,
    /// The processes heard in this round.
    heard: ProcessSet,
    /// The PROPOSALs of later rounds.
    early: BTreeMap<(u32, ProcessId), BTreeSet<Value>>,
    decided: bool,
}

impl Process for FloodingUniform {
    type Spec = Consensus;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Propose(value): Request, cx: &mut Cx<Self>) {
        if self.round == 0 {
            self.values.insert(value);
            self.begin_round(cx);
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        let Msg::Proposal { round, values } = msg;
        if round < self.round || !(self.alive.contains(from) || cx.runs(&HEED_SUSPECTED)) {
            cx.reach("ignored a proposal");
        } else if round == self.round {
            self.hear(from, values);
            self.try_to_end_round(cx);
        } else {
            self.early.insert((round, from), values);
        }
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        self.alive.remove(p);
        if !cx.runs(&HEED_SUSPECTED) {
            self.early.retain(|(_, from), _| *from != p);
        }
        self.try_to_end_round(cx);
    }
}

impl FloodingUniform {
    fn begin_round(&mut self, cx: &mut Cx<Self>) {
        self.round += 1;
        self.heard = ProcessSet::new();
        cx.broadcast(Msg::Proposal { round: self.round, values: self.values.clone() });
        let later = self.early.split_off(&(self.round + 1, ProcessId(0)));
        for ((_, from), values) in std::mem::replace(&mut self.early, later) {
            self.hear(from, values);
        }
        self.try_to_end_round(cx);
    }

    fn hear(&mut self, from: ProcessId, values: BTreeSet<Value>) {
        self.values.extend(values);
        self.heard.insert(from);
    }

    /// Ends the round if all processes alive have been heard in it.
    fn try_to_end_round(&mut self, cx: &mut Cx<Self>) {
        if self.decided || self.round == 0 || !self.heard.is_superset(&self.alive) {
            return;
        }
        let last = if cx.runs(&ONE_ROUND_LESS) { cx.n().max(2) - 1 } else { cx.n() };
        if self.round < last {
            return self.begin_round(cx);
        }
        self.decided = true;
        if let Some(least) = self.values.first() {
            cx.indicate(Indication::Decide(*least));
        }
    }
}

const ONE_ROUND_LESS: Mutant =
    Mutant::code("one-round-less", "decides at the end of round n - 1", UNIFORM_AGREEMENT);
const HEED_SUSPECTED: Mutant = Mutant::code(
    "heed-suspected",
    "counts a PROPOSAL of a process that it suspects, as algorithm 5.3 does",
    UNIFORM_AGREEMENT,
);
const IMPERFECT_FD: Mutant = Mutant::assumption(
    "imperfect-fd",
    "has a detector that suspects processes that are up",
    UNIFORM_AGREEMENT,
    "detector.mistakes",
    None,
);

impl Protocol for FloodingUniform {
    const NAME: &'static str = "flooding-uniform";
    const SUMMARY: &'static str = "uniform consensus: flood all values for n rounds";
    const SOURCE: &'static str = "after Cachin, Guerraoui & Rodrigues 2011, algorithm 5.3";
    const MUTANTS: &'static [Mutant] = &[ONE_ROUND_LESS, HEED_SUSPECTED, IMPERFECT_FD];

    type Params = NoParams;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE).with(DetectorClass::Perfect)
    }

    fn new(_: &NoParams, setting: &Setting, _: ProcessId) -> Self {
        Self {
            alive: setting.processes().collect(),
            round: 0,
            values: BTreeSet::new(),
            heard: ProcessSet::new(),
            early: BTreeMap::new(),
            decided: false,
        }
    }

    fn claims(_: &NoParams, _: &Setting) -> Vec<PropertyId> {
        vec![UNIFORM_AGREEMENT]
    }
}
