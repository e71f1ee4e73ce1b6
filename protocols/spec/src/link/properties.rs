//! The properties of a link, each with its checker.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ftsim_core::{End, Observation, Observed, ProcessId, Property, Violation};

use super::{Indication, Link, MessageNumber, Request, State};

/// The identity of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct MessageName {
    from: ProcessId,
    to: ProcessId,
    number: MessageNumber,
}

impl fmt::Display for MessageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message {} from {} to {}", self.number, self.from, self.to)
    }
}

fn sent(event: &Observed<'_, Link>) -> Option<MessageName> {
    match event.what {
        Observation::Request(Request::Send { to, number }) => {
            Some(MessageName { from: event.process, to: *to, number: *number })
        }
        _ => None,
    }
}

/// The message that is delivered in this event.
fn delivered(event: &Observed<'_, Link>) -> Option<MessageName> {
    match event.what {
        Observation::Indication(Indication::Deliver { from, number }) => {
            Some(MessageName { from: *from, to: event.process, number: *number })
        }
        _ => None,
    }
}

/// The deliveries that a process finds in its log after a crash; some may not have been announced.
fn recovered<'a>(event: &Observed<'a, Link>) -> impl Iterator<Item = MessageName> + use<'a> {
    let found = match event.what {
        Observation::Indication(Indication::Recovered { delivered }) => Some(delivered),
        _ => None,
    };
    let to = event.process;
    let name = move |(from, number): &(ProcessId, MessageNumber)| MessageName {
        from: *from,
        to,
        number: *number,
    };
    found.into_iter().flatten().map(name)
}

/// Remembers the messages sent.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct NoCreation {
    sent: BTreeSet<MessageName>,
    deliveries: u64,
}

impl Property<Link> for NoCreation {
    fn observe(&mut self, event: &Observed<'_, Link>) -> Result<(), Violation> {
        self.sent.extend(sent(event));
        for message in delivered(event).into_iter().chain(recovered(event)) {
            self.deliveries += 1;
            if !self.sent.contains(&message) {
                let (from, to) = (message.from, message.to);
                let said = format!("{to} delivered {message}, which {from} never sent");
                return Err(Violation::by([to, from], said));
            }
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.deliveries
    }
}

/// Remembers the messages delivered.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct NoDuplication {
    delivered: BTreeSet<MessageName>,
}

impl Property<Link> for NoDuplication {
    fn observe(&mut self, event: &Observed<'_, Link>) -> Result<(), Violation> {
        let mut found = BTreeSet::new();
        for message in recovered(event) {
            if !found.insert(message) {
                let to = message.to;
                let said = format!("{to} finds {message} in its log twice: it was delivered again");
                return Err(Violation::by([to], said));
            }
        }
        self.delivered.append(&mut found);
        let Some(message) = delivered(event) else { return Ok(()) };
        if self.delivered.insert(message) {
            return Ok(());
        }
        Err(Violation::by([message.to], format!("{} delivered {message} twice", message.to)))
    }

    fn exercised(&self) -> u64 {
        self.delivered.len() as u64
    }
}

/// Remembers the messages sent, and whether they were delivered.
///
/// A message need not be delivered if its sender crashed after sending it and before its delivery
/// (Cachin, Guerraoui and Rodrigues 2011, LPL1: "a process that never crashes").
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Reliable {
    delivered: BTreeMap<MessageName, bool>,
    /// Known at the end: messages between correct processes.
    obligations: u64,
}

impl Property<Link> for Reliable {
    fn observe(&mut self, event: &Observed<'_, Link>) -> Result<(), Violation> {
        if let Some(message) = sent(event) {
            self.delivered.insert(message, false);
        }
        for message in delivered(event).into_iter().chain(recovered(event)) {
            self.delivered.entry(message).and_modify(|delivered| *delivered = true);
        }
        if matches!(event.what, Observation::Crash) {
            self.delivered.retain(|message, delivered| *delivered || message.from != event.process);
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let obliges = |m: &MessageName| end.is_correct(m.from) && end.is_correct(m.to);
        let mut owed = self.delivered.iter().filter(|(message, _)| obliges(message));
        self.obligations = owed.clone().count() as u64;
        let Some((message, _)) = owed.find(|(_, delivered)| !**delivered) else { return Ok(()) };
        let MessageName { from, to, .. } = *message;
        Err(Violation::by([from, to], format!("{to} never delivered {message}")))
    }

    fn exercised(&self) -> u64 {
        self.obligations
    }
}

/// Remembers the different messages that each process delivered, and compares them with its state.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct ExactlyOnceEffect {
    delivered: BTreeMap<ProcessId, BTreeSet<(ProcessId, MessageNumber)>>,
    /// States announced after a delivery.
    compared: u64,
}

impl Property<Link> for ExactlyOnceEffect {
    fn observe(&mut self, event: &Observed<'_, Link>) -> Result<(), Violation> {
        let p = event.process;
        for MessageName { from, to, number } in delivered(event).into_iter().chain(recovered(event))
        {
            self.delivered.entry(to).or_default().insert((from, number));
        }
        let Observation::Indication(Indication::State(state)) = event.what else { return Ok(()) };
        let none = BTreeSet::new();
        let delivered = self.delivered.get(&p).unwrap_or(&none);
        self.compared += u64::from(!delivered.is_empty());
        let once = match state {
            State::Set(set) => set == delivered,
            State::Counter(count) => *count == delivered.len() as u64,
        };
        if once {
            return Ok(());
        }
        let different = delivered.len();
        let said = format!("{p} delivered {different} different messages and has {state}");
        Err(Violation::by([p], said))
    }

    fn exercised(&self) -> u64 {
        self.compared
    }
}

/// Remembers the order in which messages were sent, and the last one delivered on each link.
///
/// It compares delivered messages, and does not ask for others: dropping a late message keeps the
/// order, and is a matter of [`Reliable`]. Nor does it judge a second delivery.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Fifo {
    sent: BTreeMap<MessageName, u64>,
    delivered: BTreeSet<MessageName>,
    latest: BTreeMap<(ProcessId, ProcessId), MessageName>,
    /// Pairs of messages whose order was compared.
    compared: u64,
}

impl Property<Link> for Fifo {
    fn observe(&mut self, event: &Observed<'_, Link>) -> Result<(), Violation> {
        if let Some(message) = sent(event) {
            let place = self.sent.len() as u64;
            self.sent.entry(message).or_insert(place);
        }
        // Deliveries found in a log have no order.
        self.delivered.extend(recovered(event));
        let Some(message) = delivered(event) else { return Ok(()) };
        if !self.sent.contains_key(&message) || !self.delivered.insert(message) {
            return Ok(());
        }
        let MessageName { from, to, number } = message;
        let Some(before) = self.latest.insert((from, to), message) else { return Ok(()) };
        self.compared += 1;
        if self.sent.get(&before) < self.sent.get(&message) {
            return Ok(());
        }
        let earlier = before.number;
        let said = format!("{to} delivered message {number} of {from} after {earlier}, sent later");
        Err(Violation::by([to, from], said))
    }

    fn exercised(&self) -> u64 {
        self.compared
    }
}
