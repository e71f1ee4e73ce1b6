//! Totally ordered multicast by logical clocks and acknowledgements.
//!
//! Source: Lamport (1978); Tanenbaum and van Steen (2007), section 6.2. Spec: [`Broadcast`] with
//! uniform agreement and all orders. Model: asynchronous, reliable FIFO links, no failures.
//!
//! Steps: a multicast increments the clock, enters the sender's queue, and is sent to all others
//! with the clock as its timestamp. A process that receives it sets its clock beyond the
//! timestamp, enters the message in its queue, and acknowledges it to all. The message itself
//! counts as its sender's acknowledgement, unless `sender_acks` is set. Queues are in the order of
//! timestamps, and of ids where these are equal. A process delivers the first message of its queue
//! once all have acknowledged it.
//!
//! Why it works: a process that has acknowledged a message has set its clock beyond the timestamp,
//! so whatever it multicasts later comes later in the order; and what it multicast before has
//! arrived before the acknowledgement, since links are FIFO. When all have acknowledged the first
//! message of a queue, nothing can come before it any more.
//!
//! Words: Lamport grants a resource in this order (`lamport-mutex`), and his request is our
//! message.
//! His rule 2 acknowledges it to its sender alone, and rule 5 waits for any later message of each
//! process. Acknowledgements to all, as in the textbook, let everybody deliver it. Receiving a
//! message and acknowledging it is one event of the clock.

use std::collections::{BTreeMap, VecDeque};

use ftsim_core::prelude::*;

use crate::parts::logical_clock::{LogicalClock, Time};
use crate::spec::broadcast::{
    AGREEMENT, Broadcast, CAUSAL, FIFO, Indication, MessageNumber, Request, TOTAL_ORDER,
    UNIFORM_AGREEMENT, UNIFORM_TOTAL_ORDER,
};

/// When a message was multicast, and by whom.
type Stamp = (Time, ProcessId);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message, multicast at this time.
    Data { time: Time, number: MessageNumber },
    /// An acknowledgement of a message, sent at this time.
    Ack { time: Time, of: Stamp },
}

/// A process of totally ordered multicast.
#[derive(Clone, Debug, Hash)]
pub struct LamportTom {
    sender_acks: bool,
    clock: LogicalClock,
    /// The messages that are not delivered yet, in the order of delivery.
    queue: VecDeque<(Stamp, MessageNumber)>,
    /// The processes that have acknowledged each message, also one that has not come yet.
    acked: BTreeMap<Stamp, ProcessSet>,
}

impl Process for LamportTom {
    type Spec = Broadcast;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Broadcast(number): Request, cx: &mut Cx<Self>) {
        let time = self.clock.tick();
        let stamp = (time, cx.me());
        self.enter(stamp, number, cx);
        cx.send_to_others(Msg::Data { time, number });
        match self.sender_acks {
            true => self.acknowledge(stamp, cx),
            false => self.acknowledged(stamp, cx.me()),
        }
        self.deliver(cx);
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Data { time, number } => {
                if !cx.runs(&ACK_BEFORE_CLOCK_UPDATE) {
                    self.clock.receive(time);
                }
                let stamp = (time, from);
                self.enter(stamp, number, cx);
                if !self.sender_acks {
                    self.acknowledged(stamp, from);
                }
                self.acknowledge(stamp, cx);
            }
            Msg::Ack { time, of } => {
                self.clock.receive(time);
                self.acknowledged(of, from);
            }
        }
        self.deliver(cx);
    }
}

impl LamportTom {
    /// Enters a message in the queue: by timestamp, and by id where timestamps are equal.
    fn enter(&mut self, stamp: Stamp, number: MessageNumber, cx: &Cx<Self>) {
        let place = self.queue.partition_point(|(other, _)| match cx.runs(&NO_TIEBREAK) {
            false => *other < stamp,
            true => other.0 <= stamp.0,
        });
        self.queue.insert(place, (stamp, number));
    }

    /// Acknowledges a message to all, itself included.
    fn acknowledge(&mut self, of: Stamp, cx: &mut Cx<Self>) {
        cx.send_to_others(Msg::Ack { time: self.clock.now(), of });
        self.acknowledged(of, cx.me());
    }

    fn acknowledged(&mut self, of: Stamp, by: ProcessId) {
        self.acked.entry(of).or_default().insert(by);
    }

    fn deliver(&mut self, cx: &mut Cx<Self>) {
        while let Some(&(stamp, number)) = self.queue.front()
            && self.all_have_acknowledged(stamp, cx)
        {
            self.queue.pop_front();
            self.acked.remove(&stamp);
            cx.indicate(Indication::Deliver { sender: stamp.1, number });
        }
    }

    fn all_have_acknowledged(&self, message: Stamp, cx: &Cx<Self>) -> bool {
        let (acks, n) = (self.acked.get(&message).map_or(0, ProcessSet::len), cx.n() as usize);
        acks == n || (cx.runs(&MAJORITY_ACKS) && 2 * acks > n)
    }
}

/// `[params]` of totally ordered multicast.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Whether a sender acknowledges its own messages too.
    pub sender_acks: bool,
}

const NO_FIFO: Mutant = Mutant::assumption(
    "no-fifo",
    "an acknowledgement overtakes a message",
    TOTAL_ORDER,
    "network.order",
    Some(r#""fifo""#),
);
const MAJORITY_ACKS: Mutant =
    Mutant::code("majority-acks", "delivers what a majority has acknowledged", TOTAL_ORDER);
const NO_TIEBREAK: Mutant =
    Mutant::code("no-tiebreak", "orders equal timestamps by their arrival", TOTAL_ORDER);
const ACK_BEFORE_CLOCK_UPDATE: Mutant = Mutant::code(
    "ack-before-clock-update",
    "acknowledges a message and leaves its clock behind the timestamp",
    TOTAL_ORDER,
);

impl Protocol for LamportTom {
    const NAME: &'static str = "lamport-tom";
    const SUMMARY: &'static str = "total order by logical clocks; all acknowledge to all";
    const SOURCE: &'static str = "Lamport 1978; Tanenbaum & van Steen 2007, section 6.2";
    const MUTANTS: &'static [Mutant] =
        &[NO_FIFO, MAJORITY_ACKS, NO_TIEBREAK, ACK_BEFORE_CLOCK_UPDATE];

    type Params = Params;

    fn model(_: &Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.over(Links::ReliableFifo)
    }

    fn new(params: &Params, _: &Setting, _: ProcessId) -> Self {
        Self {
            sender_acks: params.sender_acks,
            clock: LogicalClock::default(),
            queue: VecDeque::new(),
            acked: BTreeMap::new(),
        }
    }

    fn claims(_: &Params, _: &Setting) -> Vec<PropertyId> {
        vec![AGREEMENT, UNIFORM_AGREEMENT, FIFO, CAUSAL, TOTAL_ORDER, UNIFORM_TOTAL_ORDER]
    }
}
