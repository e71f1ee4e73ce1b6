//! The results of a run.

pub mod decisions;
pub mod dependability;
pub mod history;
pub mod operations;
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
    /// The seed.
    pub seed: u64,
    /// Equal for runs that behaved identically.
    pub digest: Digest,
    /// The reason for the end.
    pub cause: EndCause,
    /// The time of the end.
    pub at: Instant,
    /// The correctness of each process, as the protocol's fault model defines it; in the order of
    /// ids.
    pub correct: Vec<bool>,
    /// The verdict on each checked property, in the order of the spec's table.
    pub judged: Vec<Judged>,
    /// The labels that were reached, in the order in which they were first reached.
    pub reached: Vec<&'static str>,
    /// The faults of this run: those of the experiment, then those drawn from the seed.
    pub plan: Arc<Plan>,
    /// Faults of the plan, by index, whose trigger never occurred.
    pub unfired: Vec<usize>,
    /// Overrides, by index, whose message was never sent.
    pub unused: Vec<usize>,
    /// Overrides of requests, by index, whose request never occurred.
    pub unused_requests: Vec<usize>,
    /// Masks, by index, whose request was never due.
    pub unused_masks: Vec<usize>,
    /// The panic that ended the run, if one did.
    pub panicked: Option<Panicked>,
    /// Counts.
    pub statistics: Statistics,
    /// The dependability figures of processes and operations.
    pub dependability: Dependability,
    /// The latency of each answered operation, in the order of their names.
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

    /// Sets the reason why obligations were not met.
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
    /// The step.
    pub step: u64,
    /// The time.
    pub at: Instant,
    /// The process whose handler panicked; `None` if it was the clients' code.
    pub process: Option<ProcessId>,
    /// The message of the panic, and the line of code that raised it.
    pub message: String,
    /// The backtrace, if `RUST_BACKTRACE` requests one.
    pub backtrace: Option<String>,
}

/// Counts over one run. A message is one transmission between two distinct processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Events that were handled.
    pub events: u64,
    /// Messages sent, by kind, in the order of their first sending.
    pub kinds: Vec<KindCount>,
    /// The total length of these messages as JSON, if [`Experiment::counts_bytes`] requests it.
    ///
    /// [`Experiment::counts_bytes`]: crate::Experiment::counts_bytes
    pub bytes: Option<u64>,
    /// Messages delivered.
    pub delivered: u64,
    /// Messages dropped, by [`DropReason`].
    pub dropped: [u64; DropReason::ALL.len()],
    /// Copies made by the network.
    pub duplicated: u64,
    /// Messages whose content the network changed.
    pub garbled: u64,
    /// Old messages replayed by the network.
    pub replayed: u64,
    /// Packets of the transport, counted separately from the messages of processes.
    pub packets: PacketCount,
    /// Syncs of a log: forced writes.
    pub syncs: u64,
    /// Crashes.
    pub crashes: u64,
    /// Recoveries.
    pub recoveries: u64,
    /// Requests for each process, in the order of their ids, including those that were masked or
    /// arrived while it was down.
    pub requests: Vec<u64>,
    /// Effects of each process, in the order of their ids: the possible crash points.
    pub effects: Vec<u64>,
}

/// The packets of the transport: messages, acknowledgements and heartbeats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PacketCount {
    /// Packets.
    pub sent: u64,
    /// Packets that retransmitted a message.
    pub sent_again: u64,
    /// Packets that did not arrive.
    pub lost: u64,
}

/// The number of messages of one kind.
#[derive(Clone, Copy, Debug)]
pub struct KindCount {
    /// The kind.
    pub kind: MessageKind,
    /// The number of messages sent.
    pub sent: u64,
}

/// The index of a kind in a run: a [`MessageKind`] contains names, and is expensive to copy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KindIndex(usize);

impl PartialEq for KindCount {
    fn eq(&self, other: &Self) -> bool {
        (self.kind.code(), self.sent) == (other.kind.code(), other.sent)
    }
}
impl Eq for KindCount {}

impl Statistics {
    /// The total number of messages sent.
    pub fn sent(&self) -> u64 {
        self.kinds.iter().map(|k| k.sent).sum()
    }

    /// The number of messages sent of the kind with this name.
    pub fn sent_of(&self, kind: &str) -> u64 {
        self.kinds.iter().find(|k| k.kind.to_string() == kind).map_or(0, |k| k.sent)
    }

    /// The number of messages dropped for this reason.
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

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::{KindCount, Statistics};

    #[derive(Serialize)]
    enum Msg {
        A(u8),
        B,
    }

    #[test]
    fn messages_are_counted_by_kind_until_the_next_run() {
        let mut statistics = Statistics::default();
        let first = statistics.count_sent(&Msg::A(1));
        statistics.count_sent(&Msg::B);
        statistics.count_sent(&Msg::A(2));
        assert_eq!(
            (statistics.sent_of("A"), statistics.sent_of("B"), statistics.sent()),
            (2, 1, 3)
        );
        assert_eq!(statistics.kind(first).to_string(), "A");
        let [a, b] = statistics.kinds.as_slice() else { panic!("two kinds") };
        assert!(a != b && *a == KindCount { kind: a.kind, sent: 2 });
        assert!(*a != KindCount { kind: b.kind, sent: 2 });
        statistics.reset();
        assert_eq!((statistics.sent(), statistics.kinds.len()), (0, 0));
        assert!(statistics.kinds.capacity() > 0, "the next run need not allocate");
    }
}
