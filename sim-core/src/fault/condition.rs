//! Conditions: faults that last for a while, and their persistence.

use std::fmt;

use crate::environment::clock::Shift;
use crate::environment::network::Cut;
use crate::id::ProcessId;
use crate::process_set::ProcessSet;
use crate::rng::Probability;
use crate::time::{Duration, DurationRange};

/// A fault that lasts for a while.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// Links are cut. Messages that are sent on them, or would arrive on them, are lost.
    Partition(Cut),
    /// A process fails to send: messages that it sends on these links are lost with this
    /// probability. The process is faulty.
    SendOmission(ProcessId, Links, Probability),
    /// A process fails to receive: messages that arrive for it on these links are lost with this
    /// probability. The process is faulty.
    ReceiveOmission(ProcessId, Links, Probability),
    /// Messages on these links are lost with this probability, in addition to the link's own
    /// losses.
    Loss(Links, Probability),
    /// Messages on these links arrive twice with this probability.
    Duplicate(Links, Probability),
    /// Messages on these links take longer by this time: outside the bound, if there is one.
    Late(Links, Duration),
    /// Messages on these links take longer by a drawn time.
    Delay(Links, DurationRange),
    /// Messages on these links are held back with this probability, for a drawn time up to this
    /// one, so that later ones overtake them, on FIFO links too.
    Reorder(Links, Probability, Duration),
    /// Each message on these links makes an old message of the same link arrive again with this
    /// probability.
    Replay(Links, Probability),
    /// The content of messages on these links is changed in transit, with this probability.
    Garble(Links, Probability),
    /// These links carry at most this many bytes per second.
    Bandwidth(Links, u64),
    /// Messages sent on these links are held back until the condition ends.
    Clog(Links),
    /// A process is slow: its timers and its messages take this many times as long. It is faulty
    /// under timing assumptions.
    Slow(ProcessId, u32),
    /// The process's syncs fail.
    SyncFails(ProcessId),
    /// The process's syncs take longer by this time.
    SlowSync(ProcessId, Duration),
    /// The process's disk accepts no further records.
    DiskFull(ProcessId),
    /// The process's clock is shifted. It is faulty under timing assumptions.
    Skew(ProcessId, Shift),
    /// The process's clock runs faster by this many parts per million, or slower if negative. It is
    /// faulty under timing assumptions.
    Drift(ProcessId, i32),
    /// The process's clock and its timers stand still. It is faulty under timing assumptions.
    Freeze(ProcessId),
}

/// A set of directed links: those from `from` to `to`; a side that is `None` is all processes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Links {
    /// The senders.
    pub from: Option<ProcessSet>,
    /// The receivers.
    pub to: Option<ProcessSet>,
}

/// The duration of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Persistence {
    /// Once, for this long.
    Transient(Duration),
    /// Repeatedly: it lasts for `on` in each `period`.
    Intermittent {
        /// The time from one beginning to the next.
        period: Duration,
        /// The duration of each occurrence, less than `period`.
        on: Duration,
    },
    /// Until a fault heals everything, or permanently.
    Permanent,
}

impl Links {
    /// All links.
    pub const ALL: Self = Self { from: None, to: None };

    /// Whether the link from `from` to `to` is one of them.
    pub fn contains(&self, from: ProcessId, to: ProcessId) -> bool {
        let within = |set: &Option<ProcessSet>, p| set.as_ref().is_none_or(|set| set.contains(p));
        within(&self.from, from) && within(&self.to, to)
    }
}

impl Condition {
    /// The process that this condition makes faulty; `None` if it only affects the network.
    pub const fn faulty(&self) -> Option<ProcessId> {
        match self {
            Self::SendOmission(p, ..) | Self::ReceiveOmission(p, ..) | Self::Slow(p, _) => Some(*p),
            Self::SyncFails(p) | Self::SlowSync(p, _) | Self::DiskFull(p) => Some(*p),
            Self::Skew(p, _) | Self::Drift(p, _) | Self::Freeze(p) => Some(*p),
            Self::Partition(_) | Self::Loss(..) | Self::Duplicate(..) | Self::Late(..) => None,
            Self::Delay(..) | Self::Reorder(..) | Self::Replay(..) | Self::Garble(..) => None,
            Self::Bandwidth(..) | Self::Clog(_) => None,
        }
    }

    /// The process whose clock it affects, if any.
    pub const fn clock(&self) -> Option<ProcessId> {
        match self {
            Self::Skew(p, _) | Self::Drift(p, _) | Self::Freeze(p) => Some(*p),
            _ => None,
        }
    }
}

impl fmt::Display for Links {
    /// `all links`, or `{p0} -> all`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ALL {
            return f.write_str("all links");
        }
        let side =
            |set: &Option<ProcessSet>| set.as_ref().map_or("all".into(), ToString::to_string);
        write!(f, "{} -> {}", side(&self.from), side(&self.to))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Partition(cut) => write!(f, "partition {cut}"),
            Self::SendOmission(p, links, chance) => {
                write!(f, "{p} omits to send {chance} of its messages on {links}")
            }
            Self::ReceiveOmission(p, links, chance) => {
                write!(f, "{p} omits to receive {chance} of its messages on {links}")
            }
            Self::Loss(links, chance) => write!(f, "{chance} of the messages are lost on {links}"),
            Self::Duplicate(links, chance) => {
                write!(f, "{chance} of the messages are doubled on {links}")
            }
            Self::Late(links, by) => write!(f, "messages are late by {by} on {links}"),
            Self::Delay(links, by) => write!(f, "messages take {by} longer on {links}"),
            Self::Reorder(links, chance, within) => {
                write!(f, "{chance} of the messages are held back for up to {within} on {links}")
            }
            Self::Replay(links, chance) => {
                write!(f, "old messages come again with {chance} of the new ones on {links}")
            }
            Self::Garble(links, chance) => {
                write!(f, "{chance} of the messages are garbled on {links}")
            }
            Self::Bandwidth(links, rate) => {
                write!(f, "no more than {rate} bytes a second pass on {links}")
            }
            Self::Clog(links) => write!(f, "messages wait on {links}"),
            Self::Slow(p, factor) => write!(f, "{p} is {factor} times as slow"),
            Self::SyncFails(p) => write!(f, "syncs of {p} fail"),
            Self::SlowSync(p, by) => write!(f, "syncs of {p} take {by} longer"),
            Self::DiskFull(p) => write!(f, "the disk of {p} is full"),
            Self::Skew(p, shift) => write!(f, "the clock of {p} is {shift}"),
            Self::Drift(p, ppm) => write!(f, "the clock of {p} drifts by {ppm}ppm"),
            Self::Freeze(p) => write!(f, "the clock of {p} stands still"),
        }
    }
}

impl fmt::Display for Persistence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transient(duration) => write!(f, "for {duration}"),
            Self::Intermittent { period, on } => write!(f, "for {on} in each {period}"),
            Self::Permanent => f.write_str("until healed"),
        }
    }
}
