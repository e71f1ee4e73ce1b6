//! Guarantees that protocols assume and links lack, provided below the protocol: reliable links,
//! FIFO links, and a failure detector based on heartbeats.
//!
//! It sends real packets on the simulated network, with real timeouts. They are drawn in the trace
//! and counted separately: they are neither effects nor messages of the protocol, nor crash points.
//!
//! Reliable links (Cachin, Guerraoui and Rodrigues 2011, algorithms 2.1 and 2.2, with
//! acknowledgements as in stubborn links that stop): every message is retransmitted until it is
//! acknowledged, and delivered once. A message is acknowledged when it is delivered, never while
//! FIFO order holds it back, so that a crash of the receiver loses nothing that the sender has
//! forgotten. The guarantee is for one life of the sender and one of the receiver: messages that a
//! crashed sender has not delivered are lost with it, and messages delivered to the receiver's
//! earlier life are not delivered to its next one.
//!
//! Heartbeats (algorithm 2.7 there, increasing timeout): in every period a process sends a
//! heartbeat to all others; a process that has been silent for the timeout is suspected, and when
//! it is heard again it is trusted, with a longer timeout from then on.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use crate::digest::Digest;
use crate::id::{MessageId, ProcessId};
use crate::model::any_message::AnyMessage;
use crate::time::{Duration, Instant};

/// The layer between the processes and the links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransportConfig {
    /// The guarantee for processes.
    pub guarantee: Guarantee,
    /// The time before a message that is not acknowledged is retransmitted.
    pub resend_after: Duration,
    /// The failure detector, if it has one.
    pub heartbeat: Option<Heartbeat>,
}

/// The guarantees for processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guarantee {
    /// Only the guarantees of the links.
    #[default]
    Raw,
    /// Every message arrives exactly once.
    Reliable,
    /// Also in the order of sending.
    ReliableFifo,
}

/// The parameters of heartbeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// The period, above 0.
    pub period: Duration,
    /// The silence after which a process is suspected.
    pub timeout: Duration,
    /// The increment of the timeout for a process that was wrongly suspected.
    pub increment: Duration,
}

/// A packet between two transports.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Packet {
    pub from: ProcessId,
    pub to: ProcessId,
    /// The incarnation that the numbers refer to: that of the sender of the data.
    pub incarnation: u32,
    /// Whether its sender crashed and made it lose messages under way.
    pub lost: bool,
    pub body: Body,
}

impl Packet {
    /// The approximate memory that it takes, in bytes.
    pub fn byte_count(&self) -> u64 {
        let message = match &self.body {
            Body::Data(data) => data.msg.byte_count(),
            Body::Ack(_) | Body::Beat => 0,
        };
        size_of::<Self>() as u64 + message
    }
}

#[derive(Clone, Debug, Hash)]
pub(crate) enum Body {
    /// A message.
    Data(Data),
    /// An acknowledgement of the message with this number.
    Ack(u64),
    /// A heartbeat.
    Beat,
}

/// A message and its number on the link.
#[derive(Clone, Debug)]
pub(crate) struct Data {
    pub number: u64,
    /// All lower numbers are acknowledged.
    pub base: u64,
    pub id: MessageId,
    pub msg: AnyMessage,
}

impl Hash for Data {
    /// Hashes the message with its number on the link, not the number of the transmission.
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.number, self.base, &self.msg).hash(state);
    }
}

/// The handling of an arrived message.
#[derive(Debug)]
pub(crate) enum Receipt {
    /// It was already delivered, to this life of the receiver or an earlier one.
    Again,
    /// Earlier messages are missing.
    Early,
    /// These messages can now be delivered, in this order.
    Deliverable(Vec<Data>),
}

/// The transport of one process.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    outgoing: BTreeMap<ProcessId, Outgoing>,
    incoming: BTreeMap<ProcessId, Incoming>,
    heard: BTreeMap<ProcessId, Heard>,
    /// Whether a check for unacknowledged messages is scheduled.
    pub resends: bool,
}

#[derive(Clone, Debug)]
struct Outgoing {
    next: u64,
    unacknowledged: BTreeMap<u64, (MessageId, AnyMessage)>,
}

#[derive(Clone, Debug, Hash)]
struct Incoming {
    incarnation: u32,
    /// All lower numbers have arrived.
    base: u64,
    /// Later arrivals; with FIFO order they wait, otherwise they have been delivered.
    early: BTreeMap<u64, Option<Data>>,
}

#[derive(Clone, Copy, Debug)]
struct Heard {
    last: Instant,
    timeout: Duration,
    suspected: bool,
}

impl Transport {
    pub const fn new() -> Self {
        Self {
            outgoing: BTreeMap::new(),
            incoming: BTreeMap::new(),
            heard: BTreeMap::new(),
            resends: false,
        }
    }

    /// Accepts a message to `to`, and returns the packet to send.
    pub fn send(&mut self, to: ProcessId, id: MessageId, msg: AnyMessage) -> Body {
        let outgoing = self
            .outgoing
            .entry(to)
            .or_insert_with(|| Outgoing { next: 0, unacknowledged: BTreeMap::new() });
        let number = outgoing.next;
        outgoing.next += 1;
        outgoing.unacknowledged.insert(number, (id, msg.clone()));
        let base = outgoing.unacknowledged.keys().next().copied().unwrap_or(number);
        Body::Data(Data { number, base, id, msg })
    }

    /// The unacknowledged messages, for retransmission.
    pub fn unacknowledged(&self) -> Vec<(ProcessId, Body)> {
        let mut again = Vec::new();
        for (to, outgoing) in &self.outgoing {
            let Some(base) = outgoing.unacknowledged.keys().next().copied() else { continue };
            for (number, (id, msg)) in &outgoing.unacknowledged {
                let (number, id, msg) = (*number, *id, msg.clone());
                again.push((*to, Body::Data(Data { number, base, id, msg })));
            }
        }
        again
    }

    pub fn acknowledged(&mut self, by: ProcessId, number: u64) {
        if let Some(outgoing) = self.outgoing.get_mut(&by) {
            outgoing.unacknowledged.remove(&number);
        }
    }

    /// Handles an arrival from this life of the sender.
    pub fn receive(
        &mut self,
        from: ProcessId,
        incarnation: u32,
        data: Data,
        guarantee: Guarantee,
    ) -> Receipt {
        let (number, base) = (data.number, data.base);
        let fresh = || Incoming { incarnation, base, early: BTreeMap::new() };
        let incoming = self.incoming.entry(from).or_insert_with(fresh);
        if incoming.incarnation < incarnation {
            *incoming = fresh();
        }
        if incoming.incarnation > incarnation {
            return Receipt::Again;
        }
        if incoming.base < base {
            // The rest was delivered to an earlier life of the receiver: it will not arrive again.
            incoming.base = base;
            incoming.early = incoming.early.split_off(&base);
        }
        if number < incoming.base {
            return Receipt::Again;
        }
        let mut deliverable = Vec::new();
        match guarantee {
            Guarantee::ReliableFifo => {
                incoming.early.entry(number).or_insert(Some(data));
            }
            Guarantee::Raw | Guarantee::Reliable => {
                if incoming.early.insert(number, None).is_some() {
                    return Receipt::Again;
                }
                deliverable.push(data);
            }
        }
        while let Some(next) = incoming.early.remove(&incoming.base) {
            incoming.base += 1;
            deliverable.extend(next);
        }
        if deliverable.is_empty() { Receipt::Early } else { Receipt::Deliverable(deliverable) }
    }

    /// The messages to be acknowledged and delivered, and how long each process has been silent.
    pub fn fingerprint(&self, now: Instant, digest: &mut Digest) {
        for (to, outgoing) in &self.outgoing {
            (to, outgoing.next, outgoing.unacknowledged.len()).hash(digest);
            for (number, (_, msg)) in &outgoing.unacknowledged {
                (number, msg).hash(digest);
            }
        }
        (&self.incoming, self.resends, self.heard.len()).hash(digest);
        for (from, Heard { last, timeout, suspected }) in &self.heard {
            (from, now.since(*last), timeout, suspected).hash(digest);
        }
    }

    /// Starts to monitor this process.
    pub fn listen(&mut self, to: ProcessId, now: Instant, timeout: Duration) {
        self.heard.entry(to).or_insert(Heard { last: now, timeout, suspected: false });
    }

    /// Records a heartbeat of this process; returns whether it was suspected.
    pub fn hear(&mut self, from: ProcessId, now: Instant, increment: Duration) -> bool {
        let Some(heard) = self.heard.get_mut(&from) else { return false };
        heard.last = now;
        if heard.suspected {
            heard.timeout = heard.timeout + increment;
        }
        std::mem::take(&mut heard.suspected)
    }

    /// The newly suspected processes; `span` converts a true span to the process's own clock.
    pub fn silent(&mut self, now: Instant, span: impl Fn(Duration) -> Duration) -> Vec<ProcessId> {
        let is_silent =
            |heard: &Heard| !heard.suspected && span(now.since(heard.last)) > heard.timeout;
        let newly = self.heard.iter_mut().filter(|(_, heard)| is_silent(heard));
        newly
            .map(|(p, heard)| {
                heard.suspected = true;
                *p
            })
            .collect()
    }
}
