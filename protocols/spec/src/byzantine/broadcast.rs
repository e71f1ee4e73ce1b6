//! Byzantine broadcast: a sender that lies cannot have two correct processes deliver two things.
//!
//! Properties after Cachin, Guerraoui and Rodrigues (2011), sections 3.10 and 3.11. A message is an
//! instance with a name, its sender and a number, and has a content. The core is Byzantine
//! consistent broadcast; totality, which makes it Byzantine reliable broadcast, is a claim. The
//! announcements of a Byzantine process do not count: properties concern only correct processes.
//!
//! Words: the book's *integrity* is our `rb.no-creation`. Its *validity* is that of best-effort
//! broadcast: without totality, a sender that delivers its own message says nothing of the others.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::{
    Ask, Duration, End, FaultClass, Invalid, Observation, Observed, OperationName, ProcessId,
    ProcessSet, Property, PropertyEntry, PropertyId, Setting, Spec, Violation, Workload,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::broadcast::{
    self, Agreement, BEST_EFFORT, BestEffort, Delivering, MessageNumber, NO_CREATION,
    NO_DUPLICATION, NoDuplication, Obliging,
};
use crate::message_set::MessageName;
use crate::refuse_too_many;

/// The problem of delivering the messages of senders, some of which lie.
pub struct ByzantineBroadcast;

/// What a message says.
pub type Content = u64;

/// A request to a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// Broadcast a message.
    Broadcast {
        /// Its number, unique among those of its sender.
        number: MessageNumber,
        /// What it says.
        content: Content,
    },
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
        /// What it says.
        content: Content,
    },
}

/// No two correct processes deliver different contents of one message.
pub const CONSISTENCY: PropertyId = PropertyId("brb.consistency");
/// All correct processes deliver what one of them delivers.
pub const TOTALITY: PropertyId = PropertyId("brb.totality");

impl Spec for ByzantineBroadcast {
    const NAME: &'static str = "byzantine-broadcast";
    const FAULTS: &'static [FaultClass] =
        &[FaultClass::None, FaultClass::CrashStop, FaultClass::Byzantine];
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::liveness(
            BEST_EFFORT,
            "every correct process eventually delivers a message that a correct process broadcasts",
            |setting| Box::new(BestEffort::new(setting)),
        )
        .in_any_order(),
        PropertyEntry::safety(
            NO_DUPLICATION,
            "no correct process delivers a message twice, even with other contents",
            |setting| Box::new(NoDuplication::new(setting)),
        )
        .in_any_order(),
        PropertyEntry::safety(
            NO_CREATION,
            "what correct processes deliver of a correct sender, it broadcast before",
            |_| Box::new(NoCreation::default()),
        )
        .in_any_order(),
        PropertyEntry::safety(
            CONSISTENCY,
            "no two correct processes deliver different contents of one message",
            |_| Box::new(Consistency::default()),
        )
        .in_any_order(),
        PropertyEntry::liveness(TOTALITY, broadcast::AGREEMENT_TEXT, |setting| {
            Box::new(Agreement::new(Obliging::Correct, setting))
        })
        .if_claimed()
        .in_any_order(),
    ];

    type Request = Request;
    type Indication = Indication;
    type WorkloadSettings = ByzantineBroadcastWorkload;
    type Workload = Broadcasters;

    fn workload(
        settings: &ByzantineBroadcastWorkload,
        setting: &Setting,
    ) -> Result<Broadcasters, Invalid> {
        if let Some(stranger) = settings.senders.iter().find(|p| p.0 >= setting.n) {
            return Err(Invalid::new("senders", format!("there is no process {stranger}")));
        }
        let mut named = ProcessSet::new();
        if let Some(twice) = settings.senders.iter().find(|p| !named.insert(**p)) {
            return Err(Invalid::new("senders", format!("{twice} is named twice")));
        }
        if settings.draw_below == 0 {
            return Err(Invalid::new("draw_below", "no content is below 0"));
        }
        let mut settings = settings.clone();
        if settings.senders.is_empty() {
            settings.senders = setting.processes().collect();
        }
        refuse_too_many("broadcasts", settings.broadcasts, settings.senders.len())?;
        Ok(Broadcasters(settings))
    }

    /// A broadcast is answered when its sender delivers it.
    fn operation(
        p: ProcessId,
        Request::Broadcast { number, .. }: &Request,
    ) -> Option<OperationName> {
        Some(OperationName::at(p, *number))
    }

    fn phrase(Indication::Deliver { sender, number, content }: &Indication) -> Option<String> {
        Some(format!("delivers {content} as message {number} of {sender}"))
    }

    fn answers(
        p: ProcessId,
        Indication::Deliver { sender, number, .. }: &Indication,
    ) -> impl Iterator<Item = OperationName> {
        (*sender == p).then(|| OperationName::at(p, *number)).into_iter()
    }
}

/// The broadcasts that clients request.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ByzantineBroadcastWorkload {
    /// The processes that broadcast; all, if empty.
    pub senders: Vec<ProcessId>,
    /// The number of messages that each of them broadcasts.
    pub broadcasts: u32,
    /// The time between two broadcasts of a process; the first is at the start.
    pub every: Duration,
    /// Each content is drawn from 0 up to, but not including, this one.
    pub draw_below: Content,
}

impl Default for ByzantineBroadcastWorkload {
    fn default() -> Self {
        let every = Duration::from_millis(10);
        Self { senders: Vec::new(), broadcasts: 1, every, draw_below: 2 }
    }
}

/// The clients of a Byzantine broadcast: each requests its messages at fixed times, each one after
/// the sender has received the request before.
#[derive(Clone, Debug, Hash)]
pub struct Broadcasters(ByzantineBroadcastWorkload);

impl Broadcasters {
    fn request(
        &self,
        sender: ProcessId,
        number: MessageNumber,
        after: Duration,
        ask: &mut Ask<'_, ByzantineBroadcast>,
    ) {
        let content = ask.rng().below(self.0.draw_below);
        ask.request(sender, after, Request::Broadcast { number, content });
    }
}

impl Workload<ByzantineBroadcast> for Broadcasters {
    fn on_start(&mut self, ask: &mut Ask<'_, ByzantineBroadcast>) {
        if self.0.broadcasts > 0 {
            for sender in &self.0.senders {
                self.request(*sender, 0, Duration::ZERO, ask);
            }
        }
    }

    fn on_request(
        &mut self,
        sender: ProcessId,
        Request::Broadcast { number, .. }: &Request,
        ask: &mut Ask<'_, ByzantineBroadcast>,
    ) {
        if number + 1 < u64::from(self.0.broadcasts) {
            self.request(sender, number + 1, self.0.every, ask);
        }
    }
}

impl Delivering for ByzantineBroadcast {
    fn requested(Request::Broadcast { number, .. }: &Request) -> Option<MessageNumber> {
        Some(*number)
    }

    fn delivered(Indication::Deliver { sender, number, .. }: &Indication) -> Option<MessageName> {
        Some((*sender, *number))
    }
}

/// The message that a process delivers, and its content.
fn delivered(event: &Observed<'_, ByzantineBroadcast>) -> Option<(MessageName, Content)> {
    match event.what {
        Observation::Indication(Indication::Deliver { sender, number, content }) => {
            Some(((*sender, *number), *content))
        }
        _ => None,
    }
}

/// Integrity: remembers the broadcasts, and deliveries of something else. It compares them at the
/// end, when it is known which senders are correct.
#[derive(Clone, Debug, Default, Hash)]
struct NoCreation {
    broadcast: BTreeSet<(MessageName, Content)>,
    created: Vec<(ProcessId, MessageName, Content)>,
    /// By the delivering process and the sender.
    deliveries: BTreeMap<(ProcessId, ProcessId), u64>,
    /// Known at the end: deliveries of correct processes from correct senders.
    from_correct: u64,
}

impl Property<ByzantineBroadcast> for NoCreation {
    fn observe(&mut self, event: &Observed<'_, ByzantineBroadcast>) -> Result<(), Violation> {
        let p = event.process;
        if let Observation::Request(Request::Broadcast { number, content }) = event.what {
            self.broadcast.insert(((p, *number), *content));
        }
        if let Some((message, content)) = delivered(event) {
            *self.deliveries.entry((p, message.0)).or_default() += 1;
            if !self.broadcast.contains(&(message, content)) {
                self.created.push((p, message, content));
            }
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let both_correct = |p, sender| end.is_correct(p) && end.is_correct(sender);
        let from_correct = self.deliveries.iter().filter(|((p, s), _)| both_correct(*p, *s));
        self.from_correct = from_correct.map(|(_, count)| count).sum();
        match self.created.iter().find(|(p, (sender, _), _)| both_correct(*p, *sender)) {
            None => Ok(()),
            Some((p, (sender, number), content)) => Err(Violation::by(
                [*p, *sender],
                format!(
                    "{p} delivered {content} as message {number} of {sender}, who had not said so"
                ),
            )),
        }
    }

    fn exercised(&self) -> u64 {
        self.from_correct
    }
}

/// Consistency: remembers who delivered which content of each message, and compares them at the
/// end, when it is known which processes are correct.
#[derive(Clone, Debug, Default, Hash)]
struct Consistency {
    deliverers: BTreeMap<MessageName, BTreeMap<Content, ProcessSet>>,
    /// Known at the end: deliveries by correct processes of what another one delivered.
    comparisons: u64,
}

impl Property<ByzantineBroadcast> for Consistency {
    fn observe(&mut self, event: &Observed<'_, ByzantineBroadcast>) -> Result<(), Violation> {
        if let Some((message, content)) = delivered(event) {
            let contents = self.deliverers.entry(message).or_default();
            contents.entry(content).or_default().insert(event.process);
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        for ((sender, number), contents) in &self.deliverers {
            let correct = |by: &ProcessSet| by.iter().filter(|p| end.is_correct(*p)).count() as u64;
            let count: u64 = contents.values().map(correct).sum();
            self.comparisons += count.saturating_sub(1);
            let first = |(content, by): (&Content, &ProcessSet)| {
                Some((by.iter().find(|p| end.is_correct(*p))?, *content))
            };
            let mut firsts = contents.iter().filter_map(first);
            if let (Some((p, v)), Some((q, w))) = (firsts.next(), firsts.next()) {
                let message = format!(
                    "as message {number} of {sender}, {p} delivered {v} and {q} delivered {w}"
                );
                return Err(Violation::by([p, q], message));
            }
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.comparisons
    }
}

#[cfg(test)]
#[path = "broadcast_tests.rs"]
mod tests;
