//! What a link lacks and a protocol assumes, made up for below the protocol: reliable links, FIFO
//! links, and a failure detector that listens for heartbeats.
//!
//! Real packets on the simulated network, real timeouts, drawn in the trace and counted apart: no
//! effect of the protocol, no message of its own, and no crash point.
//!
//! Reliable links (Cachin, Guerraoui and Rodrigues 2011, algorithms 2.1 and 2.2, with
//! acknowledgements as in stubborn links that stop): every message is sent again until it is
//! acknowledged, and delivered once. A message is acknowledged when it is handed over, never while
//! FIFO order holds it back, so that a crash of the receiver loses nothing that the sender has
//! forgotten. The guarantee is for one life of the sender and one of the receiver: what a crashed
//! sender had not got through is lost with it, and what the receiver's earlier life was handed is
//! not delivered to its next one.
//!
//! Heartbeats (algorithm 2.7 there, increasing timeout): every period a process tells all others
//! that it is there; who has not been heard for the timeout is suspected, and when it is heard
//! again it is trusted, with a longer timeout from then on.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use crate::digest::Digest;
use crate::id::{MessageId, ProcessId};
use crate::time::{Duration, Instant};

/// What lies between the processes and the links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransportConfig {
    /// What processes can rely on.
    pub guarantee: Guarantee,
    /// How long it waits for an acknowledgement before it sends again.
    pub resend_after: Duration,
    /// The failure detector, if it has one.
    pub heartbeat: Option<Heartbeat>,
}

/// What processes can rely on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guarantee {
    /// What the links give.
    #[default]
    Raw,
    /// Every message arrives, once.
    Reliable,
    /// And in the order of sending.
    ReliableFifo,
}

/// How heartbeats are sent and listened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// From one to the next, above 0.
    pub period: Duration,
    /// The silence after which a process is suspected.
    pub timeout: Duration,
    /// By how much that grows for a process that was suspected wrongly.
    pub increment: Duration,
}

/// What travels between two transports.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Packet<M> {
    pub from: ProcessId,
    pub to: ProcessId,
    /// The life of the process whose numbers it is about: the sender of the data.
    pub incarnation: u32,
    /// Its sender crashed, and took it along.
    pub lost: bool,
    pub body: Body<M>,
}

#[derive(Clone, Debug, Hash)]
pub(crate) enum Body<M> {
    /// A message.
    Data(Data<M>),
    /// The message with this number has come.
    Ack(u64),
    /// I am there.
    Beat,
}

/// A message with its number on the link.
#[derive(Clone, Debug)]
pub(crate) struct Data<M> {
    pub number: u64,
    /// All below is acknowledged.
    pub base: u64,
    pub id: MessageId,
    pub msg: M,
}

impl<M: Hash> Hash for Data<M> {
    /// The message under its number on the link; not the number of the transmission.
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.number, self.base, &self.msg).hash(state);
    }
}

/// What becomes of a message that has come.
#[derive(Debug)]
pub(crate) enum Receipt<M> {
    /// It has been handed over before, to this life of the receiver or an earlier one.
    Again,
    /// Others come first.
    Early,
    /// These can be handed over now, in this order.
    Deliverable(Vec<Data<M>>),
}

/// The transport of one process.
#[derive(Clone, Debug)]
pub(crate) struct Transport<M> {
    outgoing: BTreeMap<ProcessId, Outgoing<M>>,
    incoming: BTreeMap<ProcessId, Incoming<M>>,
    heard: BTreeMap<ProcessId, Heard>,
    /// Whether it is to look for what is not acknowledged.
    pub resends: bool,
}

#[derive(Clone, Debug)]
struct Outgoing<M> {
    next: u64,
    unacknowledged: BTreeMap<u64, (MessageId, M)>,
}

#[derive(Clone, Debug, Hash)]
struct Incoming<M> {
    incarnation: u32,
    /// All below has come.
    base: u64,
    /// What has come beyond; with FIFO it waits, without it is delivered already.
    early: BTreeMap<u64, Option<Data<M>>>,
}

#[derive(Clone, Copy, Debug)]
struct Heard {
    last: Instant,
    timeout: Duration,
    suspected: bool,
}

impl<M: Clone> Transport<M> {
    pub const fn new() -> Self {
        Self {
            outgoing: BTreeMap::new(),
            incoming: BTreeMap::new(),
            heard: BTreeMap::new(),
            resends: false,
        }
    }

    /// Takes over a message to `to`: what is to be sent for it.
    pub fn send(&mut self, to: ProcessId, id: MessageId, msg: M) -> Body<M> {
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

    /// What is not acknowledged yet, to be sent again.
    pub fn unacknowledged(&self) -> Vec<(ProcessId, Body<M>)> {
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

    /// A message has come from this life of its sender.
    pub fn receive(
        &mut self,
        from: ProcessId,
        incarnation: u32,
        data: Data<M>,
        guarantee: Guarantee,
    ) -> Receipt<M> {
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
            // An earlier life of the receiver was handed the rest: it does not come any more.
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

    /// What is still to be acknowledged and handed over, and how long each process has been silent.
    pub fn fingerprint(&self, now: Instant, digest: &mut Digest)
    where
        M: Hash,
    {
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

    /// Starts to listen for this process.
    pub fn listen(&mut self, to: ProcessId, now: Instant, timeout: Duration) {
        self.heard.entry(to).or_insert(Heard { last: now, timeout, suspected: false });
    }

    /// This process is there: true if it was suspected.
    pub fn hear(&mut self, from: ProcessId, now: Instant, increment: Duration) -> bool {
        let Some(heard) = self.heard.get_mut(&from) else { return false };
        heard.last = now;
        if heard.suspected {
            heard.timeout = heard.timeout + increment;
        }
        std::mem::take(&mut heard.suspected)
    }

    /// Who is suspected from now on; `span` tells how long a time is on the process's own clock.
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
