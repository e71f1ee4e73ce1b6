//! The plan of a run's faults: data, in an order, each with an exact trigger.

use std::fmt;

use crate::adversary::Behaviour;
use crate::condition::{Condition, Persistence};
use crate::id::ProcessId;
use crate::storage::{DiskFault, OnCrash};
use crate::time::{Duration, Instant};

/// The faults of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Plan {
    /// Each happens once, when its trigger comes; of two at one instant the earlier in this list
    /// goes first.
    pub faults: Vec<Fault>,
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    /// When it strikes.
    pub trigger: Trigger,
    /// What it does.
    pub action: Action,
}

/// When a fault strikes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// At this true time.
    At(Instant),
    /// Right after the `nth` effect of a process, counted from 1 over its whole life.
    AfterEffect {
        /// Whose effect.
        process: ProcessId,
        /// Which one.
        nth: u64,
    },
    /// Right after a process has sent its `nth` message of a kind to another process, counted from
    /// 1.
    Sends {
        /// The sender.
        process: ProcessId,
        /// The kind: the path of variants' names.
        kind: String,
        /// Which one.
        nth: u64,
    },
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A process stops. If it is the one whose effect triggered this, its remaining effects are
    /// lost.
    Crash(ProcessId, Crash),
    /// A disk is damaged.
    Damage(ProcessId, DiskFault),
    /// A process takes no step for a while, then goes on with its old state.
    Pause {
        /// Which.
        process: ProcessId,
        /// How long; until a `Resume`, if `None`.
        resume_after: Option<Duration>,
    },
    /// A paused process goes on.
    Resume {
        /// Which.
        process: ProcessId,
    },
    /// A process turns Byzantine, for good: from now on an adversary speaks for it. At the very
    /// start it does so before its first handler.
    Corrupt(ProcessId, Behaviour),
    /// Something is wrong for a while.
    Begin(Condition, Persistence),
    /// All links are whole again.
    Heal,
}

/// How a process stops, and for how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Crash {
    /// How long it stays down; for good, if `None`.
    pub recover_after: Option<Duration>,
    /// What becomes of its messages under way.
    pub in_flight: InFlight,
    /// What is left of its log; as the experiment says, if `None`.
    pub disk: Option<OnCrash>,
}

/// What becomes of the messages that a crashing process has under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum InFlight {
    /// They travel on.
    #[default]
    Keep,
    /// They are lost.
    Lose,
}

impl Action {
    /// The process that the fault strikes, if it strikes one.
    pub const fn process(&self) -> Option<ProcessId> {
        match self {
            Self::Crash(process, _) | Self::Damage(process, _) | Self::Corrupt(process, _) => {
                Some(*process)
            }
            Self::Pause { process, .. } | Self::Resume { process } => Some(*process),
            Self::Begin(condition, _) => condition.faulty(),
            Self::Heal => None,
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(at) => write!(f, "at {at}"),
            Self::AfterEffect { process, nth } => write!(f, "after effect {nth} of {process}"),
            Self::Sends { process, kind, nth } => {
                write!(f, "when {process} has sent {kind} number {nth}")
            }
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crash(process, Crash { recover_after, in_flight, disk }) => {
                write!(f, "{process} crashes")?;
                if *in_flight == InFlight::Lose {
                    f.write_str(", its messages under way are lost")?;
                }
                if let Some(disk) = disk {
                    write!(f, ", its disk: {disk}")?;
                }
                recover_after.map_or(Ok(()), |after| write!(f, ", recovers after {after}"))
            }
            Self::Damage(process, fault) => write!(f, "the disk of {process}: {fault}"),
            Self::Pause { process, resume_after } => {
                write!(f, "{process} pauses")?;
                resume_after.map_or(Ok(()), |after| write!(f, ", resumes after {after}"))
            }
            Self::Resume { process } => write!(f, "{process} resumes"),
            Self::Corrupt(process, behaviour) => {
                write!(f, "{process} turns Byzantine: {behaviour}")
            }
            Self::Begin(condition, persistence) => write!(f, "{condition}, {persistence}"),
            Self::Heal => f.write_str("all links heal"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.trigger, self.action)
    }
}
