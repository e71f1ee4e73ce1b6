//! The plan of a run's faults: data, in an order, each with an exact trigger.

pub mod choice;
pub mod condition;
pub(crate) mod conditions;
pub mod random;

use std::fmt;

use crate::adversary::Behaviour;
use crate::environment::clock::Shift;
use crate::environment::storage::{DiskFault, OnCrash};
use crate::fault::condition::{Condition, Persistence};
use crate::id::ProcessId;
use crate::time::{Duration, Instant};

/// The faults of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Plan {
    /// Each happens once, when its trigger comes; of two at one instant the earlier in this list
    /// goes first.
    pub faults: Vec<Fault>,
}

impl Plan {
    /// Whether some crash in it is one of which the others are told.
    pub fn announces_crashes(&self) -> bool {
        let announces =
            |fault: &Fault| matches!(fault.action, Action::Crash(_, Crash { announced: true, .. }));
        self.faults.iter().any(announces)
    }
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
    /// Not in this run: the seed has chosen other processes.
    Never,
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A process that was absent until now starts. Whoever has such a fault in its plan is absent
    /// from the beginning; what is sent to it meanwhile is lost.
    Start(ProcessId),
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
    /// The state of a process is changed, as its protocol says it can be. It notices nothing.
    CorruptState(ProcessId),
    /// A process's clock is set off, for good.
    Jump(ProcessId, Shift),
    /// Only if this process leads when the trigger comes: that is, if it was the last to announce
    /// that it does.
    IfLeads(ProcessId, Box<Action>),
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
    /// Whether all others are told, as a true suspicion, whatever their failure detector: an
    /// exception (a fail-signal), rather than silence.
    pub announced: bool,
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
    /// Whether it makes old messages come again.
    pub(crate) fn replays(&self) -> bool {
        match self {
            Self::Begin(condition, _) => matches!(condition, Condition::Replay(..)),
            Self::IfLeads(_, action) => action.replays(),
            _ => false,
        }
    }

    /// The process that the fault strikes, if it strikes one.
    pub fn process(&self) -> Option<ProcessId> {
        match self {
            Self::Crash(process, _) | Self::Damage(process, _) | Self::Corrupt(process, _) => {
                Some(*process)
            }
            Self::Pause { process, .. } | Self::Resume { process } => Some(*process),
            Self::Start(process) | Self::CorruptState(process) | Self::Jump(process, _) => {
                Some(*process)
            }
            Self::IfLeads(_, action) => action.process(),
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
            Self::Never => f.write_str("never"),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(process) => write!(f, "{process} starts"),
            Self::Crash(process, Crash { recover_after, in_flight, disk, announced }) => {
                let how = if *announced { "aborts, and the others are told" } else { "crashes" };
                write!(f, "{process} {how}")?;
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
            Self::CorruptState(process) => write!(f, "the state of {process} changes"),
            Self::Jump(process, shift) => write!(f, "the clock of {process} jumps, {shift}"),
            Self::IfLeads(leader, action) => write!(f, "if {leader} leads, {action}"),
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
