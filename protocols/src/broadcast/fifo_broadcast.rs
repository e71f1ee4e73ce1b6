//! FIFO broadcast: reliable broadcast that keeps the order of each sender.
//!
//! Source: Hadzilacos and Toueg (1994); Cachin, Guerraoui and Rodrigues (2011), algorithm 3.12.
//! Spec: [`Broadcast`] with agreement and FIFO order. Model: asynchronous, perfect links, any
//! number of crashes, no detector.
//!
//! Steps: eager reliable broadcast, in which each message carries its place among those of its
//! sender. A process holds a message back until it has delivered the sender's earlier ones.
//!
//! Why it works: agreement brings every message to all correct processes, and of a correct sender
//! the earlier ones too, so nothing of it is held back for ever. A sender that crashes may take an
//! earlier message with it; then all correct processes hold its later ones back, and agree.

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use crate::spec::broadcast::{AGREEMENT, Broadcast, FIFO, Indication, MessageNumber, Request};
use crate::spec::message_set::MessageSet;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message, from its sender or relayed.
    Data {
        sender: ProcessId,
        /// The place among the messages of the sender, from 0.
        place: u64,
        number: MessageNumber,
    },
}

/// A process of FIFO broadcast.
#[derive(Clone, Debug, Hash)]
pub struct FifoBroadcast {
    /// The number of messages that it has broadcast.
    sent: u64,
    /// The messages received, by sender and place.
    received: MessageSet,
    /// The place of the next message to deliver from each sender.
    next: BTreeMap<ProcessId, u64>,
    /// Messages that were received too early, by sender and place.
    waiting: BTreeMap<(ProcessId, u64), MessageNumber>,
}

impl Process for FifoBroadcast {
    type Spec = Broadcast;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Broadcast(number): Request, cx: &mut Cx<Self>) {
        cx.broadcast(Msg::Data { sender: cx.me(), place: self.sent, number });
        self.sent += 1;
    }

    fn on_message(&mut self, _: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        let Msg::Data { sender, place, number } = msg;
        if !self.received.insert((sender, place)) {
            return;
        }
        if sender != cx.me() {
            cx.send_to_others(msg);
        }
        if cx.runs(&ARRIVAL_ORDER) {
            return cx.indicate(Indication::Deliver { sender, number });
        }
        self.waiting.insert((sender, place), number);
        self.deliver_in_order(sender, cx);
    }
}

impl FifoBroadcast {
    fn deliver_in_order(&mut self, sender: ProcessId, cx: &mut Cx<Self>) {
        let next = self.next.entry(sender).or_default();
        while let Some(number) = self.waiting.remove(&(sender, *next)) {
            *next += 1;
            cx.indicate(Indication::Deliver { sender, number });
        }
        if self.waiting.range((sender, 0)..=(sender, u64::MAX)).next().is_some() {
            cx.reach("a message waits for an earlier one");
        }
    }
}

const ARRIVAL_ORDER: Mutant =
    Mutant::code("arrival-order", "delivers messages in the order of their arrival", FIFO);

impl Protocol for FifoBroadcast {
    const NAME: &'static str = "fifo-broadcast";
    const SUMMARY: &'static str = "reliable broadcast in the order of each sender";
    const SOURCE: &'static str =
        "Hadzilacos & Toueg 1994; Cachin, Guerraoui & Rodrigues 2011, algorithm 3.12";
    const MUTANTS: &'static [Mutant] = &[ARRIVAL_ORDER];

    type Params = NoParams;

    fn model(_: &NoParams, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE)
    }

    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self {
            sent: 0,
            received: MessageSet::default(),
            next: BTreeMap::new(),
            waiting: BTreeMap::new(),
        }
    }

    fn claims(_: &NoParams, _: &Setting) -> Vec<PropertyId> {
        vec![AGREEMENT, FIFO]
    }
}
