//! A link: one process delivers the messages that another sends.
//!
//! Properties after Cachin, Guerraoui and Rodrigues (2011), chapter 2. The core is that no message
//! is invented; how often and in which order a message is delivered are claims. Integrity of
//! contents is no matter here: links lose, duplicate and delay messages, but do not corrupt them.
//!
//! A process that recovers announces the deliveries that its application finds in its log
//! ([`Indication::Recovered`]): the *log-delivery* of Cachin, Guerraoui and Rodrigues, section
//! 2.4.5. So a delivery that was durable but not announced before the crash counts, once.

use std::collections::BTreeSet;
use std::fmt;

use ftsim_core::{
    Ask, Duration, FaultClass, Invalid, OperationName, ProcessId, PropertyEntry, PropertyId,
    Setting, Spec, Workload,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::refuse_too_many;

mod properties;
#[cfg(test)]
mod tests;

use properties::{ExactlyOnceEffect, Fifo, NoCreation, NoDuplication, Reliable};

/// The problem of transmitting messages from one process to another.
pub struct Link;

/// The number of a message, unique among those of its sender to its receiver.
pub type MessageNumber = u64;

/// A request to a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// Send a message.
    Send {
        /// The receiver.
        to: ProcessId,
        /// The number of the message.
        number: MessageNumber,
    },
}

/// An announcement of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// A message is delivered.
    Deliver {
        /// The sender.
        from: ProcessId,
        /// The number of the message.
        number: MessageNumber,
    },
    /// After a crash: the deliveries that the application finds in its log.
    Recovered {
        /// Sender and number of each message, as often as it is in the log.
        delivered: Vec<(ProcessId, MessageNumber)>,
    },
    /// The state of the application, after a delivery or a recovery.
    State(State),
}

/// The effect of a message on the application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Application {
    /// The message is added to a set: applying it twice changes nothing.
    Set,
    /// The message is counted: applying it twice is wrong.
    #[default]
    Counter,
}

/// The state of the application at one process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum State {
    /// The messages that were applied, by sender and number.
    Set(BTreeSet<(ProcessId, MessageNumber)>),
    /// The number of applications.
    Counter(u64),
}

impl State {
    /// The state before the first message.
    pub const fn new(application: Application) -> Self {
        match application {
            Application::Set => Self::Set(BTreeSet::new()),
            Application::Counter => Self::Counter(0),
        }
    }

    /// Applies a message.
    pub fn apply(&mut self, from: ProcessId, number: MessageNumber) {
        match self {
            Self::Set(set) => drop(set.insert((from, number))),
            Self::Counter(count) => *count = count.saturating_add(1),
        }
    }

    /// The number of different messages, or of applications.
    fn size(&self) -> u64 {
        match self {
            Self::Set(set) => set.len() as u64,
            Self::Counter(count) => *count,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(_) => write!(f, "a set of {}", self.size()),
            Self::Counter(count) => write!(f, "a counter at {count}"),
        }
    }
}

/// No message is invented.
pub const NO_CREATION: PropertyId = PropertyId("lnk.no-creation");
/// A message is delivered at most once.
pub const NO_DUPLICATION: PropertyId = PropertyId("lnk.no-duplication");
/// A message is delivered at least once.
pub const RELIABLE: PropertyId = PropertyId("lnk.reliable");
/// A message takes effect exactly once.
pub const EXACTLY_ONCE_EFFECT: PropertyId = PropertyId("lnk.exactly-once-effect");
/// Messages are delivered in the order of sending.
pub const FIFO: PropertyId = PropertyId("lnk.fifo");

impl Spec for Link {
    const NAME: &'static str = "link";
    const FAULTS: &'static [FaultClass] =
        &[FaultClass::None, FaultClass::CrashStop, FaultClass::CrashRecovery];
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::safety(
            NO_CREATION,
            "a message that is delivered was sent before by its sender to that process",
            |_| Box::new(NoCreation::default()),
        ),
        PropertyEntry::safety(
            NO_DUPLICATION,
            "no message is delivered twice, even if its receiver crashes",
            |_| Box::new(NoDuplication::default()),
        )
        .if_claimed(),
        PropertyEntry::liveness(
            RELIABLE,
            "a message between correct processes is eventually delivered, unless its sender \
                   crashes meanwhile",
            |_| Box::new(Reliable::default()),
        )
        .if_claimed(),
        PropertyEntry::safety(
            EXACTLY_ONCE_EFFECT,
            "the application's state is as if each delivered message was applied once",
            |_| Box::new(ExactlyOnceEffect::default()),
        )
        .if_claimed(),
        PropertyEntry::safety(
            FIFO,
            "of two messages from one sender that a process delivers, the one sent first \
                   is delivered first",
            |_| Box::new(Fifo::default()),
        )
        .if_claimed(),
    ];

    type Request = Request;
    type Indication = Indication;
    type WorkloadSettings = LinkWorkload;
    type Workload = Senders;

    fn workload(settings: &LinkWorkload, setting: &Setting) -> Result<Senders, Invalid> {
        let side = |key: &str, named: &[ProcessId]| {
            if let Some(stranger) = named.iter().find(|p| p.0 >= setting.n) {
                return Err(Invalid::new(key, format!("there is no process {stranger}")));
            }
            let all = || setting.processes().collect();
            Ok(if named.is_empty() { all() } else { named.to_vec() })
        };
        let senders = side("senders", &settings.senders)?;
        let receivers = side("receivers", &settings.receivers)?;
        refuse_too_many("messages", settings.messages, senders.len() * receivers.len())?;
        Ok(Senders { senders, receivers, messages: settings.messages, every: settings.every })
    }

    fn phrase(indication: &Indication) -> Option<String> {
        match indication {
            Indication::Deliver { from, number } => Some(format!("delivers {number} from {from}")),
            Indication::Recovered { .. } | Indication::State(_) => None,
        }
    }

    fn is_probe(indication: &Indication) -> bool {
        matches!(indication, Indication::State(_))
    }

    /// A request to send is answered when the receiver delivers the message, or finds after a crash
    /// that it has.
    fn operation(p: ProcessId, Request::Send { to, number }: &Request) -> Option<OperationName> {
        Some(OperationName { asked: p, answers: *to, number: *number })
    }

    fn answers(p: ProcessId, indication: &Indication) -> impl Iterator<Item = OperationName> {
        let (delivered, recovered) = match indication {
            Indication::Deliver { from, number } => (Some((*from, *number)), None),
            Indication::Recovered { delivered } => (None, Some(delivered)),
            Indication::State(_) => (None, None),
        };
        let messages = delivered.into_iter().chain(recovered.into_iter().flatten().copied());
        messages.map(move |(from, number)| OperationName { asked: from, answers: p, number })
    }
}

/// The messages that clients send.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LinkWorkload {
    /// The processes that send; all, if empty.
    pub senders: Vec<ProcessId>,
    /// The processes to which each of them sends; all others, if empty.
    pub receivers: Vec<ProcessId>,
    /// The number of messages from each sender to each receiver.
    pub messages: u32,
    /// The time between two messages; the first is at the start.
    pub every: Duration,
}

impl Default for LinkWorkload {
    fn default() -> Self {
        Self {
            senders: Vec::new(),
            receivers: Vec::new(),
            messages: 1,
            every: Duration::from_millis(10),
        }
    }
}

/// The clients of links: each makes its requests at fixed times.
#[derive(Clone, Debug, Hash)]
pub struct Senders {
    senders: Vec<ProcessId>,
    receivers: Vec<ProcessId>,
    messages: u32,
    every: Duration,
}

impl Workload<Link> for Senders {
    fn on_start(&mut self, ask: &mut Ask<'_, Link>) {
        for number in 0..u64::from(self.messages) {
            for from in &self.senders {
                for to in self.receivers.iter().filter(|to| *to != from) {
                    let send = Request::Send { to: *to, number };
                    ask.request(*from, self.every.times(number), send);
                }
            }
        }
    }
}
