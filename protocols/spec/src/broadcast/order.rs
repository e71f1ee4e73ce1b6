//! The orders in which processes deliver: FIFO, causal and total.
//!
//! Definitions after Hadzilacos and Toueg (1994), for uniform total order without gaps after
//! Défago, Schiper and Urbán (2004), section 2, and for prefixes after Schneider (1990).

use std::collections::BTreeMap;
use std::hash::Hash;

use ftsim_core::digest::Digest;
use ftsim_core::{End, Observed, ProcessId, Property, Setting, Violation};

use super::{Broadcast, broadcast, delivered, delivered_by_none};
use crate::message_set::{MessageName, MessageSet};

/// The messages that must be delivered before a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Past {
    /// Those that its sender broadcast before.
    Fifo,
    /// Those that its sender broadcast or delivered before, and those that must be delivered before
    /// these.
    Causal,
}

/// FIFO and causal order: remembers the past of each message, and compares it with what a process
/// that delivers the message has delivered.
#[derive(Clone, Debug, Hash)]
pub(super) struct PastFirst {
    past: Past,
    /// The past of the next broadcast of each process, in the order of their ids.
    next: Vec<MessageSet>,
    of_message: BTreeMap<MessageName, MessageSet>,
    /// For each process, in the order of their ids.
    delivered: Vec<MessageSet>,
    /// Deliveries of messages with a past.
    obligations: u64,
}

impl PastFirst {
    pub(super) fn new(past: Past, setting: &Setting) -> Self {
        let (next, delivered) = (delivered_by_none(setting), delivered_by_none(setting));
        Self { past, next, of_message: BTreeMap::new(), delivered, obligations: 0 }
    }

    fn deliver(&mut self, q: ProcessId, message: MessageName) -> Result<(), Violation> {
        // Nobody broadcast a message without a past; that is another property's concern.
        let Some(past) = self.of_message.get(&message) else { return Ok(()) };
        self.obligations += u64::from(!past.is_empty());
        if let Some(missing) = past.first_not_in(&self.delivered[q.index()]) {
            return Err(self.skipped(q, message, missing));
        }
        self.delivered[q.index()].insert(message);
        if self.past == Past::Causal {
            let known = MessageSet::union([&self.next[q.index()], past]);
            self.next[q.index()] = known;
            self.next[q.index()].insert(message);
        }
        Ok(())
    }

    fn skipped(&self, q: ProcessId, message: MessageName, missing: MessageName) -> Violation {
        let ((sender, number), (first, earlier)) = (message, missing);
        let why = match self.past {
            _ if sender == first => "which its sender broadcast earlier",
            _ => "which happened before it",
        };
        Violation::by(
            [q, sender],
            format!("{q} delivered {number} of {sender}, but not yet {earlier} of {first}, {why}"),
        )
    }
}

impl Property<Broadcast> for PastFirst {
    fn observe(&mut self, event: &Observed<'_, Broadcast>) -> Result<(), Violation> {
        if let Some(message) = broadcast(event) {
            let next = &mut self.next[event.process.index()];
            self.of_message.entry(message).or_insert_with(|| next.clone());
            next.insert(message);
        } else if let Some(message) = delivered(event) {
            return self.deliver(event.process, message);
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.obligations
    }
}

/// Total order: any two correct processes deliver the messages that both deliver in one order.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct TotalOrder {
    /// The number of deliveries of each process.
    counts: BTreeMap<ProcessId, u64>,
    /// The place of each message among the deliveries of each process.
    places: BTreeMap<MessageName, BTreeMap<ProcessId, u64>>,
    /// For each two processes: of the messages that both have delivered, the one that the second
    /// delivered last, and its place there.
    latest: BTreeMap<(ProcessId, ProcessId), (u64, MessageName)>,
    /// For two processes that delivered messages in different orders: two of these; the first
    /// process delivered the first one first.
    inversions: BTreeMap<(ProcessId, ProcessId), (MessageName, MessageName)>,
    /// Deliveries that could have been in the wrong order.
    comparisons: u64,
}

impl Property<Broadcast> for TotalOrder {
    fn observe(&mut self, event: &Observed<'_, Broadcast>) -> Result<(), Violation> {
        let Some(message) = delivered(event) else { return Ok(()) };
        let p = event.process;
        let places = self.places.entry(message).or_default();
        if places.contains_key(&p) {
            return Ok(());
        }
        let place = self.counts.entry(p).or_default();
        for (q, there) in &*places {
            if let Some((latest, earlier)) = self.latest.get(&(p, *q)) {
                self.comparisons += 1;
                if latest > there {
                    self.inversions.entry((p, *q)).or_insert((*earlier, message));
                }
            }
            let latest = self.latest.entry((p, *q)).or_insert((*there, message));
            *latest = (*latest).max((*there, message));
            self.latest.insert((*q, p), (*place, message));
        }
        places.insert(p, *place);
        *place += 1;
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let both_correct =
            |((p, q), _): &(&(ProcessId, ProcessId), _)| end.is_correct(*p) && end.is_correct(*q);
        let Some(((p, q), (first, second))) = self.inversions.iter().find(both_correct) else {
            return Ok(());
        };
        let [first, second] =
            [first, second].map(|(sender, number)| format!("{number} of {sender}"));
        Err(Violation::by(
            [*p, *q],
            format!("{p} delivered {first} before {second}, {q} the other way round"),
        ))
    }

    fn exercised(&self) -> u64 {
        self.comparisons
    }
}

/// Uniform total order without gaps: if two processes, correct or faulty, deliver a message, they
/// have delivered the same messages before it, in the same order.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct UniformTotalOrder {
    logs: BTreeMap<ProcessId, Log>,
    /// The process that delivered each message first, and the place of the message in its log.
    first: BTreeMap<MessageName, (ProcessId, usize)>,
    comparisons: u64,
}

/// The deliveries of a process, in order, and a digest of them up to each one.
#[derive(Clone, Debug, Default, Hash)]
struct Log {
    entries: Vec<(MessageName, u64)>,
    all: MessageSet,
}

impl Log {
    /// Adds a delivery; returns its place, if it is the first of this message.
    fn push(&mut self, message: MessageName) -> Option<usize> {
        if !self.all.insert(message) {
            return None;
        }
        let mut digest = Digest::EMPTY;
        (self.entries.last().map(|(_, digest)| *digest), message).hash(&mut digest);
        self.entries.push((message, digest.value()));
        Some(self.entries.len() - 1)
    }

    /// The first place at which two logs differ.
    fn difference(&self, other: &Self) -> usize {
        let pairs = self.entries.iter().zip(&other.entries);
        pairs.take_while(|(own, others)| own.0 == others.0).count()
    }

    /// The message at this place, in words.
    fn at(&self, place: usize) -> String {
        let message =
            self.entries.get(place).map(|((sender, number), _)| format!("{number} of {sender}"));
        message.unwrap_or_else(|| "nothing".to_owned())
    }
}

impl Property<Broadcast> for UniformTotalOrder {
    fn observe(&mut self, event: &Observed<'_, Broadcast>) -> Result<(), Violation> {
        let Some(message) = delivered(event) else { return Ok(()) };
        let p = event.process;
        // The second time is another property's concern.
        let Some(place) = self.logs.entry(p).or_default().push(message) else { return Ok(()) };
        let (q, there) = *self.first.entry(message).or_insert((p, place));
        if q == p {
            return Ok(());
        }
        self.comparisons += u64::from(place + there > 0);
        let (own, others) = (&self.logs[&p], &self.logs[&q]);
        if place == there && own.entries[place] == others.entries[there] {
            return Ok(());
        }
        let differ = own.difference(others);
        Err(Violation::by(
            [p, q],
            format!(
                "{p} and {q} both delivered {} of {}, but in place {} {p} delivered {}, and {q} {}",
                message.1,
                message.0,
                differ + 1,
                own.at(differ),
                others.at(differ),
            ),
        ))
    }

    fn exercised(&self) -> u64 {
        self.comparisons
    }
}

/// No divergence: remembers the longest sequence that any process has delivered. A newcomer must
/// deliver all that was delivered before: its sequence begins as that of the others.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Prefix {
    longest: Vec<MessageName>,
    /// The number of deliveries of each process.
    counts: BTreeMap<ProcessId, usize>,
    comparisons: u64,
}

impl Property<Broadcast> for Prefix {
    fn observe(&mut self, event: &Observed<'_, Broadcast>) -> Result<(), Violation> {
        let Some(message) = delivered(event) else { return Ok(()) };
        let p = event.process;
        let count = self.counts.entry(p).or_default();
        *count += 1;
        let Some(other) = self.longest.get(*count - 1) else {
            self.longest.push(message);
            return Ok(());
        };
        self.comparisons += 1;
        if *other == message {
            return Ok(());
        }
        let [own, other] =
            [&message, other].map(|(sender, number)| format!("{number} of {sender}"));
        Err(Violation::by([p], format!("{p} delivered {own} in place {count}, another {other}")))
    }

    fn exercised(&self) -> u64 {
        self.comparisons
    }
}

#[cfg(test)]
#[path = "order_tests.rs"]
mod tests;
