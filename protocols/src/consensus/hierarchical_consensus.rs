//! Hierarchical consensus: in round i the process of rank i decides, and all below it adopt its
//! value.
//!
//! Source: Cachin, Guerraoui and Rodrigues (2011), algorithm 5.2. Spec: [`Consensus`], core. Model:
//! asynchronous, perfect links, a perfect failure detector, any number of crashes.
//!
//! Steps: each process goes through the ranks from the highest. For each it waits until it has
//! received the decision of that rank, or suspects its process. When its own turn comes, it decides
//! its value and sends it to all processes below. The value is that of the lowest rank above it
//! from which it has received one, or else its own proposal.
//!
//! Why it works: the correct process of the highest rank is never suspected. Every process below it
//! waits for its decision, adopts it, and decides nothing else, since only ranks between the two
//! can replace it, and those have waited for it too. Agreement is not uniform: a process can decide
//! and crash before any other hears of it.
//!
//! Words: rank 1 of the book is our p0. In the book, the decision is sent to all, and processes
//! above ignore it; here it is sent only to those below.

use ftsim_core::prelude::*;

use crate::spec::consensus::{AGREEMENT, Consensus, Indication, Request, UNIFORM_AGREEMENT, Value};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// The sender has decided this.
    Decided(Value),
}

/// A process of hierarchical consensus.
#[derive(Clone, Debug, Hash)]
pub struct HierarchicalConsensus {
    /// Its own proposal, or the value that it has adopted.
    value: Option<Value>,
    /// The process whose value it has adopted.
    proposer: Option<ProcessId>,
    /// The processes that it need not wait for any more: heard from, or suspected.
    passed: ProcessSet,
    decided: bool,
}

impl Process for HierarchicalConsensus {
    type Spec = Consensus;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Propose(value): Request, cx: &mut Cx<Self>) {
        self.value.get_or_insert(value);
        self.decide_in_turn(cx);
    }

    fn on_message(&mut self, from: ProcessId, Msg::Decided(value): Msg, cx: &mut Cx<Self>) {
        if self.proposer < Some(from) || cx.runs(&ADOPT_ANY) {
            self.value = Some(value);
            self.proposer = Some(from);
        }
        self.passed.insert(from);
        self.decide_in_turn(cx);
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        self.passed.insert(p);
        self.decide_in_turn(cx);
    }
}

impl HierarchicalConsensus {
    /// Decides once it has heard from or suspects every process of a higher rank.
    fn decide_in_turn(&mut self, cx: &mut Cx<Self>) {
        let Some(value) = self.value.filter(|_| !self.decided) else { return };
        let me = cx.me();
        if cx.processes().take_while(|p| *p < me).all(|p| self.passed.contains(p)) {
            self.decided = true;
            if self.proposer.is_some() {
                cx.reach("took a value over");
            }
            cx.indicate(Indication::Decide(value));
            let below = cx.processes().skip_while(move |p| *p <= me);
            cx.send_to(below, Msg::Decided(value));
        }
    }
}

const AS_UNIFORM: Mutant = Mutant::assumption(
    "as-uniform",
    "is expected to solve uniform consensus",
    UNIFORM_AGREEMENT,
    "check",
    None,
);
const IMPERFECT_FD: Mutant = Mutant::assumption(
    "imperfect-fd",
    "has a detector that suspects processes that are up",
    AGREEMENT,
    "detector.mistakes",
    None,
);
const ADOPT_ANY: Mutant =
    Mutant::code("adopt-any", "adopts the last value received, whatever its rank", AGREEMENT);

impl Protocol for HierarchicalConsensus {
    const NAME: &'static str = "hierarchical-consensus";
    const SUMMARY: &'static str =
        "consensus: the ranks decide in turn, and each adopts the value from above";
    const SOURCE: &'static str = "Cachin, Guerraoui & Rodrigues 2011, algorithm 5.2";
    const MUTANTS: &'static [Mutant] = &[AS_UNIFORM, IMPERFECT_FD, ADOPT_ANY];

    type Params = NoParams;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE).with(DetectorClass::Perfect)
    }

    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self { value: None, proposer: None, passed: ProcessSet::new(), decided: false }
    }
}
