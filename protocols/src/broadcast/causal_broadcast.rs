//! Causal broadcast: reliable broadcast in the order of cause and effect.
//!
//! Source: Hadzilacos and Toueg (1994); Birman, Schiper and Stephenson (1991) for vectors; Cachin,
//! Guerraoui and Rodrigues (2011), algorithms 3.15 (`waiting`) and 3.13 (`no-waiting`). Spec:
//! [`Broadcast`] with agreement, FIFO order and causal order. Model: asynchronous, perfect links,
//! any number of crashes, no detector.
//!
//! Steps: eager reliable broadcast, in which each message carries its causal past: what its sender
//! had broadcast or delivered before.
//! - `waiting`: the past is a vector, the number of messages of each process. A receiver holds a
//!   message back until it has delivered as many.
//! - `no-waiting`: the past is a list of all messages in it, in an order in which they can be
//!   delivered. A receiver delivers those that it lacks, and then the message.
//!
//! Why it works: a process never delivers a message before its past. Agreement brings the whole
//! past of a delivered message to all correct processes, so that what one delivers none holds back
//! for ever. A message whose past was lost with its senders waits for ever at all. The list of
//! `no-waiting` grows for ever: the garbage collection of algorithm 3.14 is not here.

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use crate::spec::broadcast::{
    AGREEMENT, Broadcast, CAUSAL, FIFO, Indication, MessageNumber, Request,
};
use crate::spec::message_set::{MessageName, MessageSet};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message with its causal past, from its sender or relayed.
    Data { sender: ProcessId, number: MessageNumber, past: Past },
}

/// The causal past of a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Past {
    /// The number of messages of each process.
    Vector(Vec<u64>),
    /// The messages, in causal order.
    List(Vec<MessageName>),
}

/// A process of causal broadcast.
#[derive(Clone, Debug, Hash)]
pub struct CausalBroadcast {
    mode: Mode,
    received: MessageSet,
    delivered: MessageSet,
    /// With `waiting`: the number of its own broadcasts.
    sent: u64,
    /// With `waiting`: the number of messages delivered from each process.
    counts: Vec<u64>,
    /// With `waiting`: the messages that wait for their past.
    waiting: BTreeMap<MessageName, Vec<u64>>,
    /// With `no-waiting`: what it has broadcast or delivered, in order.
    past: Vec<MessageName>,
}

impl Process for CausalBroadcast {
    type Spec = Broadcast;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Broadcast(number): Request, cx: &mut Cx<Self>) {
        let sender = cx.me();
        let past = match self.mode {
            Mode::Waiting => Past::Vector(self.vector_of_next(sender)),
            Mode::NoWaiting => Past::List(self.list_of_next(cx)),
        };
        cx.broadcast(Msg::Data { sender, number, past });
        self.sent += 1;
        self.past.push((sender, number));
    }

    fn on_message(&mut self, _: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        let Msg::Data { sender, number, ref past } = msg;
        let message = (sender, number);
        if !self.received.insert(message) {
            return;
        }
        match past {
            Past::Vector(vector) => {
                self.waiting.insert(message, vector.clone());
                self.deliver_what_need_not_wait(cx);
            }
            Past::List(past) => {
                for earlier in past {
                    self.deliver_once(*earlier, cx);
                }
                self.deliver_once(message, cx);
            }
        }
        if sender != cx.me() {
            cx.send_to_others(msg);
        }
    }
}

impl CausalBroadcast {
    /// Its deliveries, and all of its own messages, delivered or not.
    fn vector_of_next(&self, me: ProcessId) -> Vec<u64> {
        let mut vector = self.counts.clone();
        vector[me.index()] = self.sent;
        vector
    }

    fn list_of_next(&self, cx: &Cx<Self>) -> Vec<MessageName> {
        let forgets = cx.runs(&FORGET_PAST);
        let list = self.past.iter().filter(|(sender, _)| !forgets || *sender == cx.me());
        list.copied().collect()
    }

    fn deliver_what_need_not_wait(&mut self, cx: &mut Cx<Self>) {
        let fifo_only = cx.runs(&FIFO_ONLY);
        while let Some(message) = self.first_ready(fifo_only) {
            self.waiting.remove(&message);
            let (sender, number) = message;
            if let Some(count) = self.counts.get_mut(sender.index()) {
                *count += 1;
            }
            cx.indicate(Indication::Deliver { sender, number });
        }
        if !self.waiting.is_empty() {
            cx.reach("a message waits for its past");
        }
    }

    /// The first message whose past is delivered.
    fn first_ready(&self, fifo_only: bool) -> Option<MessageName> {
        let is_ready = |((sender, _), vector): &(&MessageName, &Vec<u64>)| {
            let entries = self.counts.iter().zip(vector.iter()).enumerate();
            let mut relevant = entries.filter(|(p, _)| !fifo_only || *p == sender.index());
            relevant.all(|(_, (delivered, needed))| delivered >= needed)
        };
        self.waiting.iter().find(is_ready).map(|(message, _)| *message)
    }

    fn deliver_once(&mut self, message: MessageName, cx: &mut Cx<Self>) {
        if !self.delivered.insert(message) {
            return;
        }
        let (sender, number) = message;
        cx.indicate(Indication::Deliver { sender, number });
        if sender != cx.me() {
            self.past.push(message);
        }
    }
}

/// What a message carries of its past.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Vectors; messages wait for their past.
    #[default]
    Waiting,
    /// Lists of messages; none waits.
    NoWaiting,
}

/// `[params]` of causal broadcast.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// What a message carries of its past.
    pub mode: Mode,
}

const FIFO_ONLY: Mutant = Mutant::code(
    "fifo-only",
    "with waiting, waits only for earlier messages of the same sender",
    CAUSAL,
);
const FORGET_PAST: Mutant = Mutant::code(
    "forget-past",
    "without waiting, forgets the messages of others in the past of a broadcast",
    CAUSAL,
);

impl Protocol for CausalBroadcast {
    const NAME: &'static str = "causal-broadcast";
    const SUMMARY: &'static str = "reliable broadcast in the order of cause and effect";
    const SOURCE: &'static str = "Birman, Schiper & Stephenson 1991; Hadzilacos & Toueg 1994; \
        Cachin, Guerraoui & Rodrigues 2011, algorithms 3.13 and 3.15";
    const MUTANTS: &'static [Mutant] = &[FIFO_ONLY, FORGET_PAST];

    type Params = Params;

    fn model(_: &Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE)
    }

    fn new(params: &Params, setting: &Setting, _: ProcessId) -> Self {
        Self {
            mode: params.mode,
            received: MessageSet::default(),
            delivered: MessageSet::default(),
            sent: 0,
            counts: vec![0; setting.n as usize],
            waiting: BTreeMap::new(),
            past: Vec::new(),
        }
    }

    fn claims(_: &Params, _: &Setting) -> Vec<PropertyId> {
        vec![AGREEMENT, FIFO, CAUSAL]
    }
}
