//! Message logging: processes that crash replay the messages that they had delivered, so that
//! nobody depends on a state that is lost.
//!
//! Properties after Strom and Yemini (1985), Alvisi and Marzullo (1998) and Elnozahy, Alvisi, Wang
//! and Johnson (2002). The application beside the protocol is piecewise deterministic: its state
//! changes only when it delivers a message, and the order of deliveries determines everything else.
//! An input from the outside world is a job; it visits processes as a message, and its last process
//! outputs the result to the outside world, which never rolls back.
//!
//! A delivery begins a new *state interval* of its process. An interval depends on the one before
//! it, and on the one in which its message was sent. A process that crashes returns to its initial
//! state and replays deliveries; once it announces that it has resumed, every earlier interval that
//! it has not replayed is *lost*. A process that depends on a lost interval is an *orphan*. The
//! checkers know which interval is which by the messages that were delivered, their content
//! included: the same number can stand for different intervals before and after a crash.
//!
//! Checkpoints, which only shorten the replay, are left out.

mod application;
mod histories;
mod jobs;
mod properties;

use ftsim_core::{
    FaultClass, Invalid, OperationName, ProcessId, PropertyEntry, PropertyId, Setting, Spec,
};
use serde::{Deserialize, Serialize};

pub use application::{Application, Consequence, Job, Message, MessageName, Output, Value};
pub use jobs::{JobWorkload, Jobs, ScriptedJob};
use properties::{
    Delivery, Integrity, LocalRecovery, NoOrphans, NoOrphansInTheEnd, OutputCommit, Replay,
};

/// The problem of recovering processes by replaying messages.
pub struct MessageLogging;

/// The number of a state interval: of the deliveries of its process so far.
pub type Interval = u64;

/// A request to a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// An input from the outside world.
    Input {
        /// The number of the job, different for each job of a process.
        number: u64,
        /// The processes that it visits afterwards.
        route: Vec<ProcessId>,
    },
}

/// An announcement of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// The application delivers a message, for the first time or in a replay.
    Delivered {
        /// The state interval that begins.
        interval: Interval,
        /// The message.
        message: Message,
        /// The value of the new state.
        value: Value,
    },
    /// The application sends a message, in the interval that has begun last.
    Sent(Message),
    /// The result of a job is handed to the outside world.
    Output(Output),
    /// The process, which has not crashed, undoes all later intervals.
    RolledBack {
        /// The interval to which it returns.
        to: Interval,
    },
    /// The process, which has crashed, has replayed all that it will replay.
    Resumed,
}

/// What is delivered was sent, and once.
pub const INTEGRITY: PropertyId = PropertyId("mlog.integrity");
/// Never is a process an orphan.
pub const NO_ORPHANS: PropertyId = PropertyId("mlog.no-orphans");
/// No process stays an orphan.
pub const NO_ORPHANS_AFTER_RECOVERY: PropertyId = PropertyId("mlog.no-orphans-after-recovery");
/// A replay repeats what happened.
pub const REPLAY: PropertyId = PropertyId("mlog.replay");
/// An output comes from a state that is never lost.
pub const OUTPUT_COMMIT: PropertyId = PropertyId("mlog.output-commit");
/// Nothing gets stuck.
pub const DELIVERY: PropertyId = PropertyId("mlog.delivery");
/// Only processes that crash roll back.
pub const LOCAL_RECOVERY: PropertyId = PropertyId("mlog.local-recovery");

impl Spec for MessageLogging {
    const NAME: &'static str = "message logging";
    const FAULTS: &'static [FaultClass] =
        &[FaultClass::None, FaultClass::CrashStop, FaultClass::CrashRecovery];
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::safety(
            INTEGRITY,
            "every message delivered was sent to that process, and is delivered once",
            |setting| Box::new(Integrity::new(setting)),
        ),
        PropertyEntry::safety(
            NO_ORPHANS,
            "no process depends on a state interval that another process has lost",
            |setting| Box::new(NoOrphans::new(setting)),
        )
        .if_claimed(),
        PropertyEntry::liveness(
            NO_ORPHANS_AFTER_RECOVERY,
            "a process that depends on a lost state interval eventually rolls back",
            |setting| Box::new(NoOrphansInTheEnd::new(setting)),
        ),
        PropertyEntry::safety(
            REPLAY,
            "after a crash a process delivers the same messages in the same order, up to some \
             point, and comes through the same states",
            |setting| Box::new(Replay::new(setting)),
        ),
        PropertyEntry::safety(
            OUTPUT_COMMIT,
            "no state interval on which an output to the outside world depends is ever lost",
            |setting| Box::new(OutputCommit::new(setting)),
        ),
        PropertyEntry::liveness(
            DELIVERY,
            "every process that recovers resumes; every input is delivered, unless its process \
             crashes, every message that is sent and not undone, too; and every result is output",
            |setting| Box::new(Delivery::new(setting)),
        ),
        PropertyEntry::safety(
            LOCAL_RECOVERY,
            "only a process that has crashed returns to an earlier state",
            |setting| Box::new(LocalRecovery::new(setting)),
        )
        .if_claimed(),
    ];

    type Request = Request;
    type Indication = Indication;
    type WorkloadSettings = JobWorkload;
    type Workload = Jobs;

    fn workload(settings: &JobWorkload, setting: &Setting) -> Result<Jobs, Invalid> {
        Jobs::new(settings, setting)
    }

    fn phrase(indication: &Indication) -> Option<String> {
        Some(match indication {
            Indication::Delivered { interval, message, value } => {
                format!("delivers {message:?}, which begins its interval {interval} ({value})")
            }
            Indication::Sent(message) => format!("sends {message:?}"),
            Indication::Output(output) => format!("outputs {output:?}"),
            Indication::RolledBack { to } => format!("rolls back to its interval {to}"),
            Indication::Resumed => "has replayed its past".to_owned(),
        })
    }

    fn is_probe(indication: &Indication) -> bool {
        !matches!(indication, Indication::Output(_))
    }

    /// A job is answered by its output at the last process of its route.
    fn operation(p: ProcessId, request: &Request) -> Option<OperationName> {
        let Request::Input { number, route } = request;
        let answers = route.last().copied().unwrap_or(p);
        Some(OperationName { asked: p, answers, number: *number })
    }

    fn answers(p: ProcessId, indication: &Indication) -> impl Iterator<Item = OperationName> {
        let answered = match indication {
            Indication::Output(Output { job, .. }) => {
                Some(OperationName { asked: job.at, answers: p, number: job.number })
            }
            _ => None,
        };
        answered.into_iter()
    }
}

#[cfg(test)]
mod tests;
