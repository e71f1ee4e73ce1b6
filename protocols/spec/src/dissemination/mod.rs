//! Dissemination, or probabilistic broadcast: a message spreads to almost all processes.
//!
//! After Eugster, Guerraoui, Handurukande, Kouznetsov and Kermarrec (2003), *Lightweight
//! probabilistic broadcast*, and Demers et al. (1987), *Epidemic algorithms for replicated database
//! maintenance*. The core is RB2 and RB3 of broadcast. In place of validity and agreement there is
//! a share of the correct processes, which a solution promises to reach with a probability that its
//! parameters determine. So a run that reaches fewer refutes a solution only as far as that
//! probability is close to one.
//!
//! Two properties measure a run, for claims about the mean of many: `gossip.coverage` the share of
//! the correct processes that a message of a correct one reaches, whether a share was promised or
//! not, and `rb.agreement` the time in seconds that a message takes to reach all.
//!
//! A checker needs a bit for each process and message.

mod properties;
mod reach;

use std::fmt;

use ftsim_core::{
    Duration, Invalid, OperationName, ProcessId, PropertyEntry, PropertyId, Setting, Spec,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::broadcast::{AGREEMENT, MessageNumber, NO_CREATION, NO_DUPLICATION, Request};
use crate::broadcast::{
    AGREEMENT_TEXT, Delivering, NO_CREATION_TEXT, NO_DUPLICATION_TEXT, NoCreation, Senders,
};
use crate::message_set::MessageName;
use properties::{Agreement, Coverage, NoDuplication};
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
    const PROCESS_COUNT_MAX: u32 = 1_000_000;
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::safety(NO_DUPLICATION, NO_DUPLICATION_TEXT, |setting| {
            Box::new(NoDuplication::new(setting))
        }),
        PropertyEntry::safety(NO_CREATION, NO_CREATION_TEXT, |_| Box::new(NoCreation::default())),
        PropertyEntry::liveness(
            COVERAGE,
            "the promised share of the correct processes delivers what a correct one broadcasts",
            |setting| Box::new(Coverage::new(setting)),
        )
        .if_claimed(),
        PropertyEntry::liveness(AGREEMENT, AGREEMENT_TEXT, |setting| {
            Box::new(Agreement::new(setting))
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
    fn requested(Request::Broadcast(number): &Request) -> Option<MessageNumber> {
        Some(*number)
    }

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

#[cfg(test)]
mod tests;
