//! One step of an explored run.

use super::choice::Choice;
use super::footprint::Footprint;
use crate::id::ProcessId;
use crate::kind::MessageKind;
use crate::time::{Duration, Instant};

/// A step of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was chosen.
    pub choice: Choice,
    /// What it touched.
    pub footprint: Footprint,
    /// What happened.
    pub what: What,
    /// The steps, counted from 0, without which it could not have happened: the one that caused it,
    /// and on a FIFO link the arrival of the message before, for a request the one before.
    pub needs: [Option<u32>; 2],
    /// How long after its cause it is due by itself: a timer or a request.
    pub after: Duration,
    /// How many effects the process had had before.
    pub effect_count: u64,
    /// Steps of an earlier epoch come before it whatever they touch.
    pub epoch: u32,
    /// Whether it comes after all steps before it, whatever they touch.
    pub is_last_resort: bool,
    /// What the clock of its process shows, if it is about one.
    pub clock: Instant,
}

/// What a step was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// All processes started.
    Start,
    /// A message: sender, receiver, kind, and its number among those of its kind on the link.
    Message {
        /// The sender.
        from: ProcessId,
        /// The receiver.
        to: ProcessId,
        /// The kind.
        kind: MessageKindIn,
        /// Its number, from 1.
        nth: u64,
    },
    /// A timer of this process ran out.
    Timer(ProcessId),
    /// A request of a client.
    Request {
        /// The process that is asked.
        process: ProcessId,
        /// Its number among the requests to this process, from 1.
        nth: u64,
    },
    /// A notice of the failure detector.
    Notice {
        /// The process that is told.
        observer: ProcessId,
        /// The process that it is told about.
        subject: ProcessId,
        /// Its number among the notices to that observer about that subject, from 1; 0 for a wrong
        /// suspicion and its withdrawal.
        nth: u64,
    },
    /// This process recovered.
    Recovery(ProcessId),
    /// This process crashed between two steps.
    Crash(ProcessId),
    /// Something else at this process.
    Other(ProcessId),
}

impl What {
    /// The process at which it happens, if there is one.
    pub const fn process(self) -> Option<ProcessId> {
        match self {
            Self::Start => None,
            Self::Message { to: p, .. }
            | Self::Timer(p)
            | Self::Request { process: p, .. }
            | Self::Notice { observer: p, .. }
            | Self::Recovery(p)
            | Self::Crash(p)
            | Self::Other(p) => Some(p),
        }
    }
}

/// The kind of a message, comparable.
#[derive(Clone, Copy, Debug)]
pub struct MessageKindIn(pub MessageKind);

impl PartialEq for MessageKindIn {
    fn eq(&self, other: &Self) -> bool {
        self.0.code() == other.0.code()
    }
}
impl Eq for MessageKindIn {}
