//! Traces: the ordered record of a run, as plain data, made only on request.

use serde::{Deserialize, Serialize};

use crate::environment::network::DropReason;
use crate::id::{MessageId, ProcessId};
use crate::model::data::StorageError;
use crate::outcome::tape::{Tape, TapeReader};
use crate::time::Instant;

/// The record of one run, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Whether the trace ends before the run, at [`Trace::ENTRY_COUNT_MAX`].
    pub truncated: bool,
}

/// One entry of a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The step in which it happened, from 1; 0 is before the first.
    pub step: u64,
    /// The true time, in nanoseconds when serialised.
    pub at: Instant,
    /// The process where it happened; `None` for the network as a whole.
    pub process: Option<ProcessId>,
    /// The event.
    #[serde(flatten)]
    pub what: TraceEvent,
}

/// The event of an entry. Content is formatted by Rust's `Debug`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum TraceEvent<C = String> {
    /// A process starts.
    Start,
    /// A process receives a client's request.
    Request {
        /// The request.
        request: C,
    },
    /// A client's request is lost because the process is down.
    RequestLost {
        /// The request.
        request: C,
    },
    /// A client's request is masked by the scenario.
    RequestMasked {
        /// The request.
        request: C,
    },
    /// A message is delivered.
    Deliver {
        /// The message.
        id: MessageId,
        /// The sender.
        from: ProcessId,
        /// Its content.
        message: C,
    },
    /// A timer fires.
    Timer {
        /// The timer.
        timer: C,
    },
    /// The detector suspects a process.
    Suspect {
        /// The suspected process.
        subject: ProcessId,
    },
    /// The detector trusts a process again.
    Trust {
        /// The trusted process.
        subject: ProcessId,
    },
    /// A message is sent; it arrives unless it is lost later.
    Send {
        /// The message.
        id: MessageId,
        /// The receiver.
        to: ProcessId,
        /// Its kind.
        kind: C,
        /// Its content.
        message: C,
        /// The time when it will arrive.
        arrives: Instant,
    },
    /// A message is lost.
    Drop {
        /// The message.
        id: MessageId,
        /// The receiver.
        to: ProcessId,
        /// Its content.
        message: C,
        /// The reason.
        reason: DropReason,
    },
    /// A timer is set or moved.
    SetTimer {
        /// The timer.
        timer: C,
        /// The time when it is due.
        due: Instant,
    },
    /// A timer is cancelled.
    CancelTimer {
        /// The timer.
        timer: C,
    },
    /// A process announces an indication.
    Indicate {
        /// The indication.
        what: C,
        /// What it says of the process, as the rest of a sentence that begins with the process.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phrase: Option<String>,
        /// Whether the process leads from now on, or no longer does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        leads: Option<bool>,
    },
    /// A record is appended to the volatile part of the log.
    Append {
        /// The record.
        record: C,
    },
    /// The log is replaced, not yet durably.
    Rewrite {
        /// The number of records that it now has.
        count: usize,
    },
    /// The disk failed.
    StorageError {
        /// The error.
        error: StorageError,
    },
    /// A disk is damaged; its process does not notice.
    Damage {
        /// The damage.
        fault: String,
    },
    /// A sync begins that takes time; the process waits for it.
    SyncBegins,
    /// The log is durable.
    Synced,
    /// Something interesting happened.
    Reach {
        /// Its label.
        label: String,
    },
    /// A remark.
    Note {
        /// Its text.
        remark: String,
    },
    /// A process crashes.
    Crash {
        /// The number of effects of the current handler that are lost.
        effects_lost: usize,
    },
    /// The transport accepts a message.
    Carry {
        /// The message.
        id: MessageId,
        /// The receiver.
        to: ProcessId,
        /// The content.
        message: C,
    },
    /// A process now has a second copy.
    Doubled {
        /// The id of the second copy in this trace.
        second: ProcessId,
    },
    /// A process aborts; all others will be notified.
    Abort,
    /// The state of a process is corrupted.
    StateCorrupted,
    /// A clock jumps.
    ClockJump {
        /// The size and direction of the jump.
        shift: String,
    },
    /// The network changes a message in transit.
    Garble {
        /// The message.
        id: MessageId,
        /// The receiver.
        to: ProcessId,
        /// The new content.
        message: C,
    },
    /// The network replays an old message.
    Replay {
        /// The message.
        id: MessageId,
        /// The receiver.
        to: ProcessId,
        /// The content.
        message: C,
    },
    /// A process recovers.
    Recover {
        /// The number of records in its log.
        records: usize,
    },
    /// A process pauses.
    Pause,
    /// A process resumes.
    Resume,
    /// A condition begins.
    Begins {
        /// The condition.
        condition: String,
    },
    /// A condition ends, or turns off for a while.
    Ends {
        /// The condition.
        condition: String,
    },
    /// A process becomes Byzantine.
    Corrupt {
        /// Its behaviour.
        behaviour: String,
    },
    /// All conditions of links end.
    Heal,
    /// The network is stable from now on.
    Stabilise,
    /// All faults end, for these processes.
    Well {
        /// The liveness mode.
        mode: String,
        /// The processes.
        processes: String,
    },
    /// Too few processes can be well for the protocol to make progress.
    Unavailable,
    /// A property is violated.
    Violation {
        /// The property.
        property: String,
        /// The violation.
        message: String,
    },
    /// A handler panicked.
    Panic {
        /// The message of the panic.
        message: String,
    },
}

impl Trace {
    /// The maximum number of entries of a trace.
    pub const ENTRY_COUNT_MAX: usize = 2_000_000;

    /// Reads the tape of a run that has just ended.
    pub(crate) fn of(mut tape: Tape) -> Self {
        let truncated = tape.end();
        let mut reader = TapeReader::new(tape.bytes());
        let next = || reader.next_entry().expect("what was written can be read");
        Self { entries: std::iter::from_fn(next).collect(), truncated }
    }
}
