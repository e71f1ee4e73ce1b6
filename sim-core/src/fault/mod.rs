//! The fault plan of a run: a list of faults, each with an exact trigger.

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
use crate::model::system_model::{FaultClass, Model, Timing};
use crate::time::{Duration, Instant};

/// The faults of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Plan {
    /// The faults. Each strikes once, when its trigger occurs; of two at the same instant, the
    /// earlier one in this list strikes first.
    pub faults: Vec<Fault>,
}

impl Plan {
    /// Whether it contains a crash that is announced to the other processes.
    pub fn announces_crashes(&self) -> bool {
        let announces =
            |fault: &Fault| matches!(fault.action, Action::Crash(_, Crash { announced: true, .. }));
        self.faults.iter().any(announces)
    }
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    /// The trigger.
    pub trigger: Trigger,
    /// The action.
    pub action: Action,
}

/// The trigger of a fault.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// At this true time.
    At(Instant),
    /// Immediately after the `nth` effect of a process, counted from 1 over the whole run.
    AfterEffect {
        /// The process.
        process: ProcessId,
        /// The number of the effect.
        nth: u64,
    },
    /// Immediately after a process has sent its `nth` message of a kind to another process, counted
    /// from 1.
    Sends {
        /// The sender.
        process: ProcessId,
        /// The kind: the path of variant names.
        kind: String,
        /// The number of the message.
        nth: u64,
    },
    /// Never in this run: the seed chose other processes.
    Never,
}

/// The action of a fault.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A process starts that was absent until now. A process with such a fault in the plan is
    /// absent from the beginning; messages sent to it in the meantime are lost.
    Start(ProcessId),
    /// A process crashes. If its own effect triggered the crash, its remaining effects are lost.
    Crash(ProcessId, Crash),
    /// A disk is damaged.
    Damage(ProcessId, DiskFault),
    /// A process takes no step for a while, then continues with its old state.
    Pause {
        /// The process.
        process: ProcessId,
        /// The duration; `None`: until a `Resume`.
        resume_after: Option<Duration>,
    },
    /// A paused process continues.
    Resume {
        /// The process.
        process: ProcessId,
    },
    /// A process becomes Byzantine permanently: from now on an adversary controls it. At time zero
    /// this precedes its first handler.
    Corrupt(ProcessId, Behaviour),
    /// The state of a process is corrupted, in a way that its protocol defines. It does not notice.
    CorruptState(ProcessId),
    /// A process's clock jumps.
    Jump(ProcessId, Shift),
    /// The action applies only if this process leads when the trigger occurs: if it was the last to
    /// announce that it leads.
    IfLeads(ProcessId, Box<Action>),
    /// A condition begins.
    Begin(Condition, Persistence),
    /// Ends all conditions of links.
    Heal,
}

/// A crash, and its consequences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Crash {
    /// The downtime; `None`: permanently down.
    pub recover_after: Option<Duration>,
    /// The fate of its messages under way.
    pub in_flight: InFlight,
    /// The records left in its log; `None`: as the experiment says.
    pub disk: Option<OnCrash>,
    /// Whether all others are notified, as a correct suspicion, whatever their failure detector: an
    /// exception (a fail-signal) rather than silence.
    pub announced: bool,
}

/// The fate of messages from a crashing process that are under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum InFlight {
    /// They arrive as usual.
    #[default]
    Keep,
    /// They are lost.
    Lose,
}

impl Action {
    /// Whether it replays old messages.
    pub(crate) fn replays(&self) -> bool {
        match self {
            Self::Begin(condition, _) => matches!(condition, Condition::Replay(..)),
            Self::IfLeads(_, action) => action.replays(),
            _ => false,
        }
    }

    /// The process that the fault strikes, if any.
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

    /// The process that it makes faulty, as the model's class of faults defines it: one that
    /// recovers is correct under crash-recovery, and without a bound on time none can be late.
    pub fn makes_faulty(&self, model: &Model) -> Option<ProcessId> {
        let is_slow_or_late = match self {
            Self::Pause { resume_after: Some(_), .. } => true,
            Self::Start(_) | Self::Resume { .. } | Self::Jump(..) => true,
            Self::Begin(condition, _) => {
                condition.clock().is_some()
                    || matches!(condition, Condition::Slow(..) | Condition::SlowSync(..))
            }
            _ => false,
        };
        match self {
            Self::Crash(_, crash) if model.faults == FaultClass::CrashRecovery => {
                self.process().filter(|_| crash.recover_after.is_none())
            }
            Self::IfLeads(_, action) => action.makes_faulty(model),
            _ if is_slow_or_late && model.timing == Timing::Asynchronous => None,
            _ => self.process(),
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
