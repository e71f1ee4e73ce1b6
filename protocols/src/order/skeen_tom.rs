//! Totally ordered multicast by agreed priorities, the ABCAST of ISIS.
//!
//! Source: Birman and Joseph (1987), who name Skeen. Spec: [`Broadcast`] with uniform agreement and
//! all orders. Model: asynchronous, reliable FIFO links, no failures. Total order needs no FIFO
//! links; the order of each sender does.
//!
//! Steps: the sender sends its message to all. Each process proposes a priority, higher than all
//! that it has seen. The sender takes the highest proposal and sends it to all: it is the message's
//! final priority. A process delivers the message with the lowest priority, once that is final.
//!
//! Why it works: a final priority is at least the proposal, so a message whose final priority is
//! the lowest of all priorities here stays the lowest: those that are not final yet only rise, and
//! new ones are proposed above it. The order of each sender holds because links keep it: every
//! process proposes more for the later of two messages, so the highest proposal for it is higher
//! too. And so does causal order: whoever has delivered a message proposes more than its final
//! priority for what it sends itself, and all have the message by then.
//!
//! Words: the paper tags messages *undeliverable* until their priority is final, and gives a
//! proposal the number of its process as a fraction, so that no two are equal. It promises no more
//! than one order; causal order is its CBCAST's.

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use crate::spec::broadcast::{
    AGREEMENT, Broadcast, CAUSAL, FIFO, Indication, MessageNumber, Request, TOTAL_ORDER,
    UNIFORM_AGREEMENT, UNIFORM_TOTAL_ORDER,
};
use crate::spec::message_set::MessageName;

/// A priority, and the process that proposed it: no two are equal.
type Priority = (u64, ProcessId);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message.
    Data(MessageNumber),
    /// The proposed priority of a message of the receiver.
    Proposal { number: MessageNumber, priority: u64 },
    /// The final priority of a message of the sender.
    Final { number: MessageNumber, priority: Priority },
}

/// A process of totally ordered multicast.
#[derive(Clone, Debug, Hash)]
pub struct SkeenTom {
    /// The highest priority seen.
    highest: u64,
    /// The messages that are not delivered yet.
    pending: BTreeMap<MessageName, Pending>,
    /// The highest proposal for each of its own messages, and the number of proposals.
    proposals: BTreeMap<MessageNumber, (Priority, u32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Pending {
    priority: Priority,
    /// Whether all have proposed: *deliverable*.
    is_final: bool,
}

impl Process for SkeenTom {
    type Spec = Broadcast;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Broadcast(number): Request, cx: &mut Cx<Self>) {
        cx.send_to_others(Msg::Data(number));
        let priority = self.propose((cx.me(), number), cx);
        self.on_proposal(number, (priority, cx.me()), cx);
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Data(number) => {
                let priority = self.propose((from, number), cx);
                cx.send(from, Msg::Proposal { number, priority });
            }
            Msg::Proposal { number, priority } => self.on_proposal(number, (priority, from), cx),
            Msg::Final { number, priority } => self.on_final((from, number), priority, cx),
        }
    }
}

impl SkeenTom {
    /// Enters a message with a proposal above all that it has seen, which is returned.
    fn propose(&mut self, message: MessageName, cx: &mut Cx<Self>) -> u64 {
        self.highest = self.highest.saturating_add(1);
        let priority = (self.highest, cx.me());
        self.pending.insert(message, Pending { priority, is_final: false });
        if cx.runs(&DELIVER_ON_PROPOSAL) {
            self.on_final(message, priority, cx);
        }
        self.highest
    }

    /// At the sender: when all have proposed, the highest proposal is final.
    fn on_proposal(&mut self, number: MessageNumber, proposal: Priority, cx: &mut Cx<Self>) {
        let (highest, count) = self.proposals.entry(number).or_insert((proposal, 0));
        *highest = proposal.max(*highest);
        *count += 1;
        if *count == cx.n() {
            let priority = *highest;
            self.proposals.remove(&number);
            cx.send_to_others(Msg::Final { number, priority });
            self.on_final((cx.me(), number), priority, cx);
        }
    }

    fn on_final(&mut self, message: MessageName, priority: Priority, cx: &mut Cx<Self>) {
        self.highest = self.highest.max(priority.0);
        if let Some(pending) = self.pending.get_mut(&message) {
            *pending = Pending { priority, is_final: true };
        }
        self.deliver(cx);
    }

    fn deliver(&mut self, cx: &mut Cx<Self>) {
        let first = |(_, pending): &(&MessageName, &Pending)| pending.priority;
        while let Some((&message, pending)) = self.pending.iter().min_by_key(first)
            && pending.is_final
        {
            self.pending.remove(&message);
            let (sender, number) = message;
            cx.indicate(Indication::Deliver { sender, number });
        }
    }
}

const DELIVER_ON_PROPOSAL: Mutant = Mutant::code(
    "deliver-on-proposal",
    "delivers by its own proposal, without waiting for the final priority",
    TOTAL_ORDER,
);

impl Protocol for SkeenTom {
    const NAME: &'static str = "skeen-tom";
    const SUMMARY: &'static str = "total order by priorities that all propose, the highest wins";
    const SOURCE: &'static str = "Birman & Joseph 1987";
    const MUTANTS: &'static [Mutant] = &[DELIVER_ON_PROPOSAL];

    type Params = NoParams;

    fn model(_: &NoParams, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.over(Links::ReliableFifo)
    }

    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self { highest: 0, pending: BTreeMap::new(), proposals: BTreeMap::new() }
    }

    fn claims(_: &NoParams, _: &Setting) -> Vec<PropertyId> {
        vec![AGREEMENT, UNIFORM_AGREEMENT, FIFO, CAUSAL, TOTAL_ORDER, UNIFORM_TOTAL_ORDER]
    }
}
