//! Any consensus of the catalogue, chosen by name, for protocols that are built on consensus.
//!
//! Floodset is left out: its rounds begin at the same time everywhere, and here each process
//! proposes when it has something to propose.
//!
//! Paxos decides once for each process here, which does not recover. So a process that is told the
//! decision tells all others, as decisions are broadcast in Chandra and Toueg (1996): after that,
//! nobody needs it any more. Its proposers begin when they have something to propose or hear of the
//! proposal of another, rather than by themselves.

use ftsim_core::Part;
use ftsim_core::prelude::*;

use super::all_to_all_consensus::{self, AllToAllConsensus};
use super::ben_or::{self, BenOr};
use super::flooding_consensus::{self, FloodingConsensus};
use super::hierarchical_consensus::{self, HierarchicalConsensus};
use super::paxos::{self, Paxos};
use crate::spec::consensus::{Consensus, Decision, Indication, Request, UNIFORM_AGREEMENT, Value};

/// A solution of consensus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Solution {
    /// `all-to-all-consensus`, which tolerates no failures.
    AllToAll,
    /// `ben-or`, which needs neither time nor detectors, and tosses coins.
    BenOr,
    /// `flooding-consensus`.
    #[default]
    Flooding,
    /// `hierarchical-consensus`.
    Hierarchical,
    /// `paxos`, which needs no detector, and time only to make progress.
    Paxos,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    AllToAll(all_to_all_consensus::Msg),
    BenOr(ben_or::Msg),
    Flooding(flooding_consensus::Msg),
    Hierarchical(hierarchical_consensus::Msg),
    Paxos(paxos::Msg),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    AllToAll(all_to_all_consensus::Timer),
    Paxos(paxos::Timer),
}

/// A process of one of them.
#[derive(Clone, Debug, Hash)]
pub enum AnyConsensus {
    AllToAll(AllToAllConsensus),
    BenOr(BenOr),
    Flooding(FloodingConsensus),
    Hierarchical(HierarchicalConsensus),
    Paxos(Paxos),
}

/// The embedding of a solution that writes no records.
const fn part<C: Process<Record = Never>>(
    msg: fn(C::Msg) -> Msg,
    timer: fn(C::Timer) -> Timer,
) -> Part<AnyConsensus, C> {
    Part { msg, timer, record: |never| match never {} }
}

const ALL_TO_ALL: Part<AnyConsensus, AllToAllConsensus> = part(Msg::AllToAll, Timer::AllToAll);
const BEN_OR: Part<AnyConsensus, BenOr> = part(Msg::BenOr, |never| match never {});
const FLOODING: Part<AnyConsensus, FloodingConsensus> = part(Msg::Flooding, |never| match never {});
const HIERARCHICAL: Part<AnyConsensus, HierarchicalConsensus> =
    part(Msg::Hierarchical, |never| match never {});
const PAXOS: Part<AnyConsensus, Paxos> =
    Part { msg: Msg::Paxos, timer: Timer::Paxos, record: |record| record };

impl Process for AnyConsensus {
    type Spec = Consensus;
    type Msg = Msg;
    type Timer = Timer;
    type Record = paxos::Record;

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        match self {
            Self::AllToAll(c) => within(&ALL_TO_ALL, cx, |cx| c.on_request(request, cx)),
            Self::BenOr(c) => within(&BEN_OR, cx, |cx| c.on_request(request, cx)),
            Self::Flooding(c) => within(&FLOODING, cx, |cx| c.on_request(request, cx)),
            Self::Hierarchical(c) => within(&HIERARCHICAL, cx, |cx| c.on_request(request, cx)),
            Self::Paxos(c) => {
                within_paxos(cx, |cx| c.on_request(request, cx));
            }
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match (self, msg) {
            (Self::AllToAll(c), Msg::AllToAll(msg)) => {
                within(&ALL_TO_ALL, cx, |cx| c.on_message(from, msg, cx));
            }
            (Self::BenOr(c), Msg::BenOr(msg)) => {
                within(&BEN_OR, cx, |cx| c.on_message(from, msg, cx));
            }
            (Self::Flooding(c), Msg::Flooding(msg)) => {
                within(&FLOODING, cx, |cx| c.on_message(from, msg, cx));
            }
            (Self::Hierarchical(c), Msg::Hierarchical(msg)) => {
                within(&HIERARCHICAL, cx, |cx| c.on_message(from, msg, cx));
            }
            (Self::Paxos(c), Msg::Paxos(msg)) => {
                let is_told = matches!(msg, paxos::Msg::Decide(_));
                let decided = within_paxos(cx, |cx| c.on_message(from, msg, cx));
                // One that learns from the acceptors tells the others itself.
                if let Some(value) = decided.filter(|_| is_told) {
                    cx.send_to_others(Msg::Paxos(paxos::Msg::Decide(value)));
                }
            }
            // All processes run the same.
            _ => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<Self>) {
        match (self, timer) {
            (Self::AllToAll(c), Timer::AllToAll(timer)) => {
                within(&ALL_TO_ALL, cx, |cx| c.on_timer(timer, cx));
            }
            (Self::Paxos(c), Timer::Paxos(timer)) => {
                within_paxos(cx, |cx| c.on_timer(timer, cx));
            }
            _ => {}
        }
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        match self {
            Self::AllToAll(c) => within(&ALL_TO_ALL, cx, |cx| c.on_suspect(p, cx)),
            Self::Flooding(c) => within(&FLOODING, cx, |cx| c.on_suspect(p, cx)),
            Self::Hierarchical(c) => within(&HIERARCHICAL, cx, |cx| c.on_suspect(p, cx)),
            Self::BenOr(_) | Self::Paxos(_) => {}
        }
    }
}

/// Runs a handler of the solution, whose decisions are decisions.
fn within<C: Process<Spec = Consensus>>(
    part: &Part<AnyConsensus, C>,
    cx: &mut Cx<AnyConsensus>,
    handler: impl FnOnce(&mut Cx<C>),
) {
    for decision in cx.layer(part, handler) {
        cx.indicate(decision);
    }
}

/// Runs a handler of Paxos, and returns what it decides.
fn within_paxos(cx: &mut Cx<AnyConsensus>, handler: impl FnOnce(&mut Cx<Paxos>)) -> Option<Value> {
    let indications = cx.layer(&PAXOS, handler);
    let value = indications.iter().find_map(Decision::decided)?;
    cx.indicate(Indication::Decide(value));
    Some(value)
}

impl Solution {
    /// A process of this solution, with its default parameters.
    pub fn process(self, setting: &Setting, me: ProcessId) -> AnyConsensus {
        match self {
            Self::AllToAll => AnyConsensus::AllToAll(new(setting, me)),
            Self::BenOr => AnyConsensus::BenOr(new(setting, me)),
            Self::Flooding => AnyConsensus::Flooding(new(setting, me)),
            Self::Hierarchical => AnyConsensus::Hierarchical(new(setting, me)),
            Self::Paxos => AnyConsensus::Paxos(new(setting, me)),
        }
    }

    /// The model that it needs.
    pub fn model(self, setting: &Setting) -> Model {
        match self {
            Self::AllToAll => model::<AllToAllConsensus>(setting),
            Self::BenOr => model::<BenOr>(setting),
            Self::Flooding => model::<FloodingConsensus>(setting),
            Self::Hierarchical => model::<HierarchicalConsensus>(setting),
            // Its own model has processes that recover.
            Self::Paxos => Model::PARTIALLY_SYNCHRONOUS.crash_stop(Bound::MINORITY),
        }
    }

    /// Whether processes that crash decide as the others do.
    pub fn is_uniform(self, setting: &Setting) -> bool {
        let claims = match self {
            Self::AllToAll => claims::<AllToAllConsensus>(setting),
            Self::BenOr => claims::<BenOr>(setting),
            Self::Flooding => claims::<FloodingConsensus>(setting),
            Self::Hierarchical => claims::<HierarchicalConsensus>(setting),
            // It is part of its problem.
            Self::Paxos => return true,
        };
        claims.contains(&UNIFORM_AGREEMENT)
    }
}

fn new<C: Protocol>(setting: &Setting, me: ProcessId) -> C {
    C::new(&C::Params::default(), setting, me)
}

fn model<C: Protocol>(setting: &Setting) -> Model {
    C::model(&C::Params::default(), setting)
}

fn claims<C: Protocol>(setting: &Setting) -> Vec<PropertyId> {
    C::claims(&C::Params::default(), setting)
}
