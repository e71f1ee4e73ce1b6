//! Broadcast: one process sends a message, and all deliver it.
//!
//! Properties after Hadzilacos and Toueg (1994) and Cachin, Guerraoui and Rodrigues (2011), chapter
//! 3. The core is best-effort broadcast; the two agreements and the orders are claims. BEB1 implies
//! RB1, and follows from RB1 with either agreement, so every solution must satisfy it.

mod order;

use std::collections::BTreeMap;

use ftsim_core::{
    Ask, Duration, End, Invalid, Observation, Observed, OperationName, ProcessId, ProcessSet,
    Property, PropertyEntry, PropertyId, Setting, Spec, Violation, Workload,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::message_set::{MessageName, MessageSet};
use crate::refuse_too_many;
use order::{Past, PastFirst, Prefix, TotalOrder, UniformTotalOrder};

/// The problem of delivering a message to all processes.
pub struct Broadcast;

/// The number of a message, unique among those of its sender.
pub type MessageNumber = u64;

/// A request to a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// Broadcast the message with this number.
    Broadcast(MessageNumber),
}

/// An announcement of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// A message is delivered.
    Deliver {
        /// The process that broadcast it, as the delivering process believes.
        sender: ProcessId,
        /// The number of the message.
        number: MessageNumber,
    },
}

/// BEB1.
pub const BEST_EFFORT: PropertyId = PropertyId("beb.validity");
/// RB1.
pub const VALIDITY: PropertyId = PropertyId("rb.validity");
/// RB2.
pub const NO_DUPLICATION: PropertyId = PropertyId("rb.no-duplication");
/// RB3.
pub const NO_CREATION: PropertyId = PropertyId("rb.no-creation");
/// RB4.
pub const AGREEMENT: PropertyId = PropertyId("rb.agreement");
/// URB4.
pub const UNIFORM_AGREEMENT: PropertyId = PropertyId("rb.uniform-agreement");
/// FIFO order.
pub const FIFO: PropertyId = PropertyId("bc.fifo");
/// Causal order.
pub const CAUSAL: PropertyId = PropertyId("bc.causal");
/// Total order.
pub const TOTAL_ORDER: PropertyId = PropertyId("bc.total-order");
/// Uniform total order, without gaps.
pub const UNIFORM_TOTAL_ORDER: PropertyId = PropertyId("bc.uniform-total-order");
/// Processes do not diverge, newcomers included.
pub use crate::replication::PREFIX;

pub(crate) const NO_DUPLICATION_TEXT: &str = "no process delivers a message twice";
pub(crate) const NO_CREATION_TEXT: &str =
    "a message that is delivered was broadcast before by its sender";
pub(crate) const AGREEMENT_TEXT: &str =
    "every correct process eventually delivers a message that a correct process delivers";

impl Spec for Broadcast {
    const NAME: &'static str = "broadcast";
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::liveness(
            BEST_EFFORT,
            "every correct process eventually delivers a message that a correct process broadcasts",
            |setting| Box::new(BestEffort::new(setting)),
        )
        .in_any_order(),
        PropertyEntry::liveness(
            VALIDITY,
            "a correct process that broadcasts a message eventually delivers it",
            |_| Box::new(Validity::default()),
        )
        .in_any_order(),
        PropertyEntry::safety(NO_DUPLICATION, NO_DUPLICATION_TEXT, |setting| {
            Box::new(NoDuplication::new(setting))
        })
        .in_any_order(),
        PropertyEntry::safety(NO_CREATION, NO_CREATION_TEXT, |_| Box::new(NoCreation::default()))
            .in_any_order(),
        PropertyEntry::liveness(AGREEMENT, AGREEMENT_TEXT, |setting| {
            Box::new(Agreement::new(Obliging::Correct, setting))
        })
        .if_claimed()
        .in_any_order(),
        PropertyEntry::liveness(
            UNIFORM_AGREEMENT,
            "every correct process eventually delivers a message that any process delivers",
            |setting| Box::new(Agreement::new(Obliging::Any, setting)),
        )
        .if_claimed()
        .in_any_order(),
        PropertyEntry::safety(
            FIFO,
            "a process delivers a message only after those that its sender broadcast before",
            |setting| Box::new(PastFirst::new(Past::Fifo, setting)),
        )
        .if_claimed()
        .in_any_order(),
        PropertyEntry::safety(
            CAUSAL,
            "a process delivers a message only after those that happened before it",
            |setting| Box::new(PastFirst::new(Past::Causal, setting)),
        )
        .if_claimed()
        .in_any_order(),
        PropertyEntry::safety(
            TOTAL_ORDER,
            "correct processes deliver the messages that they share in one order",
            |_| Box::new(TotalOrder::default()),
        )
        .if_claimed()
        .in_any_order(),
        PropertyEntry::safety(
            UNIFORM_TOTAL_ORDER,
            "two processes that deliver a message have delivered the same before, in one order",
            |_| Box::new(UniformTotalOrder::default()),
        )
        .if_claimed()
        .in_any_order(),
        PropertyEntry::safety(
            PREFIX,
            "of what two processes have delivered, one is the beginning of the other",
            |_| Box::new(Prefix::default()),
        )
        .if_claimed(),
    ];

    type Request = Request;
    type Indication = Indication;
    type WorkloadSettings = BroadcastWorkload;
    type Workload = Senders;

    fn workload(settings: &BroadcastWorkload, setting: &Setting) -> Result<Senders, Invalid> {
        let all = || setting.processes().collect();
        let senders = if settings.senders.is_empty() { all() } else { settings.senders.clone() };
        Senders::new(senders, settings.broadcasts, settings.every, setting)
    }

    /// A broadcast is answered when its sender delivers it.
    fn operation(p: ProcessId, Request::Broadcast(number): &Request) -> Option<OperationName> {
        Some(OperationName::at(p, *number))
    }

    fn phrase(Indication::Deliver { sender, number }: &Indication) -> Option<String> {
        Some(format!("delivers {number} of {sender}"))
    }

    fn answers(
        p: ProcessId,
        Indication::Deliver { sender, number }: &Indication,
    ) -> impl Iterator<Item = OperationName> {
        (*sender == p).then(|| OperationName::at(p, *number)).into_iter()
    }
}

/// The broadcasts that clients request.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BroadcastWorkload {
    /// The processes that broadcast; all, if empty.
    pub senders: Vec<ProcessId>,
    /// The number of messages that each of them broadcasts.
    pub broadcasts: u32,
    /// The time between two broadcasts of a process; the first is at the start.
    pub every: Duration,
}

impl Default for BroadcastWorkload {
    fn default() -> Self {
        Self { senders: Vec::new(), broadcasts: 1, every: Duration::from_millis(10) }
    }
}

/// The clients of a broadcast: each requests its messages at fixed times, each one after the sender
/// has received the request before.
#[derive(Clone, Debug, Hash)]
pub struct Senders {
    senders: Vec<ProcessId>,
    broadcasts: u32,
    every: Duration,
}

impl Senders {
    /// These senders, which broadcast this number of messages each.
    ///
    /// # Errors
    /// If a sender does not exist, or there are more requests than a run can hold.
    pub(crate) fn new(
        senders: Vec<ProcessId>,
        broadcasts: u32,
        every: Duration,
        setting: &Setting,
    ) -> Result<Self, Invalid> {
        if let Some(stranger) = senders.iter().find(|p| p.0 >= setting.n) {
            return Err(Invalid::new("senders", format!("there is no process {stranger}")));
        }
        let mut named = ProcessSet::new();
        if let Some(twice) = senders.iter().find(|p| !named.insert(**p)) {
            return Err(Invalid::new("senders", format!("{twice} is named twice")));
        }
        refuse_too_many("broadcasts", broadcasts, senders.len())?;
        Ok(Self { senders, broadcasts, every })
    }
}

impl<S: Spec<Request = Request>> Workload<S> for Senders {
    fn on_start(&mut self, ask: &mut Ask<'_, S>) {
        if self.broadcasts > 0 {
            for sender in &self.senders {
                ask.request(*sender, Duration::ZERO, Request::Broadcast(0));
            }
        }
    }

    fn on_request(
        &mut self,
        sender: ProcessId,
        Request::Broadcast(number): &Request,
        ask: &mut Ask<'_, S>,
    ) {
        if number + 1 < u64::from(self.broadcasts) {
            ask.request(sender, self.every, Request::Broadcast(number + 1));
        }
    }
}

/// A problem in which processes deliver messages that others broadcast.
pub(crate) trait Delivering: Spec {
    /// The number of the message that this asks a process to broadcast.
    fn requested(request: &Self::Request) -> Option<MessageNumber>;
    /// The message that a process delivers with this indication.
    fn delivered(indication: &Self::Indication) -> Option<MessageName>;
}

impl Delivering for Broadcast {
    fn requested(Request::Broadcast(number): &Request) -> Option<MessageNumber> {
        Some(*number)
    }

    fn delivered(Indication::Deliver { sender, number }: &Indication) -> Option<MessageName> {
        Some((*sender, *number))
    }
}

pub(crate) fn delivered<S: Delivering>(event: &Observed<'_, S>) -> Option<MessageName> {
    match event.what {
        Observation::Indication(indication) => S::delivered(indication),
        _ => None,
    }
}

pub(crate) fn broadcast<S: Delivering>(event: &Observed<'_, S>) -> Option<MessageName> {
    match event.what {
        Observation::Request(request) => Some((event.process, S::requested(request)?)),
        _ => None,
    }
}

fn delivered_by_none(setting: &Setting) -> Vec<MessageSet> {
    setting.processes().map(|_| MessageSet::default()).collect()
}

/// BEB1: remembers the broadcasts and deliveries, and looks for missing ones at the end.
#[derive(Clone, Debug, Hash)]
pub(crate) struct BestEffort {
    broadcast: MessageSet,
    /// For each process, in the order of their ids.
    delivered: Vec<MessageSet>,
    /// Known at the end: broadcasts of correct processes.
    obligations: u64,
}

impl BestEffort {
    pub(crate) fn new(setting: &Setting) -> Self {
        let delivered = delivered_by_none(setting);
        Self { broadcast: MessageSet::default(), delivered, obligations: 0 }
    }
}

impl<S: Delivering> Property<S> for BestEffort {
    fn observe(&mut self, event: &Observed<'_, S>) -> Result<(), Violation> {
        if let Some(message) = broadcast(event) {
            self.broadcast.insert(message);
        } else if let Some(message) = delivered(event) {
            self.delivered[event.process.index()].insert(message);
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        self.broadcast.retain_senders(|sender| end.is_correct(sender));
        self.obligations = self.broadcast.len();
        let missing = end.correct().filter_map(|q| {
            let message = self.broadcast.first_not_in(&self.delivered[q.index()])?;
            Some((message, q))
        });
        match missing.min() {
            None => Ok(()),
            Some(((sender, number), q)) => Err(Violation::by(
                [sender, q],
                format!("{sender} broadcast message {number}, {q} never delivered it"),
            )),
        }
    }

    fn exercised(&self) -> u64 {
        self.obligations
    }
}

/// RB1: remembers the broadcasts that their senders have not delivered.
#[derive(Clone, Debug, Default, Hash)]
struct Validity {
    owed: MessageSet,
    broadcasts: BTreeMap<ProcessId, u64>,
    /// Known at the end: broadcasts of correct processes.
    obligations: u64,
}

impl Property<Broadcast> for Validity {
    fn observe(&mut self, event: &Observed<'_, Broadcast>) -> Result<(), Violation> {
        if let Some(message) = broadcast(event) {
            self.owed.insert(message);
            *self.broadcasts.entry(event.process).or_default() += 1;
        }
        if let Some(message) = delivered(event).filter(|(sender, _)| *sender == event.process) {
            self.owed.remove(message);
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let by_correct = self.broadcasts.iter().filter(|(p, _)| end.is_correct(**p));
        self.obligations = by_correct.map(|(_, count)| count).sum();
        match self.owed.first_of_each().find(|(sender, _)| end.is_correct(*sender)) {
            None => Ok(()),
            Some((sender, number)) => Err(Violation::by(
                [sender],
                format!("{sender} broadcast message {number} and never delivered it"),
            )),
        }
    }

    fn exercised(&self) -> u64 {
        self.obligations
    }
}

/// RB2: remembers the deliveries.
#[derive(Clone, Debug, Hash)]
pub(crate) struct NoDuplication {
    /// For each process, in the order of their ids.
    delivered: Vec<MessageSet>,
}

impl NoDuplication {
    pub(crate) fn new(setting: &Setting) -> Self {
        Self { delivered: delivered_by_none(setting) }
    }
}

impl<S: Delivering> Property<S> for NoDuplication {
    fn observe(&mut self, event: &Observed<'_, S>) -> Result<(), Violation> {
        let Some(message) = delivered(event) else { return Ok(()) };
        if self.delivered[event.process.index()].insert(message) {
            return Ok(());
        }
        let (p, (sender, number)) = (event.process, message);
        Err(Violation::by([p], format!("{p} delivered message {number} of {sender} twice")))
    }

    fn exercised(&self) -> u64 {
        MessageSet::union(&self.delivered).len()
    }
}

/// RB3: remembers the broadcasts.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct NoCreation {
    broadcast: MessageSet,
    deliveries: u64,
}

impl<S: Delivering> Property<S> for NoCreation {
    fn observe(&mut self, event: &Observed<'_, S>) -> Result<(), Violation> {
        if let Some(message) = broadcast(event) {
            self.broadcast.insert(message);
        }
        let Some(message) = delivered(event) else { return Ok(()) };
        self.deliveries += 1;
        if self.broadcast.contains(message) {
            return Ok(());
        }
        let (p, (sender, number)) = (event.process, message);
        Err(Violation::by(
            [p, sender],
            format!("{p} delivered message {number} of {sender}, who never broadcast it"),
        ))
    }

    fn exercised(&self) -> u64 {
        self.deliveries
    }
}

/// The processes whose deliveries oblige every correct process to deliver too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Obliging {
    /// Correct processes: RB4.
    Correct,
    /// All processes: URB4.
    Any,
}

/// RB4 and URB4: remembers the deliveries, and looks for missing ones at the end.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Agreement {
    obliging: Obliging,
    /// For each process, in the order of their ids.
    delivered: Vec<MessageSet>,
    /// Known at the end: messages that every correct process must deliver.
    obligations: u64,
}

impl Agreement {
    pub(crate) fn new(obliging: Obliging, setting: &Setting) -> Self {
        Self { obliging, delivered: delivered_by_none(setting), obligations: 0 }
    }
}

impl<S: Delivering> Property<S> for Agreement {
    fn observe(&mut self, event: &Observed<'_, S>) -> Result<(), Violation> {
        if let Some(message) = delivered(event) {
            self.delivered[event.process.index()].insert(message);
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let obliging = || {
            let all = (0u32..).map(ProcessId).zip(&self.delivered);
            all.filter(|(p, _)| self.obliging == Obliging::Any || end.is_correct(*p))
        };
        let owed = MessageSet::union(obliging().map(|(_, delivered)| delivered));
        let missing = end.correct().filter_map(|q| {
            let message = owed.first_not_in(&self.delivered[q.index()])?;
            Some((message, q))
        });
        let Some((message, missing)) = missing.min() else {
            self.obligations = owed.len();
            return Ok(());
        };
        let first = obliging().find(|(_, delivered)| delivered.contains(message));
        let (first, _) = first.expect("what is owed was delivered");
        self.obligations = owed.count_up_to(message);
        let (sender, number) = message;
        Err(Violation::by(
            [first, missing],
            format!("{first} delivered message {number} of {sender}, {missing} never did"),
        ))
    }

    fn exercised(&self) -> u64 {
        self.obligations
    }
}

#[cfg(test)]
mod tests;
