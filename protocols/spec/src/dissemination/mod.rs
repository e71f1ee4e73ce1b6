//! Dissemination, or probabilistic broadcast: a message spreads to almost all processes.
//!
//! After Eugster, Guerraoui, Handurukande, Kouznetsov and Kermarrec (2003), *Lightweight
//! probabilistic broadcast*, and Demers et al. (1987), *Epidemic algorithms for replicated database
//! maintenance*. The core is RB2 and RB3 of broadcast. In place of validity and agreement there is
//! a share of the correct processes, which a solution promises to reach with a probability that its
//! parameters determine. So a run that reaches fewer refutes a solution only as far as that
//! probability is close to one.
//!
//! A checker needs a bit for each process and message, and nothing for processes that are never
//! reached.

mod reach;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ftsim_core::{
    Duration, End, Invalid, Observation, Observed, OperationName, ProcessId, Property,
    PropertyEntry, PropertyId, Setting, Spec, Violation,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::broadcast::{AGREEMENT, MessageNumber, NO_CREATION, NO_DUPLICATION, Request};
use crate::broadcast::{
    AGREEMENT_TEXT, Delivering, NO_CREATION_TEXT, NO_DUPLICATION_TEXT, NoCreation, Senders,
    broadcast, delivered,
};
use crate::message_set::MessageName;
pub use reach::{Reach, Reached};

/// The problem of spreading messages to almost all processes.
pub struct Dissemination;

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
    /// A probe: the messages of this process are promised to reach this share of the correct
    /// processes.
    Reaches(Share),
}

/// A share of processes, in millionths.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Share(u32);

impl Share {
    const WHOLE: u32 = 1_000_000;

    /// The share `s`, rounded to millionths, or `None` unless `0 <= s <= 1`.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "s is in 0..=1")]
    pub fn new(s: f64) -> Option<Self> {
        let millionths = s * f64::from(Self::WHOLE) + 0.5;
        (0.0..=1.0).contains(&s).then_some(Self(millionths as u32))
    }

    /// Whether `count` processes are at least this share of `total`.
    pub fn is_reached_by(self, count: u64, total: u64) -> bool {
        u128::from(count) * u128::from(Self::WHOLE) >= u128::from(total) * u128::from(self.0)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", f64::from(self.0) / 1e4)
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The share of the correct processes that a message reaches.
pub const COVERAGE: PropertyId = PropertyId("gossip.coverage");

impl Spec for Dissemination {
    const NAME: &'static str = "dissemination";
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::safety(NO_DUPLICATION, NO_DUPLICATION_TEXT, |setting| {
            Box::new(NoDuplication { reach: Reach::new(setting), deliveries: 0 })
        }),
        PropertyEntry::safety(NO_CREATION, NO_CREATION_TEXT, |_| Box::new(NoCreation::default())),
        PropertyEntry::liveness(
            COVERAGE,
            "the promised share of the correct processes delivers what a correct one broadcasts",
            |setting| Box::new(Coverage::new(setting)),
        )
        .if_claimed(),
        PropertyEntry::liveness(AGREEMENT, AGREEMENT_TEXT, |setting| {
            Box::new(Agreement { reach: Reach::new(setting), obligations: 0 })
        })
        .if_claimed(),
    ];

    type Request = Request;
    type Indication = Indication;
    type WorkloadSettings = DisseminationWorkload;
    type Workload = Senders;

    fn workload(settings: &DisseminationWorkload, setting: &Setting) -> Result<Senders, Invalid> {
        let DisseminationWorkload { senders, broadcasts, every } = settings;
        Senders::new(senders.clone(), *broadcasts, *every, setting)
    }

    fn is_probe(indication: &Indication) -> bool {
        matches!(indication, Indication::Reaches(_))
    }

    fn phrase(indication: &Indication) -> Option<String> {
        Some(match indication {
            Indication::Deliver { sender, number } => format!("delivers {number} of {sender}"),
            Indication::Reaches(share) => {
                format!("promises to reach {share} of the correct processes")
            }
        })
    }

    /// A broadcast is answered when its sender delivers it.
    fn operation(p: ProcessId, Request::Broadcast(number): &Request) -> Option<OperationName> {
        Some(OperationName::at(p, *number))
    }

    fn answers(p: ProcessId, indication: &Indication) -> impl Iterator<Item = OperationName> {
        let own = Self::delivered(indication).filter(|(sender, _)| *sender == p);
        own.map(|(_, number)| OperationName::at(p, number)).into_iter()
    }
}

impl Delivering for Dissemination {
    fn delivered(indication: &Indication) -> Option<MessageName> {
        match indication {
            Indication::Deliver { sender, number } => Some((*sender, *number)),
            Indication::Reaches(_) => None,
        }
    }
}

/// The messages that clients have spread.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DisseminationWorkload {
    /// The processes that broadcast.
    pub senders: Vec<ProcessId>,
    /// The number of messages that each of them broadcasts.
    pub broadcasts: u32,
    /// The time between two broadcasts of a process; the first is at the start.
    pub every: Duration,
}

impl Default for DisseminationWorkload {
    fn default() -> Self {
        Self { senders: vec![ProcessId(0)], broadcasts: 1, every: Duration::from_millis(10) }
    }
}

/// RB2: remembers the deliveries.
#[derive(Clone, Debug, Hash)]
struct NoDuplication {
    reach: Reach,
    deliveries: u64,
}

impl Property<Dissemination> for NoDuplication {
    fn observe(&mut self, event: &Observed<'_, Dissemination>) -> Result<(), Violation> {
        let Some(message) = delivered(event) else { return Ok(()) };
        self.deliveries += 1;
        let (p, (sender, number)) = (event.process, message);
        if self.reach.add(message, p) {
            return Ok(());
        }
        Err(Violation::by([p], format!("{p} delivered message {number} of {sender} twice")))
    }

    fn exercised(&self) -> u64 {
        self.deliveries
    }
}

/// Coverage: remembers broadcasts, deliveries and promises, and counts at the end.
#[derive(Clone, Debug, Hash)]
struct Coverage {
    reach: Reach,
    broadcast: BTreeSet<MessageName>,
    promised: BTreeMap<ProcessId, Share>,
    /// Known at the end: messages with a promise.
    obligations: u64,
}

impl Coverage {
    fn new(setting: &Setting) -> Self {
        let (broadcast, promised) = (BTreeSet::new(), BTreeMap::new());
        Self { reach: Reach::new(setting), broadcast, promised, obligations: 0 }
    }
}

impl Property<Dissemination> for Coverage {
    fn observe(&mut self, event: &Observed<'_, Dissemination>) -> Result<(), Violation> {
        if let Some(message) = delivered(event) {
            self.reach.add(message, event.process);
        } else if let Some(message) = broadcast(event) {
            self.broadcast.insert(message);
        } else if let Observation::Indication(Indication::Reaches(share)) = event.what {
            self.promised.insert(event.process, *share);
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        for &(sender, number) in self.broadcast.iter().filter(|(p, _)| end.is_correct(*p)) {
            let Some(share) = self.promised.get(&sender) else { continue };
            self.obligations += 1;
            let Reached { count, total } = self.reach.of((sender, number), end);
            if !share.is_reached_by(count, total) {
                let missed = self.reach.first_missed((sender, number), end);
                let message = format!(
                    "message {number} of {sender} reached {count} of {total} correct processes, \
                     not {share}"
                );
                return Err(Violation::by([Some(sender), missed].into_iter().flatten(), message));
            }
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.obligations
    }
}

/// RB4, which dissemination does not promise: remembers the deliveries, and looks for missing ones
/// at the end.
#[derive(Clone, Debug, Hash)]
struct Agreement {
    reach: Reach,
    /// Known at the end: messages that every correct process must deliver.
    obligations: u64,
}

impl Property<Dissemination> for Agreement {
    fn observe(&mut self, event: &Observed<'_, Dissemination>) -> Result<(), Violation> {
        if let Some(message) = delivered(event) {
            self.reach.add(message, event.process);
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        for message in self.reach.messages() {
            let Some(first) = self.reach.first_reached(message, end) else { continue };
            self.obligations += 1;
            if let Some(missed) = self.reach.first_missed(message, end) {
                let (sender, number) = message;
                return Err(Violation::by(
                    [first, missed],
                    format!("{first} delivered message {number} of {sender}, {missed} never did"),
                ));
            }
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.obligations
    }
}

#[cfg(test)]
mod tests;
