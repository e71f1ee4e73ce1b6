//! Faults drawn from each seed, never beyond a budget: the result is a [`Plan`](crate::Plan), data
//! like a scripted one.
//!
//! Each kind draws from a stream of its own, so that one more kind changes nothing about the
//! others. Which processes may be faulty at all is drawn once, for all kinds together.

mod draw;

use std::fmt;

use crate::adversary::Behaviour;
use crate::environment::storage::DiskFault;
use crate::id::ProcessId;
use crate::process_set::ProcessSet;
use crate::rng::Probability;
use crate::time::CountRange;
use crate::time::{Duration, DurationRange, Instant};

/// What may go wrong in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RandomFaults {
    /// f: how many different processes may be faulty at all.
    pub faulty_count_max: u32,
    /// The kinds, each once.
    pub kinds: Vec<RandomKind>,
    /// Swarm testing (Groce et al. 2012): each seed leaves each kind out with probability 1/2, and
    /// scales the rest down at random.
    pub swarm: bool,
}

impl RandomFaults {
    /// Whether it can draw crashes of which the others are told.
    pub fn announces_crashes(&self) -> bool {
        let announces =
            |what: &RandomAction| matches!(what, RandomAction::Crash { announced: true, .. });
        self.kinds.iter().any(|kind| announces(&kind.what))
    }
}

/// One kind of fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RandomKind {
    /// When, how often and whom.
    pub occurrence: Occurrence,
    /// What happens.
    pub what: RandomAction,
}

/// When and how often faults of a kind strike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// How many.
    pub count: CountRange,
    /// Within which time.
    pub between: DurationRange,
    /// Whom they may strike. Where a process is faulty through it, only those that may be.
    pub targets: ProcessSet,
}

/// What a drawn fault does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RandomAction {
    /// A crash. It lands between two effects, as likely any two as any others, or (every other one)
    /// at a time.
    Crash {
        /// How long the process stays down; for good, if `None`.
        recover_after: Option<DurationRange>,
        /// Whether it is an exception, of which the others are told.
        announced: bool,
    },
    /// A process starts only then.
    Start,
    /// A pause, for so long.
    Pause(DurationRange),
    /// A process turns Byzantine.
    Corrupt(Behaviour),
    /// The state of a process changes.
    CorruptState,
    /// A disk is damaged.
    Damage(DiskFault),
    /// A clock jumps by so much, ahead or behind.
    Jump(DurationRange),
    /// Something is wrong for so long.
    Begin(RandomCondition, DurationRange),
}

/// What is wrong for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RandomCondition {
    /// Links are cut; this makes no process faulty, nor does any other condition of links.
    Partition(PartitionShape),
    /// Messages on some links are lost with this probability.
    Loss(Probability),
    /// Messages on some links are doubled with this probability.
    Duplicate(Probability),
    /// Messages on some links take longer by so much, drawn for each.
    Delay(DurationRange),
    /// Messages on some links take longer by so much, drawn once.
    Late(DurationRange),
    /// Messages on some links are held back with this probability, for at most so long.
    Reorder(Probability, Duration),
    /// Old messages come again on some links with this probability.
    Replay(Probability),
    /// Messages on some links are garbled with this probability.
    Garble(Probability),
    /// Some links carry no more than so many bytes in a second.
    Bandwidth(u64),
    /// Messages on some links wait.
    Clog,
    /// A process omits to send, to everybody, with this probability.
    SendOmission(Probability),
    /// A process omits to receive, from everybody, with this probability.
    ReceiveOmission(Probability),
    /// A process is so many times as slow.
    Slow(u32),
    /// Syncs of a process fail.
    SyncFails,
    /// Syncs of a process take longer by so much.
    SlowSync(DurationRange),
    /// The disk of a process is full.
    DiskFull,
    /// The clock of a process is off by so much, ahead or behind.
    Skew(DurationRange),
    /// The clock of a process drifts by as much as this, in parts per million, fast or slow.
    Drift(u32),
    /// The clock of a process stands still.
    Freeze,
}

/// How a partition divides the processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionShape {
    /// Into two halves, at random.
    Halves,
    /// One process from all others.
    Isolate,
    /// One process is not heard by the others, and hears them.
    OneWay,
    /// Into two halves, at random, and one process that hears both.
    Bridge,
    /// A ring in which each hears a majority, and no two the same.
    RingOfMajorities,
}

/// When each process had its effects in a run without faults: the points at which a crash can land.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// For each process, the time of each of its effects, in order.
    pub effects: Vec<Vec<Instant>>,
}

impl Profile {
    /// Every single crash point: process and effect, in order.
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
    /// The number of its kind among the streams of randomness.
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
    const fn is_of_process(&self) -> bool {
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
