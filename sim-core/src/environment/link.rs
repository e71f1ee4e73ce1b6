//! Links as a scenario describes them: delay, loss and order of messages, and the reasons for
//! losses.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::environment::delay::Delay;
use crate::id::ProcessId;
use crate::process_set::ProcessSet;
use crate::rng::Probability;

/// The behaviour of one directed link.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Link {
    /// The delay of messages.
    pub delay: Delay,
    /// The loss of messages.
    pub loss: Loss,
    /// The probability that a message arrives twice; each copy has its own delay.
    pub duplicate: Probability,
    /// Whether messages can overtake each other.
    pub order: Order,
    /// The bandwidth in bytes per second; `None`: unlimited. The size of a message is the length of
    /// its JSON.
    pub bandwidth: Option<u64>,
    /// The probability that the content of a message is changed in transit.
    pub garble: Probability,
}

/// The loss model of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Each message independently.
    Independent(Probability),
    /// In bursts (Gilbert 1960, Elliott 1963): a good state loses nothing, a bad one loses with
    /// probability `loss`; `enter` and `leave` are the probabilities of a change of state per
    /// message.
    Burst {
        /// From good to bad.
        enter: Probability,
        /// From bad to good.
        leave: Probability,
        /// The probability of loss in the bad state.
        loss: Probability,
    },
}

impl Default for Loss {
    fn default() -> Self {
        Self::Independent(Probability::NEVER)
    }
}

/// Whether messages on one link can overtake each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Messages can overtake each other.
    #[default]
    Any,
    /// Messages arrive in the order of sending.
    Fifo,
}

/// The reason why a message was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DropReason {
    /// The link lost it.
    Loss,
    /// The link was cut when the message was sent, or when it would have arrived.
    Cut,
    /// Its sender failed to send it.
    SendOmission,
    /// Its receiver failed to receive it.
    ReceiveOmission,
    /// Its receiver was down.
    ReceiverDown,
    /// Its sender crashed while it was under way, and the fault made it lose such messages.
    SenderCrashed,
    /// There is no such process.
    NoSuchProcess,
    /// An override of the scenario dropped it.
    Override,
}

impl DropReason {
    /// Every reason, in the order of declaration.
    pub const ALL: [Self; 8] = [
        Self::Loss,
        Self::Cut,
        Self::SendOmission,
        Self::ReceiveOmission,
        Self::ReceiverDown,
        Self::SenderCrashed,
        Self::NoSuchProcess,
        Self::Override,
    ];

    /// The reason in words.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Loss => "lost",
            Self::Cut => "link cut",
            Self::SendOmission => "send omitted",
            Self::ReceiveOmission => "receive omitted",
            Self::ReceiverDown => "receiver down",
            Self::SenderCrashed => "sender crashed",
            Self::NoSuchProcess => "no such process",
            Self::Override => "dropped by the scenario",
        }
    }
}

/// The links that a partition cuts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Cut {
    /// Nothing passes between different groups; processes in none of them form another one.
    Groups(Vec<Vec<ProcessId>>),
    /// Nothing passes from the one side to the other; the reverse direction is open.
    OneWay {
        /// The side that is not heard.
        from: Vec<ProcessId>,
        /// The side that does not hear.
        to: Vec<ProcessId>,
    },
    /// Nothing passes on these directed links.
    Links(Vec<(ProcessId, ProcessId)>),
    /// Nothing passes between these two sides. Processes on neither side communicate with both.
    Bridge {
        /// One side.
        left: Vec<ProcessId>,
        /// The other side.
        right: Vec<ProcessId>,
    },
    /// All processes in a ring: each communicates with as many neighbours on both sides as form a
    /// majority with itself, so that every process sees a majority and no two see the same one.
    RingOfMajorities(Vec<ProcessId>),
}

impl Cut {
    /// Whether the link from `from` to `to` is cut.
    pub fn cuts(&self, from: ProcessId, to: ProcessId) -> bool {
        match self {
            Self::Groups(groups) => {
                let group = |p| groups.iter().position(|group| group.contains(&p));
                group(from) != group(to)
            }
            Self::OneWay { from: deaf_to, to: deaf } => {
                deaf_to.contains(&from) && deaf.contains(&to)
            }
            Self::Links(links) => links.contains(&(from, to)),
            Self::Bridge { left, right } => {
                let divided = |p, q| left.contains(&p) && right.contains(&q);
                divided(from, to) || divided(to, from)
            }
            Self::RingOfMajorities(ring) => {
                let place = |p| ring.iter().position(|q| *q == p);
                let Some((here, there)) = place(from).zip(place(to)) else { return false };
                let apart = here.abs_diff(there);
                let neighbours = (ring.len() / 2).div_ceil(2);
                apart.min(ring.len() - apart) > neighbours
            }
        }
    }
}

impl fmt::Display for Cut {
    /// `{p0} | {p1 p2} | the others`, `{p0} -> {p1}`, or the links one by one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = |ids: &[ProcessId]| ids.iter().copied().collect::<ProcessSet>().to_string();
        match self {
            Self::Groups(groups) => {
                let groups: Vec<String> = groups.iter().map(|group| set(group)).collect();
                write!(f, "{} | the others", groups.join(" | "))
            }
            Self::OneWay { from, to } => write!(f, "{} -> {}", set(from), set(to)),
            Self::Links(links) => {
                let links: Vec<String> = links.iter().map(|(p, q)| format!("{p} -> {q}")).collect();
                f.write_str(&links.join(", "))
            }
            Self::Bridge { left, right } => write!(f, "{} | {}", set(left), set(right)),
            Self::RingOfMajorities(ring) => {
                let ring: Vec<String> = ring.iter().map(ToString::to_string).collect();
                write!(f, "ring of majorities {}", ring.join(" "))
            }
        }
    }
}
