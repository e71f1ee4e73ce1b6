//! Lazy reliable broadcast: relay a message only when its sender is suspected.
//!
//! Source: Cachin, Guerraoui and Rodrigues (2011), algorithm 3.2. Spec: [`Broadcast`] with
//! agreement. Model: asynchronous with a perfect failure detector P, perfect links, any number of
//! crashes.
//!
//! Steps: to broadcast, send the message to all, oneself included. When a message arrives for the
//! first time, deliver it. When the detector suspects its sender, before or after that, send it to
//! all others.
//!
//! Why it works: a sender that is never suspected is correct, since P is complete, and its links
//! lose nothing. The messages of a suspected sender are relayed by every correct process that has
//! them. Accuracy is not needed: a wrong suspicion costs messages but violates nothing.
//!
//! Words: the book's `from` is our `delivered`; its complement of `correct` is our `suspected`.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::prelude::*;

use crate::spec::broadcast::{AGREEMENT, Broadcast, Indication, MessageNumber, Request};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message, from its sender or relayed.
    Data { sender: ProcessId, number: MessageNumber },
}

/// A process of lazy reliable broadcast.
#[derive(Clone, Debug, Hash)]
pub struct LazyRb {
    delivered: BTreeMap<ProcessId, BTreeSet<MessageNumber>>,
    suspected: ProcessSet,
}

impl Process for LazyRb {
    type Spec = Broadcast;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Broadcast(number): Request, cx: &mut Cx<Self>) {
        cx.broadcast(Msg::Data { sender: cx.me(), number });
    }

    fn on_message(&mut self, _: ProcessId, Msg::Data { sender, number }: Msg, cx: &mut Cx<Self>) {
        if !self.delivered.entry(sender).or_default().insert(number) {
            return;
        }
        cx.indicate(Indication::Deliver { sender, number });
        if self.suspected.contains(sender) && !cx.runs(&NO_LATE_RELAY) {
            cx.reach("relayed on arrival");
            cx.send_to_others(Msg::Data { sender, number });
        }
    }

    fn on_suspect(&mut self, sender: ProcessId, cx: &mut Cx<Self>) {
        self.suspected.insert(sender);
        for number in self.delivered.get(&sender).into_iter().flatten() {
            cx.reach("relayed on suspicion");
            cx.send_to_others(Msg::Data { sender, number: *number });
        }
    }
}

const INCOMPLETE_FD: Mutant = Mutant::assumption(
    "incomplete-fd",
    "has a detector that does not report the sender's crash to some process",
    AGREEMENT,
    "detector.blind",
    None,
);
const NO_LATE_RELAY: Mutant = Mutant::code(
    "no-late-relay",
    "does not relay a message that arrives after the suspicion of its sender",
    AGREEMENT,
);

impl Protocol for LazyRb {
    const NAME: &'static str = "lazy-rb";
    const SUMMARY: &'static str = "reliable broadcast: relay when the sender is suspected";
    const SOURCE: &'static str = "Cachin, Guerraoui & Rodrigues 2011, algorithm 3.2";
    const MUTANTS: &'static [Mutant] = &[INCOMPLETE_FD, NO_LATE_RELAY];

    type Params = NoParams;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE).with(DetectorClass::Perfect)
    }

    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self { delivered: BTreeMap::new(), suspected: ProcessSet::new() }
    }

    fn claims(_: &NoParams, _: &Setting) -> Vec<PropertyId> {
        vec![AGREEMENT]
    }
}
