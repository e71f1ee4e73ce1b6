//! Best-effort broadcast: the sender sends the message to all, and that is all.
//!
//! Source: Cachin, Guerraoui and Rodrigues (2011), algorithm 3.1. Spec: [`Broadcast`], core only.
//! Model: asynchronous, perfect links, any number of crashes.
//!
//! Steps: the sender sends the message to each process, itself first. A process that receives it
//! delivers it. If the sender crashes in between, some processes deliver the message and others
//! never do, so this is not a reliable broadcast.

use ftsim_core::prelude::*;

use crate::spec::broadcast::{
    AGREEMENT, BEST_EFFORT, Broadcast, Indication, MessageNumber, Request,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    Data(MessageNumber),
}

/// A process of best-effort broadcast. It has no state.
#[derive(Clone, Debug, Hash)]
pub struct Beb;

impl Process for Beb {
    type Spec = Broadcast;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Broadcast(number): Request, cx: &mut Cx<Self>) {
        if cx.runs(&SELF_ONLY) {
            return cx.send(cx.me(), Msg::Data(number));
        }
        cx.broadcast(Msg::Data(number));
    }

    fn on_message(&mut self, sender: ProcessId, Msg::Data(number): Msg, cx: &mut Cx<Self>) {
        cx.indicate(Indication::Deliver { sender, number });
    }
}

const AS_RB: Mutant =
    Mutant::assumption("as-rb", "is expected to be a reliable broadcast", AGREEMENT, "check", None);
const SELF_ONLY: Mutant = Mutant::code("self-only", "the sender sends only to itself", BEST_EFFORT);

impl Protocol for Beb {
    const NAME: &'static str = "beb";
    const SUMMARY: &'static str = "best-effort broadcast: the sender sends to each process";
    const SOURCE: &'static str = "Cachin, Guerraoui & Rodrigues 2011, algorithm 3.1";
    const MUTANTS: &'static [Mutant] = &[AS_RB, SELF_ONLY];

    type Params = NoParams;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE)
    }

    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self
    }
}
