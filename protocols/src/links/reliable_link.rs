//! A reliable link: retransmission until acknowledgement, and recognition of duplicates.
//!
//! Source: Stenning (1976), *A data transfer protocol*; Cachin, Guerraoui and Rodrigues (2011),
//! chapter 2, stubborn, perfect and logged links. Spec: [`Link`]; the claims depend on `semantics`.
//! Model: asynchronous, fair-loss links, any pair of processes; crash-recovery with stable
//! deduplication, crash-stop with volatile.
//!
//! Steps: the sender gives each message a tag of its incarnation and a sequence number, keeps it in
//! a buffer of at most `window` messages and sends DATA. After a timeout it sends the whole buffer
//! again. An ACK removes a message from the buffer. The receiver acknowledges every message,
//! duplicates too, since the last ACK may have been lost. `semantics` determines the rest:
//!
//! - `at-most-once`: known tags are ignored, and nothing is retransmitted.
//! - `at-least-once`: nothing is ignored, and everything is retransmitted.
//! - `exactly-once`: known tags are ignored, and everything is retransmitted.
//!
//! Why it works: on a fair-loss link a message that is sent again and again arrives, and so does
//! one of the ACKs that it triggers. A tag identifies one message: within one life by the sequence
//! number, and across crashes by the incarnation, which the sender has on its log before it sends.
//! The receiver logs a tag in the same record as its effect on the application, so no crash can
//! come between the two, and sends the ACK once both are durable.
//!
//! A message that is only in its sender's buffer is lost if the sender crashes: the buffer is not
//! on the log.
//!
//! Words: Stenning's *transmitter* and *receiver* are our sender and receiver.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use ftsim_core::model::data::StorageError;
use ftsim_core::prelude::*;

use crate::spec::link::{
    Application, EXACTLY_ONCE_EFFECT, Indication, Link, MessageNumber, NO_DUPLICATION, RELIABLE,
    Request, State,
};

/// The longest wait of an exponential backoff, in timeouts.
const BACKOFF_MAX: u64 = 16;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message, sent for the first time or again.
    Data { tag: Tag, number: MessageNumber },
    /// The message with this tag has arrived.
    Ack(Tag),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// This receiver has acknowledged nothing for too long.
    Unacknowledged(ProcessId),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    /// As a sender: this incarnation has begun.
    Incarnation(u64),
    /// As a receiver: a message is delivered.
    Delivered { from: ProcessId, tag: Tag, number: MessageNumber },
    /// As a receiver, in the mutant `two-records`: this tag is known, and not to be delivered
    /// again.
    Seen { from: ProcessId, tag: Tag },
}

/// The permanent identity of a message on the wire, shown as `incarnation.sequence`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tag {
    /// The number of the sender's incarnation, from 0.
    pub incarnation: u64,
    /// The number of the message in this incarnation, to this receiver, from 1.
    pub sequence: u64,
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.incarnation, self.sequence)
    }
}

/// Both ends of reliable links.
#[derive(Clone, Debug, Hash)]
pub struct ReliableLink {
    params: ReliableLinkParams,
    incarnation: u64,
    /// As a sender, by receiver.
    outgoing: BTreeMap<ProcessId, Outgoing>,
    /// As a receiver: the tags known, by sender.
    seen: BTreeSet<(ProcessId, Tag)>,
    application: State,
}

/// The state of a sender for one receiver.
#[derive(Clone, Debug, Default, Hash)]
struct Outgoing {
    sequence: u64,
    /// The messages sent and not acknowledged, by sequence number; at most `window`.
    buffer: BTreeMap<u64, MessageNumber>,
    /// The messages not sent yet, while the window is full.
    waiting: VecDeque<MessageNumber>,
    /// Timeouts since the last acknowledgement.
    timeouts: u32,
}

impl Process for ReliableLink {
    type Spec = Link;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Record;

    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        let mut lives = 0;
        let mut delivered = Vec::new();
        for record in log.iter().filter_map(Stored::intact) {
            match record {
                Record::Incarnation(life) => lives = lives.max(*life),
                Record::Delivered { from, tag, number } => {
                    self.application.apply(*from, *number);
                    delivered.push((*from, *number));
                    if self.remembers() && !cx.runs(&TWO_RECORDS) {
                        self.seen.insert((*from, *tag));
                    }
                }
                Record::Seen { from, tag } => drop(self.seen.insert((*from, *tag))),
            }
        }
        if !cx.runs(&REUSE_SEQ) {
            self.incarnation = lives + 1;
            cx.append(Record::Incarnation(self.incarnation));
            cx.sync();
        }
        cx.indicate(Indication::Recovered { delivered });
        cx.indicate(Indication::State(self.application.clone()));
    }

    fn on_storage_error(&mut self, _: StorageError, cx: &mut Cx<Self>) {
        if !cx.runs(&IGNORE_FAILED_SYNC) {
            cx.halt();
        }
    }

    fn on_request(&mut self, Request::Send { to, number }: Request, cx: &mut Cx<Self>) {
        self.outgoing.entry(to).or_default().waiting.push_back(number);
        self.fill_window(to, cx);
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Data { tag, number } => self.on_data(from, tag, number, cx),
            Msg::Ack(tag) => self.on_ack(from, tag, cx),
        }
    }

    fn on_timer(&mut self, Timer::Unacknowledged(to): Timer, cx: &mut Cx<Self>) {
        let Some(outgoing) = self.outgoing.get_mut(&to) else { return };
        if self.params.semantics == Semantics::AtMostOnce || cx.runs(&NO_RETRANSMIT) {
            cx.reach("gave up");
            outgoing.buffer.clear();
            self.fill_window(to, cx);
            return;
        }
        cx.reach("sent again");
        outgoing.timeouts = outgoing.timeouts.saturating_add(1);
        for (sequence, number) in &outgoing.buffer {
            let tag = Tag { incarnation: self.incarnation, sequence: *sequence };
            cx.send(to, Msg::Data { tag, number: *number });
        }
        let wait = self.params.wait(outgoing.timeouts);
        cx.set_timer(wait, Timer::Unacknowledged(to));
    }
}

impl ReliableLink {
    /// Sends waiting messages, as far as the window allows.
    fn fill_window(&mut self, to: ProcessId, cx: &mut Cx<Self>) {
        let window = self.params.window as usize;
        let outgoing = self.outgoing.entry(to).or_default();
        while outgoing.buffer.len() < window {
            let Some(number) = outgoing.waiting.pop_front() else { return };
            outgoing.sequence += 1;
            let tag = Tag { incarnation: self.incarnation, sequence: outgoing.sequence };
            if !cx.runs(&FORGET_BEFORE_ACK) {
                if outgoing.buffer.is_empty() {
                    outgoing.timeouts = 0;
                    cx.set_timer(self.params.timeout, Timer::Unacknowledged(to));
                }
                outgoing.buffer.insert(tag.sequence, number);
            }
            cx.send(to, Msg::Data { tag, number });
        }
        if !outgoing.waiting.is_empty() {
            cx.reach("the window is full");
        }
    }

    fn on_ack(&mut self, from: ProcessId, tag: Tag, cx: &mut Cx<Self>) {
        let Some(outgoing) = self.outgoing.get_mut(&from) else { return };
        let is_mine = tag.incarnation == self.incarnation;
        if !is_mine || outgoing.buffer.remove(&tag.sequence).is_none() {
            return;
        }
        outgoing.timeouts = 0;
        if outgoing.buffer.is_empty() {
            cx.cancel_timer(Timer::Unacknowledged(from));
        } else {
            cx.set_timer(self.params.timeout, Timer::Unacknowledged(from));
        }
        self.fill_window(from, cx);
    }

    fn on_data(&mut self, from: ProcessId, tag: Tag, number: MessageNumber, cx: &mut Cx<Self>) {
        let is_new = self.seen.insert((from, tag));
        if !is_new {
            cx.reach("a duplicate");
        }
        let delivers_again = self.params.semantics == Semantics::AtLeastOnce || cx.runs(&NO_DEDUP);
        if is_new || delivers_again {
            self.deliver(from, tag, number, cx);
        }
        cx.send(from, Msg::Ack(tag));
    }

    fn remembers(&self) -> bool {
        self.params.dedup_storage == DedupStorage::Stable
    }

    /// Delivers a message: its tag and its effect become durable together.
    fn deliver(&mut self, from: ProcessId, tag: Tag, number: MessageNumber, cx: &mut Cx<Self>) {
        self.application.apply(from, number);
        if self.remembers() && cx.runs(&TWO_RECORDS) {
            cx.append(Record::Seen { from, tag });
        }
        cx.append(Record::Delivered { from, tag, number });
        cx.sync();
        cx.indicate(Indication::Deliver { from, number });
        cx.indicate(Indication::State(self.application.clone()));
    }
}

/// `[params]` of a reliable link.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReliableLinkParams {
    /// How often a message is delivered.
    pub semantics: Semantics,
    /// The most messages to one receiver that may be unacknowledged at once; 1 is stop-and-wait.
    pub window: u32,
    /// How long the sender waits for an acknowledgement before it sends again (or gives up, with
    /// `at-most-once`).
    pub timeout: Duration,
    /// How the wait grows while no acknowledgement comes.
    pub backoff: Backoff,
    /// Where the receiver stores the tags that it knows.
    pub dedup_storage: DedupStorage,
    /// What the receiving application does with messages.
    pub application: Application,
}

impl Default for ReliableLinkParams {
    fn default() -> Self {
        Self {
            semantics: Semantics::default(),
            window: 1,
            timeout: Duration::from_millis(30),
            backoff: Backoff::default(),
            dedup_storage: DedupStorage::default(),
            application: Application::default(),
        }
    }
}

/// How often a message is delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Semantics {
    /// At most once: nothing is retransmitted.
    AtMostOnce,
    /// At least once: duplicates are not recognised.
    AtLeastOnce,
    /// Exactly once: everything is retransmitted, and duplicates are recognised.
    #[default]
    ExactlyOnce,
}

/// How the sender's wait grows while no acknowledgement comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Backoff {
    /// Not at all.
    #[default]
    Constant,
    /// It doubles, up to 16 timeouts.
    Exponential,
}

/// Where the receiver stores the tags that it knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DedupStorage {
    /// In memory: a crash erases it.
    Volatile,
    /// On its log, with the application's state.
    #[default]
    Stable,
}

impl ReliableLinkParams {
    /// The wait after this many timeouts in a row.
    fn wait(&self, timeouts: u32) -> Duration {
        match self.backoff {
            Backoff::Constant => self.timeout,
            Backoff::Exponential => {
                let factor = 1u64.checked_shl(timeouts).unwrap_or(BACKOFF_MAX);
                self.timeout.times(factor.min(BACKOFF_MAX))
            }
        }
    }
}

const NO_DEDUP: Mutant =
    Mutant::code("no-dedup", "delivers every message, known or not", EXACTLY_ONCE_EFFECT);
const NO_RETRANSMIT: Mutant =
    Mutant::code("no-retransmit", "sends each message once and gives up", RELIABLE);
const VOLATILE_DEDUP: Mutant = Mutant::assumption(
    "volatile-dedup",
    "keeps the tags that it knows only in memory, and restarts",
    NO_DUPLICATION,
    "params.dedup_storage",
    Some("\"stable\""),
);
const FORGET_BEFORE_ACK: Mutant =
    Mutant::code("forget-before-ack", "forgets a message as soon as it is sent", RELIABLE);
const REUSE_SEQ: Mutant =
    Mutant::code("reuse-seq", "restarts its sequence numbers at 1 after a crash", RELIABLE);
const TWO_RECORDS: Mutant = Mutant::code(
    "two-records",
    "logs tag and delivery in two records, as if a crash kept both or neither",
    RELIABLE,
);
const IGNORE_FAILED_SYNC: Mutant = Mutant::code(
    "ignore-failed-sync",
    "continues when its disk fails, as if everything were on the log",
    RELIABLE,
);

impl Protocol for ReliableLink {
    const NAME: &'static str = "reliable-link";
    const SUMMARY: &'static str =
        "reliable link: number messages, retransmit until acknowledged, drop duplicates";
    const SOURCE: &'static str =
        "Stenning 1976, A data transfer protocol; Cachin, Guerraoui & Rodrigues 2011, chapter 2";
    const MUTANTS: &'static [Mutant] = &[
        NO_DEDUP,
        NO_RETRANSMIT,
        VOLATILE_DEDUP,
        FORGET_BEFORE_ACK,
        REUSE_SEQ,
        TWO_RECORDS,
        IGNORE_FAILED_SYNC,
    ];

    type Params = ReliableLinkParams;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_recovery(Bound::ANY).over(Links::FairLoss)
    }

    fn validate(params: &ReliableLinkParams, _: &Setting) -> Result<(), Invalid> {
        if params.window == 0 {
            return Err(Invalid::new(
                "window",
                "must be at least 1: a window of 0 lets no message through",
            ));
        }
        if params.timeout == Duration::ZERO {
            return Err(Invalid::new("timeout", "must be longer than zero"));
        }
        Ok(())
    }

    fn new(params: &ReliableLinkParams, _: &Setting, _: ProcessId) -> Self {
        Self {
            params: params.clone(),
            incarnation: 0,
            outgoing: BTreeMap::new(),
            seen: BTreeSet::new(),
            application: State::new(params.application),
        }
    }

    fn claims(params: &ReliableLinkParams, _: &Setting) -> Vec<PropertyId> {
        match (params.semantics, params.application) {
            (Semantics::AtMostOnce, _) => vec![NO_DUPLICATION],
            (Semantics::AtLeastOnce, Application::Counter) => vec![RELIABLE],
            (Semantics::AtLeastOnce, Application::Set) => vec![RELIABLE, EXACTLY_ONCE_EFFECT],
            (Semantics::ExactlyOnce, _) => vec![RELIABLE, NO_DUPLICATION, EXACTLY_ONCE_EFFECT],
        }
    }
}
