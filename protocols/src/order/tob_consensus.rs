//! Total order by consensus: the processes agree on one batch of messages after the other.
//!
//! Source: Chandra and Toueg (1996), section 7.1; Cachin, Guerraoui and Rodrigues (2011), algorithm
//! 6.1. Spec: [`Broadcast`] with agreement and total order, uniform if the consensus is. Model:
//! that of the consensus (`consensus`), and reliable links.
//!
//! Steps: messages are spread by [`EagerRb`]. A process that has received some which are not
//! ordered yet proposes them as the batch of the round, the first of which is round 1. All deliver
//! the batch that is decided, in the order of its messages' names, and begin the next round.
//!
//! Why it works: all decide the same batches in the same rounds, so all deliver the same in the
//! same order. What a correct process broadcasts, all correct processes receive; from some round on
//! it is in every batch that is proposed, until one of these is decided.
//!
//! Unlike in the sources, what is decided is not a batch but whose, since the consensus of the
//! catalogue decides numbers. So that the batch is known wherever its proposer is, every message of
//! the consensus carries all batches that its sender knows. To send them once is not enough: a
//! crash can take a batch with it whose proposer is decided (mutant `own-batch`; Ekwall and Schiper
//! 2006).
//!
//! Words: the *message names* of the sources are ours: the sender, and its number for the message.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::prelude::*;
use ftsim_core::{Embedding, Part};

use crate::broadcast::EagerRb;
use crate::broadcast::eager_rb;
use crate::consensus::any_consensus::{self, AnyConsensus, Solution};
use crate::spec::broadcast::{
    AGREEMENT, BEST_EFFORT, Broadcast, Indication, MessageNumber, Request, TOTAL_ORDER,
    UNIFORM_AGREEMENT, UNIFORM_TOTAL_ORDER,
};
use crate::spec::consensus;
use crate::spec::message_set::MessageName;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message, from its sender or relayed.
    Data { sender: ProcessId, number: MessageNumber },
    /// A message of the consensus of a round, and the batches of those that it may speak of.
    Consensus { round: u64, msg: any_consensus::Msg, batches: Batches },
}

/// The messages that each process proposes to order in a round.
type Batches = BTreeMap<ProcessId, Vec<MessageName>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Timer {
    round: u64,
    timer: <AnyConsensus as Process>::Timer,
}

/// A record of the consensus of a round.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Record {
    round: u64,
    record: <AnyConsensus as Process>::Record,
}

/// A process of total order by consensus.
#[derive(Clone, Debug, Hash)]
pub struct TobConsensus {
    solution: Solution,
    broadcast: EagerRb,
    /// The messages received and not ordered yet, in the order in which they came.
    unordered: Vec<MessageName>,
    delivered: BTreeSet<MessageName>,
    /// Counts from 1.
    round: u64,
    /// The consensus of the round.
    consensus: AnyConsensus,
    /// The batches of the round, as far as they are known.
    batches: Batches,
    /// The process whose batch has been decided.
    decided: Option<ProcessId>,
    /// Messages of the consensus of later rounds, in the order in which they came.
    early: BTreeMap<u64, Vec<(ProcessId, any_consensus::Msg, Batches)>>,
    suspected: ProcessSet,
}

/// The reliable broadcast.
const BROADCAST: Part<TobConsensus, EagerRb> = Part {
    msg: |eager_rb::Msg::Data { sender, number }| Msg::Data { sender, number },
    timer: |never| match never {},
    record: |never| match never {},
};

/// The consensus of a round.
struct Instance<'a> {
    round: u64,
    batches: &'a Batches,
}

impl Embedding<TobConsensus, AnyConsensus> for Instance<'_> {
    fn msg(&self, msg: any_consensus::Msg) -> Msg {
        Msg::Consensus { round: self.round, msg, batches: self.batches.clone() }
    }

    fn timer(&self, timer: <AnyConsensus as Process>::Timer) -> Timer {
        Timer { round: self.round, timer }
    }

    fn record(&self, record: <AnyConsensus as Process>::Record) -> Record {
        Record { round: self.round, record }
    }
}

impl Process for TobConsensus {
    type Spec = Broadcast;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Record;

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        self.spread(|rb, cx| rb.on_request(request, cx), cx);
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Data { sender, number } => {
                let msg = eager_rb::Msg::Data { sender, number };
                self.spread(|rb, cx| rb.on_message(from, msg, cx), cx);
            }
            Msg::Consensus { round, msg, batches } if round > self.round => {
                cx.reach("heard of a later round");
                self.early.entry(round).or_default().push((from, msg, batches));
            }
            Msg::Consensus { round, msg, batches } => {
                if round == self.round {
                    self.on_consensus(from, msg, batches, cx);
                }
            }
        }
        self.advance(cx);
    }

    fn on_timer(&mut self, Timer { round, timer }: Timer, cx: &mut Cx<Self>) {
        if round == self.round {
            self.agree(|consensus, cx| consensus.on_timer(timer, cx), cx);
            self.advance(cx);
        }
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        self.suspected.insert(p);
        self.agree(|consensus, cx| consensus.on_suspect(p, cx), cx);
        self.advance(cx);
    }
}

impl TobConsensus {
    /// Runs the reliable broadcast; what it delivers is to be ordered.
    fn spread(&mut self, run: impl FnOnce(&mut EagerRb, &mut Cx<EagerRb>), cx: &mut Cx<Self>) {
        for delivery in cx.layer(&BROADCAST, |cx| run(&mut self.broadcast, cx)) {
            let Indication::Deliver { sender, number } = delivery;
            if !self.delivered.contains(&(sender, number)) {
                self.unordered.push((sender, number));
            }
        }
    }

    fn on_consensus(
        &mut self,
        from: ProcessId,
        msg: any_consensus::Msg,
        batches: Batches,
        cx: &mut Cx<Self>,
    ) {
        self.batches.extend(batches);
        self.agree(|consensus, cx| consensus.on_message(from, msg, cx), cx);
    }

    /// Runs the consensus of this round.
    fn agree(
        &mut self,
        run: impl FnOnce(&mut AnyConsensus, &mut Cx<AnyConsensus>),
        cx: &mut Cx<Self>,
    ) {
        let own = || self.batches.get_key_value(&cx.me()).map(|(p, batch)| (*p, batch.clone()));
        let own = cx.runs(&OWN_BATCH).then(|| own().into_iter().collect());
        let batches = own.as_ref().unwrap_or(&self.batches);
        let instance = Instance { round: self.round, batches };
        for decision in cx.layer(&instance, |cx| run(&mut self.consensus, cx)) {
            let consensus::Indication::Decide(proposer) = decision;
            self.decided = u32::try_from(proposer).ok().map(ProcessId);
        }
    }

    /// Proposes, and ends as many rounds as it can.
    fn advance(&mut self, cx: &mut Cx<Self>) {
        loop {
            self.propose(cx);
            let batch = self.decided.and_then(|proposer| self.batches.remove(&proposer));
            let Some(batch) = batch else { return };
            self.deliver(batch, cx);
            self.begin_next_round(cx);
        }
    }

    fn propose(&mut self, cx: &mut Cx<Self>) {
        let me = cx.me();
        if self.unordered.is_empty() || self.batches.contains_key(&me) {
            return;
        }
        self.batches.insert(me, self.unordered.clone());
        let proposal = consensus::Request::Propose(u64::from(me.0));
        self.agree(|consensus, cx| consensus.on_request(proposal, cx), cx);
    }

    fn deliver(&mut self, mut batch: Vec<MessageName>, cx: &mut Cx<Self>) {
        batch.sort_unstable();
        if cx.runs(&BATCH_ARRIVAL_ORDER) {
            let arrival = |name: &MessageName| self.unordered.iter().position(|m| m == name);
            batch.sort_by_key(|name| arrival(name).unwrap_or(usize::MAX));
        }
        if batch.len() > 1 {
            cx.reach("a batch of several messages");
        }
        for (sender, number) in batch {
            if self.delivered.insert((sender, number)) {
                cx.indicate(Indication::Deliver { sender, number });
            }
        }
        self.unordered.retain(|message| !self.delivered.contains(message));
    }

    fn begin_next_round(&mut self, cx: &mut Cx<Self>) {
        self.round += 1;
        self.consensus = self.solution.process(cx.setting(), cx.me());
        self.batches.clear();
        self.decided = None;
        if !cx.runs(&FORGET_SUSPECTS) {
            for p in self.suspected.clone().iter() {
                self.agree(|consensus, cx| consensus.on_suspect(p, cx), cx);
            }
        }
        for (from, msg, batches) in self.early.remove(&self.round).unwrap_or_default() {
            self.on_consensus(from, msg, batches, cx);
        }
    }
}

/// `[params]` of `tob-consensus`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TobConsensusParams {
    /// How the processes agree on the batch of a round.
    pub consensus: Solution,
}

const BATCH_ARRIVAL_ORDER: Mutant = Mutant::code(
    "batch-arrival-order",
    "delivers the messages of a batch in the order in which they came",
    TOTAL_ORDER,
);
const OWN_BATCH: Mutant = Mutant::code(
    "own-batch",
    "sends with a message of the consensus only its own batch",
    BEST_EFFORT,
);
const FORGET_SUSPECTS: Mutant = Mutant::code(
    "forget-suspects",
    "does not tell the consensus of a new round which processes have crashed",
    BEST_EFFORT,
);
const IMPERFECT_FD: Mutant = Mutant::assumption(
    "imperfect-fd",
    "has a detector that suspects processes that are up",
    TOTAL_ORDER,
    "detector.mistakes",
    None,
);
const AS_UNIFORM: Mutant = Mutant::assumption(
    "as-uniform",
    "is expected to be uniform although its consensus is not",
    UNIFORM_AGREEMENT,
    "check",
    None,
);

impl Protocol for TobConsensus {
    const NAME: &'static str = "tob-consensus";
    const SUMMARY: &'static str = "total order by consensus on one batch of messages after another";
    const SOURCE: &'static str =
        "Chandra & Toueg 1996; Cachin, Guerraoui & Rodrigues 2011, algorithm 6.1";
    const MUTANTS: &'static [Mutant] =
        &[BATCH_ARRIVAL_ORDER, OWN_BATCH, FORGET_SUSPECTS, IMPERFECT_FD, AS_UNIFORM];

    type Params = TobConsensusParams;

    fn model(params: &TobConsensusParams, setting: &Setting) -> Model {
        params.consensus.model(setting)
    }

    fn new(params: &TobConsensusParams, setting: &Setting, me: ProcessId) -> Self {
        let solution = params.consensus;
        Self {
            solution,
            broadcast: EagerRb::new(&NoParams {}, setting, me),
            unordered: Vec::new(),
            delivered: BTreeSet::new(),
            round: 1,
            consensus: solution.process(setting, me),
            batches: BTreeMap::new(),
            decided: None,
            early: BTreeMap::new(),
            suspected: ProcessSet::new(),
        }
    }

    fn claims(params: &TobConsensusParams, setting: &Setting) -> Vec<PropertyId> {
        let mut claims = vec![AGREEMENT, TOTAL_ORDER];
        if params.consensus.is_uniform(setting) {
            claims.extend([UNIFORM_AGREEMENT, UNIFORM_TOTAL_ORDER]);
        }
        claims
    }
}
