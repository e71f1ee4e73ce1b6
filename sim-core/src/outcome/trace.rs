//! What did happen: the ordered record of a run, as plain data, made only when asked for.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::environment::network::DropReason;
use crate::id::{MessageId, ProcessId};
use crate::model::data::StorageError;
use crate::outcome::tape::{Tape, TapeReader};
use crate::time::Instant;

/// The record of one run, in the order in which it happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// What happened.
    pub entries: Vec<Entry>,
    /// Whether the record stops before the run does, at [`Trace::ENTRY_COUNT_MAX`].
    pub truncated: bool,
}

/// One line of a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The step in which it happened, from 1; 0 is before the first.
    pub step: u64,
    /// The true time, in nanoseconds when serialised.
    #[serde(with = "nanos")]
    pub at: Instant,
    /// Where it happened; `None` for the network as a whole.
    pub process: Option<ProcessId>,
    /// What happened.
    #[serde(flatten)]
    pub what: TraceEvent,
}

/// What a line of a trace tells. Content is shown as Rust's `Debug` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum TraceEvent<C = String> {
    /// A process starts.
    Start,
    /// A client's request is heard.
    Request {
        /// The request.
        request: C,
    },
    /// A client's request meets a process that is down.
    RequestLost {
        /// The request.
        request: C,
    },
    /// A client's request that the scenario takes out of the run.
    RequestMasked {
        /// The request.
        request: C,
    },
    /// A message is delivered.
    Deliver {
        /// Which.
        id: MessageId,
        /// Who sent it.
        from: ProcessId,
        /// Its content.
        message: C,
    },
    /// A timer has run out.
    Timer {
        /// Which.
        timer: C,
    },
    /// The detector suspects a process.
    Suspect {
        /// Which.
        subject: ProcessId,
    },
    /// The detector trusts a process again.
    Trust {
        /// Which.
        subject: ProcessId,
    },
    /// A message is sent, and will arrive unless something comes between.
    Send {
        /// Which.
        id: MessageId,
        /// To whom.
        to: ProcessId,
        /// Its kind.
        kind: C,
        /// Its content.
        message: C,
        /// When it is to arrive.
        #[serde(with = "nanos")]
        arrives: Instant,
    },
    /// A message will not arrive.
    Drop {
        /// Which.
        id: MessageId,
        /// To whom.
        to: ProcessId,
        /// Its content.
        message: C,
        /// Why.
        reason: DropReason,
    },
    /// A timer is set or moved.
    SetTimer {
        /// Which.
        timer: C,
        /// When it will run out.
        #[serde(with = "nanos")]
        due: Instant,
    },
    /// A timer is unset.
    CancelTimer {
        /// Which.
        timer: C,
    },
    /// A process announces something.
    Indicate {
        /// What.
        what: C,
    },
    /// A record is added to the log, volatile.
    Append {
        /// The record.
        record: C,
    },
    /// The log is replaced, volatile.
    Rewrite {
        /// How many records it has now.
        count: usize,
    },
    /// The disk failed.
    StorageError {
        /// How.
        error: StorageError,
    },
    /// A disk is damaged, unnoticed.
    Damage {
        /// How.
        fault: String,
    },
    /// A sync begins that takes time; the process waits.
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
        /// How many effects of the handler that it was in are lost.
        effects_lost: usize,
    },
    /// The transport takes over a message.
    Carry {
        /// Which.
        id: MessageId,
        /// For whom.
        to: ProcessId,
        /// What it says.
        message: C,
    },
    /// There are two of a process from now on.
    Doubled {
        /// What the second one is called here.
        second: ProcessId,
    },
    /// A process aborts, and all others will be told.
    Abort,
    /// Something has changed the state of a process.
    StateCorrupted,
    /// A clock jumps.
    ClockJump {
        /// By how much.
        shift: String,
    },
    /// The network changes a message on its way.
    Garble {
        /// Which.
        id: MessageId,
        /// For whom.
        to: ProcessId,
        /// What it says from now on.
        message: C,
    },
    /// The network brings an old message again.
    Replay {
        /// Which.
        id: MessageId,
        /// For whom.
        to: ProcessId,
        /// What it says.
        message: C,
    },
    /// A process is back.
    Recover {
        /// How many records its log has.
        records: usize,
    },
    /// A process pauses.
    Pause,
    /// A process goes on.
    Resume,
    /// Something goes wrong for a while.
    Begins {
        /// What.
        condition: String,
    },
    /// It is over, or pauses.
    Ends {
        /// What.
        condition: String,
    },
    /// A process turns Byzantine.
    Corrupt {
        /// How.
        behaviour: String,
    },
    /// All links are whole again.
    Heal,
    /// The network is stable from now on.
    Stabilise,
    /// All faults are over, for these processes.
    Well {
        /// What that means.
        mode: String,
        /// For whom.
        processes: String,
    },
    /// Too few processes can be well for the protocol to make progress.
    Unavailable,
    /// A property is violated.
    Violation {
        /// Which.
        property: String,
        /// How.
        message: String,
    },
    /// A handler panicked.
    Panic {
        /// What it said.
        message: String,
    },
}

impl Trace {
    /// The record stops after this many lines.
    pub const ENTRY_COUNT_MAX: usize = 2_000_000;

    /// Reads the tape of a run that was just made.
    pub(crate) fn of(mut tape: Tape) -> Self {
        let truncated = tape.end();
        let mut reader = TapeReader::new(tape.bytes());
        let next = || reader.next_entry().expect("what was written can be read");
        Self { entries: std::iter::from_fn(next).collect(), truncated }
    }
}

/// An instant as a number of nanoseconds.
mod nanos {
    use super::{Deserialize as _, Deserializer, Instant, Serializer};

    pub fn serialize<S: Serializer>(at: &Instant, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u64(at.as_nanos())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Instant, D::Error> {
        u64::deserialize(d).map(Instant::from_nanos)
    }
}
