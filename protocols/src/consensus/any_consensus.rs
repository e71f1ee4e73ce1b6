//! Any consensus of the catalogue, chosen by name, for protocols that are built on consensus.
//!
//! Floodset is left out: its rounds begin at the same time everywhere, and here each process
//! proposes when it has something to propose. So is Ben-Or, which decides one of two values, and
//! Paxos, which solves another problem: its proposers begin by themselves, and recover from disks.

use ftsim_core::Part;
use ftsim_core::prelude::*;

use super::all_to_all_consensus::{self, AllToAllConsensus};
use super::flooding_consensus::{self, FloodingConsensus};
use super::hierarchical_consensus::{self, HierarchicalConsensus};
use crate::spec::consensus::{Consensus, Request, UNIFORM_AGREEMENT};

/// A solution of consensus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Solution {
    /// `all-to-all-consensus`, which tolerates no failures.
    AllToAll,
    /// `flooding-consensus`.
    #[default]
    Flooding,
    /// `hierarchical-consensus`.
    Hierarchical,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    AllToAll(all_to_all_consensus::Msg),
    Flooding(flooding_consensus::Msg),
    Hierarchical(hierarchical_consensus::Msg),
}

/// A process of one of them.
#[derive(Clone, Debug, Hash)]
pub enum AnyConsensus {
    AllToAll(AllToAllConsensus),
    Flooding(FloodingConsensus),
    Hierarchical(HierarchicalConsensus),
}

const ALL_TO_ALL: Part<AnyConsensus, AllToAllConsensus> =
    Part { msg: Msg::AllToAll, timer: |timer| timer, record: |record| record };
const FLOODING: Part<AnyConsensus, FloodingConsensus> =
    Part { msg: Msg::Flooding, timer: |never| match never {}, record: |record| record };
const HIERARCHICAL: Part<AnyConsensus, HierarchicalConsensus> =
    Part { msg: Msg::Hierarchical, timer: |never| match never {}, record: |record| record };

impl Process for AnyConsensus {
    type Spec = Consensus;
    type Msg = Msg;
    type Timer = all_to_all_consensus::Timer;
    type Record = Never;

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        match self {
            Self::AllToAll(c) => within(&ALL_TO_ALL, cx, |cx| c.on_request(request, cx)),
            Self::Flooding(c) => within(&FLOODING, cx, |cx| c.on_request(request, cx)),
            Self::Hierarchical(c) => within(&HIERARCHICAL, cx, |cx| c.on_request(request, cx)),
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match (self, msg) {
            (Self::AllToAll(c), Msg::AllToAll(msg)) => {
                within(&ALL_TO_ALL, cx, |cx| c.on_message(from, msg, cx));
            }
            (Self::Flooding(c), Msg::Flooding(msg)) => {
                within(&FLOODING, cx, |cx| c.on_message(from, msg, cx));
            }
            (Self::Hierarchical(c), Msg::Hierarchical(msg)) => {
                within(&HIERARCHICAL, cx, |cx| c.on_message(from, msg, cx));
            }
            // All processes run the same.
            _ => {}
        }
    }

    fn on_timer(&mut self, timer: Self::Timer, cx: &mut Cx<Self>) {
        if let Self::AllToAll(c) = self {
            within(&ALL_TO_ALL, cx, |cx| c.on_timer(timer, cx));
        }
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        match self {
            Self::AllToAll(c) => within(&ALL_TO_ALL, cx, |cx| c.on_suspect(p, cx)),
            Self::Flooding(c) => within(&FLOODING, cx, |cx| c.on_suspect(p, cx)),
            Self::Hierarchical(c) => within(&HIERARCHICAL, cx, |cx| c.on_suspect(p, cx)),
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

impl Solution {
    /// A process of this solution, with its default parameters.
    pub fn process(self, setting: &Setting, me: ProcessId) -> AnyConsensus {
        match self {
            Self::AllToAll => AnyConsensus::AllToAll(new(setting, me)),
            Self::Flooding => AnyConsensus::Flooding(new(setting, me)),
            Self::Hierarchical => AnyConsensus::Hierarchical(new(setting, me)),
        }
    }

    /// The model that it needs.
    pub fn model(self, setting: &Setting) -> Model {
        match self {
            Self::AllToAll => model::<AllToAllConsensus>(setting),
            Self::Flooding => model::<FloodingConsensus>(setting),
            Self::Hierarchical => model::<HierarchicalConsensus>(setting),
        }
    }

    /// Whether processes that crash decide as the others do.
    pub fn is_uniform(self, setting: &Setting) -> bool {
        let claims = match self {
            Self::AllToAll => claims::<AllToAllConsensus>(setting),
            Self::Flooding => claims::<FloodingConsensus>(setting),
            Self::Hierarchical => claims::<HierarchicalConsensus>(setting),
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
