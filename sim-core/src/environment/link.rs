//! What a scenario says of links: how long, whether and in which order they carry messages, and why
//! they do not.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::environment::delay::Delay;
use crate::id::ProcessId;
use crate::process_set::ProcessSet;
use crate::rng::Probability;

/// How one directed link behaves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Link {
    /// How long a message travels.
    pub delay: Delay,
    /// Which messages are lost.
    pub loss: Loss,
    /// How likely a message is to arrive twice, each copy with a delay of its own.
    pub duplicate: Probability,
    /// Whether messages can overtake each other.
    pub order: Order,
    /// How many bytes it carries in a second; any number, if `None`. The size of a message is that
    /// of its JSON.
    pub bandwidth: Option<u64>,
    /// How likely the content of a message is to be changed on the way.
    pub garble: Probability,
}

/// Which messages a link loses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Each on its own.
    Independent(Probability),
    /// In bursts (Gilbert 1960, Elliott 1963): a good state loses nothing, a bad one loses with
    /// `loss`; `enter` and `leave` are the chances to change state at a message.
    Burst {
        /// From good to bad.
        enter: Probability,
        /// From bad to good.
        leave: Probability,
        /// Of a message in the bad state.
        loss: Probability,
    },
}

impl Default for Loss {
    fn default() -> Self {
        Self::Independent(Probability::NEVER)
    }
}

/// Whether messages of one link can overtake each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// They can.
    #[default]
    Any,
    /// They arrive in the order of sending.
    Fifo,
}

/// Why a message did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DropReason {
    /// The link lost it.
    Loss,
    /// The link was cut when it was sent, or when it would have arrived.
    Cut,
    /// Its sender failed to send it.
    SendOmission,
    /// Its receiver failed to receive it.
    ReceiveOmission,
    /// The process that it was for was down.
    ReceiverDown,
    /// Its sender crashed while it was under way, and the fault took it along.
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

/// Which links a partition cuts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Cut {
    /// Nothing passes between different groups; processes that are in none form one more.
    Groups(Vec<Vec<ProcessId>>),
    /// Nothing passes from the one side to the other; the way back is open.
    OneWay {
        /// The side that is not heard.
        from: Vec<ProcessId>,
        /// The side that does not hear.
        to: Vec<ProcessId>,
    },
    /// Nothing passes on these directed links.
    Links(Vec<(ProcessId, ProcessId)>),
    /// Nothing passes between these two sides. Who is in neither hears both, and both hear it.
    Bridge {
        /// One side.
        left: Vec<ProcessId>,
        /// The other.
        right: Vec<ProcessId>,
    },
    /// All processes in a ring: each hears as many neighbours on both sides as make a majority with
    /// itself, so that every one sees a majority and no two the same.
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
