//! The conditions of a run that have begun, and the effects of those in force on messages, timers,
//! disks and clocks.

use std::hash::Hash as _;

use crate::digest::Digest;
use crate::environment::clock::ClockError;
use crate::environment::network::DropReason;
use crate::fault::condition::{Condition, Persistence};
use crate::id::ProcessId;
use crate::process_set::ProcessSet;
use crate::rng::{Probability, Rng};
use crate::time::{Duration, Instant};

/// The conditions that have begun.
#[derive(Clone, Debug, Default)]
pub(crate) struct ActiveConditions {
    begun: Vec<Begun>,
    /// A core of processes that conditions no longer affect.
    spared: Option<ProcessSet>,
}

#[derive(Clone, Debug)]
struct Begun {
    condition: Condition,
    persistence: Persistence,
    on: bool,
    /// Whether it has been healed; then it never turns on again.
    over: bool,
    /// The time when it turns off; `None`: never.
    ends: Option<Instant>,
}

/// The effect of the conditions on a message.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LinkEffect {
    pub drop: Option<DropReason>,
    pub later_by: Duration,
    pub held_until: Option<Instant>,
    pub slower: u32,
    pub copies: bool,
    /// Whether later messages may overtake it, on FIFO links too.
    pub reorders: bool,
}

/// The tampering with a message in transit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tampering {
    /// Whether its content is changed.
    pub garbled: bool,
    /// Whether an old message is replayed with it.
    pub replayed: bool,
}

impl ActiveConditions {
    pub fn clear(&mut self) {
        self.begun.clear();
        self.spared = None;
    }

    /// The conditions in force, those that will turn on again, and the times.
    pub fn fingerprint(&self, now: Instant, digest: &mut Digest) {
        for Begun { condition, persistence, on, over, ends } in &self.begun {
            let left = ends.map(|ends| ends.since(now));
            (condition, persistence, on, over, left).hash(digest);
        }
        self.spared.hash(digest);
    }

    /// From now on no condition affects these processes and the links among them.
    pub fn spare(&mut self, core: ProcessSet) {
        self.spared = Some(core);
    }

    fn spares(&self, p: ProcessId) -> bool {
        self.spared.as_ref().is_some_and(|core| core.contains(p))
    }

    fn spares_link(&self, from: ProcessId, to: ProcessId) -> bool {
        self.spares(from) && self.spares(to)
    }

    /// The conditions in force on a link.
    fn on_link(&self, from: ProcessId, to: ProcessId) -> impl Iterator<Item = &Begun> {
        let spared = self.spares_link(from, to);
        self.begun.iter().filter(move |begun| begun.on && !spared)
    }

    /// The conditions in force at a process.
    fn at(&self, p: ProcessId) -> impl Iterator<Item = &Begun> {
        let spared = self.spares(p);
        self.begun.iter().filter(move |begun| begun.on && !spared)
    }

    /// Ends all conditions of the network.
    pub fn heal_links(&mut self) {
        self.heal(|condition| condition.faulty().is_none());
    }

    /// Ends all conditions.
    pub fn heal_all(&mut self) {
        self.heal(|_| true);
    }

    fn heal(&mut self, healed: impl Fn(&Condition) -> bool) {
        for begun in self.begun.iter_mut().filter(|begun| healed(&begun.condition)) {
            begun.on = false;
            begun.over = true;
        }
    }

    /// Begins a condition. Returns its number, and the time when it turns off.
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

    /// Turns a condition on or off. Returns the time of its next turn.
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

    /// The condition with this number, and whether it is in force.
    pub fn get(&self, number: usize) -> Option<(&Condition, bool)> {
        let begun = self.begun.get(number).filter(|begun| !begun.over)?;
        Some((&begun.condition, begun.on))
    }

    /// The effect of the conditions on a message from `from` to `to` that is sent now.
    pub fn on_send(&self, from: ProcessId, to: ProcessId, rng: &mut Rng) -> LinkEffect {
        let mut toll = LinkEffect { slower: 1, ..LinkEffect::default() };
        for begun in self.on_link(from, to) {
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
                Condition::Delay(links, by) if links.contains(from, to) => {
                    toll.later_by = toll.later_by + drawn(by.min, by.max, rng);
                }
                Condition::Reorder(links, chance, within)
                    if links.contains(from, to) && rng.chance(*chance) =>
                {
                    toll.reorders = true;
                    toll.later_by = toll.later_by + drawn(Duration::ZERO, *within, rng);
                }
                Condition::Slow(p, factor) if *p == from => {
                    toll.slower = toll.slower.saturating_mul((*factor).max(1));
                }
                Condition::Clog(links) if links.contains(from, to) => {
                    toll.held_until = toll.held_until.max(Some(begun.ends.unwrap_or(Instant::MAX)));
                }
                _ => {}
            }
        }
        toll
    }

    /// The tampering with a message from `from` to `to` that is sent now.
    pub fn tamper(&self, from: ProcessId, to: ProcessId, rng: &mut Rng) -> Tampering {
        let mut tampering = Tampering::default();
        for begun in self.on_link(from, to) {
            match &begun.condition {
                Condition::Garble(links, chance) if links.contains(from, to) => {
                    tampering.garbled |= rng.chance(*chance);
                }
                Condition::Replay(links, chance) if links.contains(from, to) => {
                    tampering.replayed |= rng.chance(*chance);
                }
                _ => {}
            }
        }
        tampering
    }

    /// The bandwidth of the link, in bytes per second, if a condition limits it.
    pub fn bandwidth(&self, from: ProcessId, to: ProcessId) -> Option<u64> {
        let rate = |begun: &Begun| match &begun.condition {
            Condition::Bandwidth(links, rate) if links.contains(from, to) => Some(*rate),
            _ => None,
        };
        self.on_link(from, to).filter_map(rate).min()
    }

    /// The processes whose clocks have ever been affected by a condition.
    pub fn clocks(&self) -> impl Iterator<Item = ProcessId> + '_ {
        self.begun.iter().filter_map(|begun| begun.condition.clock())
    }

    /// The error of the process's clock.
    pub fn clock_error(&self, p: ProcessId) -> ClockError {
        let mut error = ClockError::default();
        for begun in self.at(p) {
            match begun.condition {
                Condition::Skew(q, shift) if q == p => error.skew_ns += shift.nanos(),
                Condition::Drift(q, ppm) if q == p => error.drift_ppm += i64::from(ppm),
                Condition::Freeze(q) if q == p => error.frozen = true,
                _ => {}
            }
        }
        error
    }

    /// The reason why a message that arrives now is lost, if it is.
    pub fn on_arrival(&self, from: ProcessId, to: ProcessId, rng: &mut Rng) -> Option<DropReason> {
        for begun in self.on_link(from, to) {
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

    /// The factor by which the process is slowed down.
    pub fn slowness(&self, p: ProcessId) -> u64 {
        let factor = |begun: &Begun| match begun.condition {
            Condition::Slow(slow, factor) if slow == p => u64::from(factor.max(1)),
            _ => 1,
        };
        self.at(p).map(factor).fold(1, u64::saturating_mul)
    }

    /// The additional time of the process's syncs.
    pub fn sync_delay(&self, p: ProcessId) -> Duration {
        let delay = |begun: &Begun| match begun.condition {
            Condition::SlowSync(slow, by) if slow == p => by,
            _ => Duration::ZERO,
        };
        self.at(p).map(delay).fold(Duration::ZERO, |sum, d| sum + d)
    }

    /// Whether the process's syncs fail.
    pub fn sync_fails(&self, p: ProcessId) -> bool {
        self.at(p).any(|begun| begun.condition == Condition::SyncFails(p))
    }

    /// Whether the process's disk is full.
    pub fn disk_is_full(&self, p: ProcessId) -> bool {
        self.at(p).any(|begun| begun.condition == Condition::DiskFull(p))
    }

    /// Whether a condition in force keeps every message of some links back.
    pub fn silence_links(&self) -> bool {
        self.begun.iter().filter(|begun| begun.on).any(|begun| match &begun.condition {
            Condition::Partition(_) | Condition::Clog(_) => true,
            Condition::Loss(_, p) => *p == Probability::ALWAYS,
            _ => false,
        })
    }

    /// The reason why messages from `from` to `to` need not arrive, if there is one.
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
        self.on_link(from, to).find_map(silent)
    }
}

fn drawn(min: Duration, max: Duration, rng: &mut Rng) -> Duration {
    Duration::from_nanos(rng.between(min.as_nanos(), max.as_nanos()))
}

#[cfg(test)]
mod tests;
