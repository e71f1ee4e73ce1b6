//! Eager reliable broadcast: a process that delivers a message relays it.
//!
//! Source: Hadzilacos and Toueg (1994); Cachin, Guerraoui and Rodrigues (2011), algorithm 3.3.
//! Spec: [`Broadcast`] with agreement. Model: asynchronous, perfect links, any number of crashes,
//! no detector.
//!
//! Steps: to broadcast, send the message to all, oneself included. When a message arrives for the
//! first time, deliver it and, if it is another process's, send it to all others.
//!
//! Why it works: a correct process that delivers a message has sent it to all, and its links lose
//! nothing. Agreement is not uniform: a process can deliver and crash before its relay leaves.

use ftsim_core::prelude::*;

use crate::spec::broadcast::{
    AGREEMENT, Broadcast, Indication, MessageNumber, NO_DUPLICATION, Request, UNIFORM_AGREEMENT,
};
use crate::spec::message_set::MessageSet;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message, from its sender or relayed.
    Data { sender: ProcessId, number: MessageNumber },
}

/// A process of eager reliable broadcast.
#[derive(Clone, Debug, Hash)]
pub struct EagerRb {
    delivered: MessageSet,
}

impl Process for EagerRb {
    type Spec = Broadcast;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Broadcast(number): Request, cx: &mut Cx<Self>) {
        cx.broadcast(Msg::Data { sender: cx.me(), number });
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        let Msg::Data { sender, number } = msg;
        if self.delivered.contains((sender, number)) {
            return;
        }
        if !cx.runs(&NO_DELIVERED_SET) {
            self.delivered.insert((sender, number));
        }
        if from != sender {
            cx.reach("relay came first");
        }
        cx.indicate(Indication::Deliver { sender, number });
        if sender != cx.me() && !cx.runs(&DELIVER_WITHOUT_RELAY) {
            cx.send_to_others(msg);
        }
    }
}

const NO_DELIVERED_SET: Mutant = Mutant::code(
    "no-delivered-set",
    "does not remember its deliveries, so that relays never end",
    NO_DUPLICATION,
);
const DELIVER_WITHOUT_RELAY: Mutant =
    Mutant::code("deliver-without-relay", "delivers without relaying", AGREEMENT);
const AS_URB: Mutant = Mutant::assumption(
    "as-urb",
    "is expected to be a uniform reliable broadcast",
    UNIFORM_AGREEMENT,
    "check",
    None,
);

impl Protocol for EagerRb {
    const NAME: &'static str = "eager-rb";
    const SUMMARY: &'static str = "reliable broadcast: relay on first delivery";
    const SOURCE: &'static str =
        "Hadzilacos & Toueg 1994; Cachin, Guerraoui & Rodrigues 2011, algorithm 3.3";
    const MUTANTS: &'static [Mutant] = &[NO_DELIVERED_SET, DELIVER_WITHOUT_RELAY, AS_URB];

    type Params = NoParams;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE)
    }

    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self { delivered: MessageSet::default() }
    }

    fn claims(_: &NoParams, _: &Setting) -> Vec<PropertyId> {
        vec![AGREEMENT]
    }
}
