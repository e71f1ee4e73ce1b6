//! Conditions: what is wrong for a while, and for how long.

use std::fmt;

use crate::id::ProcessId;
use crate::network::{Cut, DropReason};
use crate::process_set::ProcessSet;
use crate::rng::{Probability, Rng};
use crate::time::{Duration, Instant};

/// Something that is wrong for as long as it lasts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// Links are cut. What is sent on them, or would arrive on them, is lost.
    Partition(Cut),
    /// A process fails to send: what it sends on these links is lost with this probability. The
    /// process is faulty.
    SendOmission(ProcessId, Links, Probability),
    /// A process fails to receive: what arrives for it on these links is lost with this
    /// probability. The process is faulty.
    ReceiveOmission(ProcessId, Links, Probability),
    /// Messages on these links are lost with this probability, beyond what the link itself loses.
    Loss(Links, Probability),
    /// Messages on these links arrive twice with this probability.
    Duplicate(Links, Probability),
    /// Messages on these links take so much longer: outside the bound, if there is one.
    Late(Links, Duration),
    /// Messages sent on these links wait for the condition to end, and travel then.
    Clog(Links),
    /// A process is slow: its timers and its messages take this many times as long. It is faulty
    /// where time counts.
    Slow(ProcessId, u32),
    /// The process's syncs fail.
    SyncFails(ProcessId),
    /// The process's syncs take so much longer.
    SlowSync(ProcessId, Duration),
    /// The process's disk takes no further record.
    DiskFull(ProcessId),
}

/// A set of directed links: those from `from` to `to`; a side that is `None` is everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Links {
    /// The senders.
    pub from: Option<ProcessSet>,
    /// The receivers.
    pub to: Option<ProcessSet>,
}

/// How long a condition lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Persistence {
    /// Once, for so long.
    Transient(Duration),
    /// Again and again: in each `period` it lasts for `on`.
    Intermittent {
        /// From one beginning to the next.
        period: Duration,
        /// How long it lasts each time, less than `period`.
        on: Duration,
    },
    /// Until everything is healed, or for good.
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
    /// The process that is faulty through this; none if it is the network that is.
    pub const fn faulty(&self) -> Option<ProcessId> {
        match self {
            Self::SendOmission(p, ..) | Self::ReceiveOmission(p, ..) | Self::Slow(p, _) => Some(*p),
            Self::SyncFails(p) | Self::SlowSync(p, _) | Self::DiskFull(p) => Some(*p),
            Self::Partition(_) | Self::Loss(..) | Self::Duplicate(..) | Self::Late(..) => None,
            Self::Clog(_) => None,
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
            Self::Clog(links) => write!(f, "messages wait on {links}"),
            Self::Slow(p, factor) => write!(f, "{p} is {factor} times as slow"),
            Self::SyncFails(p) => write!(f, "syncs of {p} fail"),
            Self::SlowSync(p, by) => write!(f, "syncs of {p} take {by} longer"),
            Self::DiskFull(p) => write!(f, "the disk of {p} is full"),
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

/// The conditions of a run that have begun.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Conditions {
    begun: Vec<Begun>,
}

#[derive(Clone, Debug, Hash)]
struct Begun {
    condition: Condition,
    persistence: Persistence,
    on: bool,
    /// Healed: it never turns on again.
    over: bool,
    /// When it turns off next; `None` if never.
    ends: Option<Instant>,
}

/// What a condition has done to a message.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Toll {
    pub drop: Option<DropReason>,
    pub later_by: Duration,
    pub held_until: Option<Instant>,
    pub slower: u32,
    pub copies: bool,
}

impl Conditions {
    pub fn clear(&mut self) {
        self.begun.clear();
    }

    /// Everything that is wrong with the network is over.
    pub fn heal_links(&mut self) {
        self.heal(|condition| condition.faulty().is_none());
    }

    /// Everything that is wrong is over.
    pub fn heal_all(&mut self) {
        self.heal(|_| true);
    }

    fn heal(&mut self, healed: impl Fn(&Condition) -> bool) {
        for begun in self.begun.iter_mut().filter(|begun| healed(&begun.condition)) {
            begun.on = false;
            begun.over = true;
        }
    }

    /// Begins a condition. Returns its number, and when it must be turned.
    pub fn begin(
        &mut self,
        condition: Condition,
        persistence: Persistence,
        now: Instant,
    ) -> (usize, Option<Instant>) {
        self.begun.push(Begun { condition, persistence, on: false, over: false, ends: None });
        let number = self.begun.len() - 1;
        (number, self.turn(number, now))
    }

    /// Turns a condition on if it is off, and off if it is on. Returns when it must be turned next.
    pub fn turn(&mut self, number: usize, now: Instant) -> Option<Instant> {
        let begun = self.begun.get_mut(number).filter(|begun| !begun.over)?;
        begun.on = !begun.on;
        let next = match (begun.persistence, begun.on) {
            (Persistence::Transient(duration), true) => Some(now + duration),
            (Persistence::Intermittent { on, .. }, true) => Some(now + on),
            (Persistence::Intermittent { period, on }, false) => Some(now + (period - on)),
            (Persistence::Transient(_), false) | (Persistence::Permanent, _) => None,
        };
        begun.ends = next.filter(|_| begun.on);
        next
    }

    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.begun.is_empty()
    }

    fn in_force(&self) -> impl Iterator<Item = &Begun> {
        self.begun.iter().filter(|begun| begun.on)
    }

    /// The condition of this number, and whether it is in force.
    pub fn get(&self, number: usize) -> Option<(&Condition, bool)> {
        let begun = self.begun.get(number).filter(|begun| !begun.over)?;
        Some((&begun.condition, begun.on))
    }

    /// What the conditions do to a message from `from` to `to` that is sent now.
    pub fn on_send(&self, from: ProcessId, to: ProcessId, rng: &mut Rng) -> Toll {
        let mut toll = Toll { slower: 1, ..Toll::default() };
        for begun in self.in_force() {
            match &begun.condition {
                Condition::Partition(cut) if cut.cuts(from, to) => {
                    toll.drop = Some(DropReason::Cut);
                }
                Condition::SendOmission(p, links, chance)
                    if *p == from && links.contains(from, to) && rng.chance(*chance) =>
                {
                    toll.drop = Some(DropReason::SendOmission);
                }
                Condition::Loss(links, chance)
                    if links.contains(from, to) && rng.chance(*chance) =>
                {
                    toll.drop = Some(DropReason::Loss);
                }
                Condition::Duplicate(links, chance) if links.contains(from, to) => {
                    toll.copies |= rng.chance(*chance);
                }
                Condition::Late(links, by) if links.contains(from, to) => {
                    toll.later_by = toll.later_by + *by;
                }
                Condition::Slow(p, factor) if *p == from => toll.slower *= (*factor).max(1),
                Condition::Clog(links) if links.contains(from, to) => {
                    toll.held_until = toll.held_until.max(Some(begun.ends.unwrap_or(Instant::MAX)));
                }
                _ => {}
            }
        }
        toll
    }

    /// Why a message that arrives now is not received, if it is not.
    pub fn on_arrival(&self, from: ProcessId, to: ProcessId, rng: &mut Rng) -> Option<DropReason> {
        for begun in self.in_force() {
            match &begun.condition {
                Condition::Partition(cut) if cut.cuts(from, to) => return Some(DropReason::Cut),
                Condition::ReceiveOmission(p, links, chance)
                    if *p == to && links.contains(from, to) && rng.chance(*chance) =>
                {
                    return Some(DropReason::ReceiveOmission);
                }
                _ => {}
            }
        }
        None
    }

    /// How many times as long the process's timers take.
    pub fn slowness(&self, p: ProcessId) -> u64 {
        let factor = |begun: &Begun| match begun.condition {
            Condition::Slow(slow, factor) if slow == p => u64::from(factor.max(1)),
            _ => 1,
        };
        self.in_force().map(factor).product()
    }

    /// How much longer the process's syncs take.
    pub fn sync_delay(&self, p: ProcessId) -> Duration {
        let delay = |begun: &Begun| match begun.condition {
            Condition::SlowSync(slow, by) if slow == p => by,
            _ => Duration::ZERO,
        };
        self.in_force().map(delay).fold(Duration::ZERO, |sum, d| sum + d)
    }

    /// Whether the process's syncs fail.
    pub fn sync_fails(&self, p: ProcessId) -> bool {
        self.in_force().any(|begun| begun.condition == Condition::SyncFails(p))
    }

    /// Whether the process's disk is full.
    pub fn disk_is_full(&self, p: ProcessId) -> bool {
        self.in_force().any(|begun| begun.condition == Condition::DiskFull(p))
    }

    /// Why messages from `from` to `to` cannot be owed now, if they cannot.
    pub fn excuse(&self, from: ProcessId, to: ProcessId) -> Option<&'static str> {
        let silent = |begun: &Begun| match &begun.condition {
            Condition::Partition(cut) if cut.cuts(from, to) => {
                Some("a partition was still in force at the end")
            }
            Condition::Clog(links) if links.contains(from, to) => {
                Some("a link was still clogged at the end")
            }
            Condition::Loss(links, p) if *p == Probability::ALWAYS && links.contains(from, to) => {
                Some("a link that loses every message was still in force at the end")
            }
            _ => None,
        };
        self.in_force().find_map(silent)
    }
}
