//! Faults drawn from each seed within a budget: the result is a [`Plan`](crate::Plan), like a
//! scripted one.
//!
//! Each kind draws from its own stream, so that adding a kind does not change the others. The set
//! of processes that may be faulty is drawn once, for all kinds together.

mod draw;

use std::fmt;

use crate::adversary::Behaviour;
use crate::environment::storage::DiskFault;
use crate::id::ProcessId;
use crate::process_set::ProcessSet;
use crate::rng::Probability;
use crate::time::CountRange;
use crate::time::{Duration, DurationRange, Instant};

/// The random faults of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RandomFaults {
    /// f: the maximum number of distinct faulty processes.
    pub faulty_count_max: u32,
    /// The kinds of faults, each once.
    pub kinds: Vec<RandomKind>,
    /// Swarm testing (Groce et al. 2012): each seed omits each kind with probability 1/2, and
    /// scales the others down at random.
    pub swarm: bool,
}

impl RandomFaults {
    /// Whether it can draw crashes that are announced to the other processes.
    pub fn announces_crashes(&self) -> bool {
        let announces =
            |what: &RandomAction| matches!(what, RandomAction::Crash { announced: true, .. });
        self.kinds.iter().any(|kind| announces(&kind.what))
    }
}

/// One kind of fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RandomKind {
    /// The time, the number and the targets of the faults.
    pub occurrence: Occurrence,
    /// The fault.
    pub what: RandomAction,
}

/// The time, the number and the targets of the faults of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// The number of faults.
    pub count: CountRange,
    /// The time within which they strike.
    pub between: DurationRange,
    /// The possible targets. If the fault makes a process faulty, only those that may be faulty.
    pub targets: ProcessSet,
}

/// The action of a drawn fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RandomAction {
    /// A crash. With probability 1/2 it lands between two effects, any two being equally likely,
    /// otherwise at a time.
    Crash {
        /// The downtime; `None`: permanently down.
        recover_after: Option<DurationRange>,
        /// Whether it is an exception, which is announced to the other processes.
        announced: bool,
    },
    /// A process starts late, at this time.
    Start,
    /// A pause of this length.
    Pause(DurationRange),
    /// A process turns Byzantine.
    Corrupt(Behaviour),
    /// The state of a process is corrupted.
    CorruptState,
    /// A disk is damaged.
    Damage(DiskFault),
    /// A clock jumps by this much, ahead or behind.
    Jump(DurationRange),
    /// A condition that lasts this long.
    Begin(RandomCondition, DurationRange),
}

/// Drawn conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RandomCondition {
    /// Links are cut; this makes no process faulty, nor does any other condition of links.
    Partition(PartitionShape),
    /// Messages on some links are lost with this probability.
    Loss(Probability),
    /// Messages on some links are duplicated with this probability.
    Duplicate(Probability),
    /// Messages on some links take longer by this time, drawn for each message.
    Delay(DurationRange),
    /// Messages on some links take longer by this time, drawn once.
    Late(DurationRange),
    /// Messages on some links are held back with this probability, for at most this time.
    Reorder(Probability, Duration),
    /// Old messages arrive again on some links with this probability.
    Replay(Probability),
    /// Messages on some links are corrupted with this probability.
    Garble(Probability),
    /// Some links carry at most this many bytes per second.
    Bandwidth(u64),
    /// Messages on some links are held back.
    Clog,
    /// A process omits to send, to any receiver, with this probability.
    SendOmission(Probability),
    /// A process omits to receive, from any sender, with this probability.
    ReceiveOmission(Probability),
    /// A process is slower by this factor.
    Slow(u32),
    /// Syncs of a process fail.
    SyncFails,
    /// Syncs of a process take longer by this time.
    SlowSync(DurationRange),
    /// The disk of a process is full.
    DiskFull,
    /// The clock of a process is shifted by this time, ahead or behind.
    Skew(DurationRange),
    /// The clock of a process drifts by up to this many parts per million, fast or slow.
    Drift(u32),
    /// The clock of a process stands still.
    Freeze,
}

/// The shapes of partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionShape {
    /// Two random halves.
    Halves,
    /// One process, isolated from all others.
    Isolate,
    /// One process whose messages do not reach the others, while theirs reach it.
    OneWay,
    /// Two random halves, and one process that communicates with both.
    Bridge,
    /// A ring in which each process communicates with a majority, and no two with the same one.
    RingOfMajorities,
}

/// The times of all effects in a run without faults, which are the possible crash points.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// The times of each process's effects, in order.
    pub effects: Vec<Vec<Instant>>,
}

impl Profile {
    /// All crash points, as process and number of the effect, in order.
    pub fn crash_points(&self) -> impl Iterator<Item = (ProcessId, u64)> + '_ {
        let processes = (0u32..).map(ProcessId).zip(&self.effects);
        processes.flat_map(|(p, effects)| (1..=effects.len() as u64).map(move |nth| (p, nth)))
    }
}

impl fmt::Display for RandomAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crash { recover_after, announced } => {
                f.write_str(if *announced { "exceptions" } else { "crashes" })?;
                recover_after.map_or(Ok(()), |after| write!(f, " that recover after {after}"))
            }
            Self::Start => f.write_str("late starts"),
            Self::Pause(duration) => write!(f, "pauses of {duration}"),
            Self::Corrupt(behaviour) => write!(f, "processes that turn Byzantine: {behaviour},"),
            Self::CorruptState => f.write_str("corruptions of a state"),
            Self::Damage(fault) => write!(f, "damages to a disk: {fault},"),
            Self::Jump(by) => write!(f, "jumps of a clock by {by}"),
            Self::Begin(condition, duration) => write!(f, "times {condition} for {duration}"),
        }
    }
}

impl fmt::Display for RandomCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Partition(shape) => write!(f, "a partition ({shape})"),
            Self::Loss(chance) => write!(f, "loss of {chance}"),
            Self::Duplicate(chance) => write!(f, "duplication of {chance}"),
            Self::Delay(by) => write!(f, "a delay of {by} more"),
            Self::Late(by) => write!(f, "lateness by {by}"),
            Self::Reorder(chance, within) => write!(f, "reordering of {chance} within {within}"),
            Self::Replay(chance) => write!(f, "replay with {chance}"),
            Self::Garble(chance) => write!(f, "corruption of {chance}"),
            Self::Bandwidth(rate) => write!(f, "a bandwidth of {rate} bytes a second"),
            Self::Clog => f.write_str("a clog"),
            Self::SendOmission(chance) => write!(f, "send omission of {chance}"),
            Self::ReceiveOmission(chance) => write!(f, "receive omission of {chance}"),
            Self::Slow(factor) => write!(f, "a process {factor} times as slow"),
            Self::SyncFails => f.write_str("failing syncs"),
            Self::SlowSync(by) => write!(f, "syncs longer by {by}"),
            Self::DiskFull => f.write_str("a full disk"),
            Self::Skew(by) => write!(f, "a clock off by {by}"),
            Self::Drift(ppm) => write!(f, "a clock that drifts by up to {ppm}ppm"),
            Self::Freeze => f.write_str("a clock that stands still"),
        }
    }
}

impl fmt::Display for PartitionShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Halves => "halves",
            Self::Isolate => "isolate",
            Self::OneWay => "one-way",
            Self::Bridge => "bridge",
            Self::RingOfMajorities => "ring-of-majorities",
        })
    }
}

impl RandomAction {
    /// The number of this kind's stream of randomness.
    const fn stream(&self) -> u32 {
        match self {
            Self::Crash { announced: false, .. } => 1,
            Self::Pause(_) => 2,
            Self::Begin(condition, _) => condition.stream(),
            Self::Crash { announced: true, .. } => 4,
            Self::Start => 5,
            Self::Corrupt(_) => 6,
            Self::CorruptState => 7,
            Self::Damage(DiskFault::CorruptRecord) => 8,
            Self::Damage(DiskFault::LoseDisk) => 9,
            Self::Damage(DiskFault::Rollback(_)) => 10,
            Self::Jump(_) => 11,
        }
    }

    /// Whether it makes a process faulty.
    pub const fn is_of_process(&self) -> bool {
        match self {
            Self::Begin(condition, _) => condition.is_of_process(),
            _ => true,
        }
    }
}

impl RandomCondition {
    const fn stream(&self) -> u32 {
        match self {
            Self::Partition(_) => 3,
            Self::Loss(_) => 20,
            Self::Duplicate(_) => 21,
            Self::Delay(_) => 22,
            Self::Late(_) => 23,
            Self::Reorder(..) => 24,
            Self::Replay(_) => 25,
            Self::Garble(_) => 26,
            Self::Bandwidth(_) => 27,
            Self::Clog => 28,
            Self::SendOmission(_) => 40,
            Self::ReceiveOmission(_) => 41,
            Self::Slow(_) => 42,
            Self::SyncFails => 43,
            Self::SlowSync(_) => 44,
            Self::DiskFull => 45,
            Self::Skew(_) => 46,
            Self::Drift(_) => 47,
            Self::Freeze => 48,
        }
    }

    const fn is_of_process(&self) -> bool {
        self.stream() >= 40
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const TIMES: DurationRange = DurationRange::constant(Duration::from_millis(1));

    fn begins(what: RandomCondition) -> RandomAction {
        RandomAction::Begin(what, TIMES)
    }

    /// Of links, then of processes.
    fn conditions() -> [Vec<RandomCondition>; 2] {
        use RandomCondition::{
            Bandwidth, Clog, Delay, DiskFull, Drift, Duplicate, Freeze, Garble, Late, Loss,
            Partition, ReceiveOmission, Reorder, Replay, SendOmission, Skew, Slow, SlowSync,
            SyncFails,
        };
        let often = Probability::ALWAYS;
        let of_links = vec![
            Partition(PartitionShape::Halves),
            Loss(often),
            Duplicate(often),
            Delay(TIMES),
            Late(TIMES),
            Reorder(often, Duration::ZERO),
            Replay(often),
            Garble(often),
            Bandwidth(1),
            Clog,
        ];
        let of_processes = vec![
            SendOmission(often),
            ReceiveOmission(often),
            Slow(2),
            SyncFails,
            SlowSync(TIMES),
            DiskFull,
            Skew(TIMES),
            Drift(1),
            Freeze,
        ];
        [of_links, of_processes]
    }

    #[test]
    fn each_kind_has_a_stream_of_its_own() {
        let crash = |announced| RandomAction::Crash { recover_after: None, announced };
        let actions = [
            crash(false),
            crash(true),
            RandomAction::Start,
            RandomAction::Pause(TIMES),
            RandomAction::Corrupt(Behaviour::Silent),
            RandomAction::CorruptState,
            RandomAction::Damage(DiskFault::CorruptRecord),
            RandomAction::Damage(DiskFault::LoseDisk),
            RandomAction::Damage(DiskFault::Rollback(1)),
            RandomAction::Jump(TIMES),
        ];
        let all: Vec<_> =
            actions.into_iter().chain(conditions().into_iter().flatten().map(begins)).collect();
        let streams: BTreeSet<u32> = all.iter().map(RandomAction::stream).collect();
        assert_eq!(streams.len(), all.len());
    }

    #[test]
    fn conditions_of_links_make_no_process_faulty() {
        let [of_links, of_processes] = conditions();
        assert!(of_links.into_iter().all(|what| !begins(what).is_of_process()));
        assert!(of_processes.into_iter().all(|what| begins(what).is_of_process()));
        assert!(RandomAction::CorruptState.is_of_process());
    }

    #[test]
    fn only_exceptions_are_announced() {
        let faults = |announced| {
            let count = CountRange { min: 0, max: 1 };
            let occurrence = Occurrence { count, between: TIMES, targets: ProcessSet::new() };
            let what = RandomAction::Crash { recover_after: None, announced };
            let kinds = vec![RandomKind { occurrence, what }];
            RandomFaults { kinds, ..RandomFaults::default() }
        };
        assert!(faults(true).announces_crashes() && !faults(false).announces_crashes());
    }
}
