//! What a run came to.

pub mod decisions;
pub mod dependability;
pub mod history;
pub(crate) mod shown;
pub mod tape;
pub mod trace;

use std::sync::Arc;

use serde::Serialize;

use crate::digest::Digest;
use crate::environment::network::DropReason;
use crate::fault::Plan;
use crate::id::ProcessId;
use crate::kind::MessageKind;
use crate::model::property::Stall;
use crate::model::property::{EndCause, Judged, PropertyKind, Verdict};
use crate::outcome::dependability::Dependability;
use crate::time::{Duration, Instant};

/// The outcome of one run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The seed that it ran with.
    pub seed: u64,
    /// Equal for runs that did the same.
    pub digest: Digest,
    /// Why it ended.
    pub cause: EndCause,
    /// When it ended.
    pub at: Instant,
    /// Who is correct, as the protocol's fault model defines it; in the order of ids.
    pub correct: Vec<bool>,
    /// The verdict on each property that was checked, in the order of the spec's table.
    pub judged: Vec<Judged>,
    /// The labels that were reached, in the order of their first time.
    pub reached: Vec<&'static str>,
    /// The faults of this run: those of the experiment, then those drawn from the seed.
    pub plan: Arc<Plan>,
    /// Faults of the plan, by index, whose trigger never came.
    pub unfired: Vec<usize>,
    /// Overrides, by index, whose message was never sent.
    pub unused: Vec<usize>,
    /// Overrides of requests, by index, whose request never came.
    pub unused_requests: Vec<usize>,
    /// Masks, by index, whose request was never due.
    pub unused_masks: Vec<usize>,
    /// The panic that ended the run, if one did.
    pub panicked: Option<Panicked>,
    /// Counts.
    pub statistics: Statistics,
    /// What processes went through, and what clients noticed of it.
    pub dependability: Dependability,
    /// How long each operation took that was answered, in the order of their names.
    pub latencies: Vec<Duration>,
}

impl Outcome {
    /// Whether a liveness property is violated.
    pub(crate) fn owes_something(&self) -> bool {
        let owed = |judged: &Judged| {
            judged.kind == PropertyKind::Liveness && matches!(judged.verdict, Verdict::Violated(_))
        };
        self.judged.iter().any(owed)
    }

    /// Says why what is owed has not come.
    pub(crate) fn set_stall(&mut self, stall: Option<Stall>) {
        for judged in &mut self.judged {
            if let (PropertyKind::Liveness, Verdict::Violated(violation)) =
                (judged.kind, &mut judged.verdict)
            {
                violation.stall = stall;
            }
        }
    }
}

/// A panic in the code of a protocol or of its clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked {
    /// At which step.
    pub step: u64,
    /// When.
    pub at: Instant,
    /// Whose handler; `None` if it was the clients'.
    pub process: Option<ProcessId>,
    /// What it said, and which line of code raised it.
    pub message: String,
    /// The calls that led there, if `RUST_BACKTRACE` asks for them.
    pub backtrace: Option<String>,
}

/// Counts over one run. A message is one transmission between two distinct processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Events that were handled.
    pub events: u64,
    /// Messages sent, by kind, in the order of their first sending.
    pub kinds: Vec<KindCount>,
    /// The length of all these messages as JSON, if [`Experiment::counts_bytes`] asks for it.
    ///
    /// [`Experiment::counts_bytes`]: crate::Experiment::counts_bytes
    pub bytes: Option<u64>,
    /// Messages delivered.
    pub delivered: u64,
    /// Messages dropped, by [`DropReason`].
    pub dropped: [u64; DropReason::ALL.len()],
    /// Copies that the network made.
    pub duplicated: u64,
    /// Messages whose content the network changed.
    pub garbled: u64,
    /// Old messages that the network brought again.
    pub replayed: u64,
    /// What the transport sent, apart from the messages of processes.
    pub packets: PacketCount,
    /// Syncs of a log: forced writes.
    pub syncs: u64,
    /// Crashes.
    pub crashes: u64,
    /// Recoveries.
    pub recoveries: u64,
    /// Requests for each process, in the order of their ids; those that were masked or met it down
    /// count too.
    pub requests: Vec<u64>,
    /// Effects of each process, in the order of their ids: the points at which a crash could land.
    pub effects: Vec<u64>,
}

/// What the transport sent: messages, acknowledgements and heartbeats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PacketCount {
    /// Packets.
    pub sent: u64,
    /// Those of them that carried a message again.
    pub sent_again: u64,
    /// Those of them that did not arrive.
    pub lost: u64,
}

/// How often messages of one kind were sent.
#[derive(Clone, Copy, Debug)]
pub struct KindCount {
    /// The kind.
    pub kind: MessageKind,
    /// How often.
    pub sent: u64,
}

/// Which of the kinds of a run: a [`MessageKind`] has names, and is heavy to hand about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KindIndex(usize);

impl PartialEq for KindCount {
    fn eq(&self, other: &Self) -> bool {
        (self.kind.code(), self.sent) == (other.kind.code(), other.sent)
    }
}
impl Eq for KindCount {}

impl Statistics {
    /// Messages sent, of all kinds.
    pub fn sent(&self) -> u64 {
        self.kinds.iter().map(|k| k.sent).sum()
    }

    /// Messages sent of the kind with this name.
    pub fn sent_of(&self, kind: &str) -> u64 {
        self.kinds.iter().find(|k| k.kind.to_string() == kind).map_or(0, |k| k.sent)
    }

    /// Messages dropped for this reason.
    pub fn dropped_for(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize]
    }

    /// Counts a message that is sent. Returns the index of its kind in `kinds`.
    #[inline]
    pub(crate) fn count_sent<M: Serialize>(&mut self, message: &M) -> KindIndex {
        let code = MessageKind::of(message).code();
        let known = self.kinds.iter().position(|k| k.kind.code() == code);
        let index = known.unwrap_or_else(|| self.add_kind(message));
        self.kinds[index].sent += 1;
        KindIndex(index)
    }

    #[cold]
    fn add_kind<M: Serialize>(&mut self, message: &M) -> usize {
        self.kinds.push(KindCount { kind: MessageKind::of(message), sent: 0 });
        self.kinds.len() - 1
    }

    /// The kind with this index.
    pub(crate) fn kind(&self, KindIndex(index): KindIndex) -> MessageKind {
        self.kinds[index].kind
    }

    pub(crate) fn reset(&mut self) {
        let Self { mut kinds, mut requests, mut effects, .. } = std::mem::take(self);
        kinds.clear();
        requests.clear();
        effects.clear();
        *self = Self { kinds, requests, effects, ..Self::default() };
    }
}
