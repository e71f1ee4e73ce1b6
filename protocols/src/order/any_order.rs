//! Any totally ordered broadcast of the catalogue, chosen by name, for protocols that are built on
//! one.

use std::collections::BTreeSet;

use ftsim_core::Part;
use ftsim_core::prelude::*;

use super::lamport_tom_ft::{self, LamportTomFt};
use super::tob_consensus::{self, TobConsensus, TobConsensusParams};
use super::tob_sequencer::{self, TobSequencer};
use crate::consensus::any_consensus::Solution;
use crate::spec::broadcast::{Broadcast, Request, UNIFORM_TOTAL_ORDER};
use crate::spec::message_set::MessageName;

/// A solution of totally ordered broadcast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// `tob-sequencer`.
    #[default]
    Sequencer,
    /// `tob-consensus`.
    Consensus,
    /// `lamport-tom-ft`, which needs FIFO links.
    LamportTom,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    Sequencer(tob_sequencer::Msg),
    Consensus(tob_consensus::Msg),
    LamportTom(lamport_tom_ft::Msg),
}

impl Msg {
    /// The messages that this one of the broadcast speaks of, if it comes from `sender`.
    pub fn names(&self, sender: ProcessId) -> BTreeSet<MessageName> {
        match self {
            Self::Sequencer(msg) => names_of_sequencer(msg, sender),
            Self::Consensus(msg) => names_of_consensus(msg),
            Self::LamportTom(msg) => names_of_lamport_tom(msg),
        }
    }
}

fn names_of_sequencer(msg: &tob_sequencer::Msg, sender: ProcessId) -> BTreeSet<MessageName> {
    use tob_sequencer::Msg;
    match msg {
        Msg::Data(number) => BTreeSet::from([(sender, *number)]),
        Msg::Ordered { message, .. } => BTreeSet::from([*message]),
        // The message itself comes from its sender.
        Msg::Order { .. } | Msg::Ask(_) => BTreeSet::new(),
        Msg::State { delivered, held } => delivered.iter().chain(held.values()).copied().collect(),
        Msg::Sequence(sequence) => sequence.iter().copied().collect(),
    }
}

fn names_of_consensus(msg: &tob_consensus::Msg) -> BTreeSet<MessageName> {
    use tob_consensus::Msg;
    match msg {
        Msg::Data { sender, number } => BTreeSet::from([(*sender, *number)]),
        Msg::Consensus { batches, .. } => batches.values().flatten().copied().collect(),
    }
}

fn names_of_lamport_tom(msg: &lamport_tom_ft::Msg) -> BTreeSet<MessageName> {
    use lamport_tom_ft::Msg;
    match msg {
        Msg::Data { stamp: (_, sender), number } => BTreeSet::from([(*sender, *number)]),
        Msg::Flush { undelivered, .. } => {
            undelivered.iter().map(|((_, sender), number)| (*sender, *number)).collect()
        }
        // There are no newcomers.
        Msg::Ack { .. } | Msg::Fetch(_) | Msg::Join | Msg::Admit { .. } | Msg::State(_) => {
            BTreeSet::new()
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    Consensus(tob_consensus::Timer),
    LamportTom(lamport_tom_ft::Timer),
}

/// A process of one of them.
#[derive(Clone, Debug, Hash)]
pub enum AnyOrder {
    Sequencer(TobSequencer),
    Consensus(TobConsensus),
    LamportTom(LamportTomFt),
}

const SEQUENCER: Part<AnyOrder, TobSequencer> =
    Part { msg: Msg::Sequencer, timer: |never| match never {}, record: |never| match never {} };
const CONSENSUS: Part<AnyOrder, TobConsensus> =
    Part { msg: Msg::Consensus, timer: Timer::Consensus, record: |record| record };
const LAMPORT_TOM: Part<AnyOrder, LamportTomFt> =
    Part { msg: Msg::LamportTom, timer: Timer::LamportTom, record: |never| match never {} };

impl Process for AnyOrder {
    type Spec = Broadcast;
    type Msg = Msg;
    type Timer = Timer;
    type Record = tob_consensus::Record;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        match self {
            Self::Sequencer(order) => within(&SEQUENCER, cx, |cx| order.on_start(cx)),
            Self::Consensus(order) => within(&CONSENSUS, cx, |cx| order.on_start(cx)),
            Self::LamportTom(order) => within(&LAMPORT_TOM, cx, |cx| order.on_start(cx)),
        }
    }

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        match self {
            Self::Sequencer(order) => within(&SEQUENCER, cx, |cx| order.on_request(request, cx)),
            Self::Consensus(order) => within(&CONSENSUS, cx, |cx| order.on_request(request, cx)),
            Self::LamportTom(order) => within(&LAMPORT_TOM, cx, |cx| order.on_request(request, cx)),
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match (self, msg) {
            (Self::Sequencer(order), Msg::Sequencer(msg)) => {
                within(&SEQUENCER, cx, |cx| order.on_message(from, msg, cx));
            }
            (Self::Consensus(order), Msg::Consensus(msg)) => {
                within(&CONSENSUS, cx, |cx| order.on_message(from, msg, cx));
            }
            (Self::LamportTom(order), Msg::LamportTom(msg)) => {
                within(&LAMPORT_TOM, cx, |cx| order.on_message(from, msg, cx));
            }
            // All processes run the same.
            _ => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<Self>) {
        match (self, timer) {
            (Self::Consensus(order), Timer::Consensus(timer)) => {
                within(&CONSENSUS, cx, |cx| order.on_timer(timer, cx));
            }
            (Self::LamportTom(order), Timer::LamportTom(timer)) => {
                within(&LAMPORT_TOM, cx, |cx| order.on_timer(timer, cx));
            }
            _ => {}
        }
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        match self {
            Self::Sequencer(order) => within(&SEQUENCER, cx, |cx| order.on_suspect(p, cx)),
            Self::Consensus(order) => within(&CONSENSUS, cx, |cx| order.on_suspect(p, cx)),
            Self::LamportTom(order) => within(&LAMPORT_TOM, cx, |cx| order.on_suspect(p, cx)),
        }
    }
}

/// Runs a handler of the solution, whose deliveries are deliveries.
fn within<B: Process<Spec = Broadcast>>(
    part: &Part<AnyOrder, B>,
    cx: &mut Cx<AnyOrder>,
    handler: impl FnOnce(&mut Cx<B>),
) {
    for delivery in cx.layer(part, handler) {
        cx.indicate(delivery);
    }
}

impl Order {
    /// A process of this solution.
    pub fn process(self, consensus: Solution, setting: &Setting, me: ProcessId) -> AnyOrder {
        let over = TobConsensusParams { consensus };
        match self {
            Self::Sequencer => AnyOrder::Sequencer(new(&Default::default(), setting, me)),
            Self::Consensus => AnyOrder::Consensus(new(&over, setting, me)),
            Self::LamportTom => AnyOrder::LamportTom(new(&Default::default(), setting, me)),
        }
    }

    /// The model that it needs.
    pub fn model(self, consensus: Solution, setting: &Setting) -> Model {
        match self {
            Self::Sequencer => TobSequencer::model(&Default::default(), setting),
            Self::Consensus => consensus.model(setting),
            Self::LamportTom => LamportTomFt::model(&Default::default(), setting),
        }
    }

    /// Whether processes that crash deliver what the others do.
    pub fn is_uniform(self, consensus: Solution, setting: &Setting) -> bool {
        let claims = match self {
            Self::Sequencer => TobSequencer::claims(&Default::default(), setting),
            Self::Consensus => TobConsensus::claims(&TobConsensusParams { consensus }, setting),
            Self::LamportTom => LamportTomFt::claims(&Default::default(), setting),
        };
        claims.contains(&UNIFORM_TOTAL_ORDER)
    }
}

fn new<B: Protocol>(params: &B::Params, setting: &Setting, me: ProcessId) -> B {
    B::new(params, setting, me)
}
