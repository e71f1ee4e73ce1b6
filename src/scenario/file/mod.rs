//! A scenario file word for word: the right keys with values of the right shape, and nothing more
//! is known.
//!
//! The doc comments of these types are the descriptions in the JSON schema.

mod condition;
mod delay;
mod draw;
mod explore;
mod fault;
mod keys;
mod mask;
mod message;
mod random;
mod repro;
mod request;
mod text;
mod value;

use ftsim_core::{Duration, DurationRange};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use condition::{
    BandwidthFile, ChanceFile, DelayFaultFile, DriftFile, LateFile, LinksFile, ReceiveOmissionFile,
    ReorderFile, RollbackFile, SendOmissionFile, ShiftFile, SlowFile, SlowSyncFile,
};
pub use delay::{DelayFile, DelayTable};
pub use draw::DrawFile;
pub use explore::{ExploreFile, ExploreTimeFile};
pub use fault::{
    BehaviourFile, ColludeFile, FaultFile, InFlightFile, PartitionFile, Shape, When, WhenEffect,
};
pub use keys::keys;
pub use mask::MaskFile;
pub use message::MessageFile;
pub use random::{CrashPointsFile, OccurrenceFile, OccurrenceOf, RandomFile, RandomShape};
pub use repro::ReproFile;
pub use request::RequestFile;
pub use value::{Count, Counts, Drift, Loss, Processes, Rate, Targets};

/// Whether a file need not say it.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// One experiment: a protocol, its environment, faults, clients, limits, and the expected outcome.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "ftsim scenario")]
pub struct ScenarioFile {
    /// The protocol; `ftsim list` shows them all.
    pub protocol: String,
    /// What happens, in a sentence or two.
    pub summary: Option<String>,
    /// The source: author and year.
    pub reference: Option<String>,
    /// Properties to check beyond the spec's core and the protocol's claims.
    #[serde(default, skip_serializing_if = "is_default")]
    pub check: Vec<String>,
    /// The number of processes; for a protocol with roles, a table of role and number.
    pub processes: Processes,
    /// Groups of processes that fail together: whatever stops one process of a group stops all of
    /// them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fate_sharing: Vec<Targets>,
    /// The protocol's own parameters, as `ftsim describe` lists them. `mutant` names a deliberately
    /// broken variant.
    #[serde(default, skip_serializing_if = "is_default")]
    pub params: Map<String, Value>,
    /// The links.
    #[serde(default, skip_serializing_if = "is_default")]
    pub network: NetworkFile,
    /// The error of local clocks.
    #[serde(default, skip_serializing_if = "is_default")]
    pub clocks: ClocksFile,
    /// The failure detector.
    #[serde(default, skip_serializing_if = "is_default")]
    pub detector: DetectorFile,
    /// Stable storage.
    #[serde(default, skip_serializing_if = "is_default")]
    pub storage: StorageFile,
    /// The clients' own settings, as `ftsim describe` lists them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub workload: Map<String, Value>,
    /// The faults. Of two at the same instant, the earlier one in this list strikes first.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fault: Vec<FaultFile>,
    /// Overrides for single messages.
    #[serde(default, skip_serializing_if = "is_default")]
    pub message: Vec<MessageFile>,
    /// Overrides for single requests of clients.
    #[serde(default, skip_serializing_if = "is_default")]
    pub request: Vec<RequestFile>,
    /// Requests of clients that are suppressed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mask: Vec<MaskFile>,
    /// What is drawn, where it is not to be drawn from the seed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub draw: Vec<DrawFile>,
    /// Faults drawn from each seed.
    pub random: Option<RandomFile>,
    /// When all faults end, and for which processes, so that liveness can be judged.
    pub liveness: Option<LivenessFile>,
    /// Seeds, and the limits of each run.
    #[serde(default, skip_serializing_if = "is_default")]
    pub run: RunFile,
    /// How `ftsim explore` explores it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub explore: ExploreFile,
    /// The expected outcome.
    #[serde(default, skip_serializing_if = "is_default")]
    pub expect: ExpectFile,
    /// In a repro: the run that it stands for.
    pub repro: Option<ReproFile>,
}

/// The links.
#[derive(Clone, Debug, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkFile {
    /// The delay of a message. Default: `"1ms..10ms"`.
    pub delay: Option<DelayFile>,
    /// The loss of messages. Default: none.
    pub loss: Option<Loss>,
    /// The probability that a message arrives twice. Default: 0.
    pub duplicate: Option<f64>,
    /// Whether messages of one link can overtake each other. Default: `"any"`.
    pub order: Option<Order>,
    /// The bandwidth of each link. Default: unlimited.
    pub bandwidth: Option<Rate>,
    /// The probability that the content of a message is changed in transit. Default: 0.
    pub corrupt: Option<f64>,
    /// The guarantee for processes; a transport provides what the links lack. Default: `"raw"`.
    pub links: Option<GuaranteeFile>,
    /// Of `reliable` and `reliable-fifo`: the time before the transport retransmits a message that
    /// is not acknowledged. Default: three times `bound`.
    pub resend_after: Option<Duration>,
    /// GST: from this time on, no message is lost or cut, and none takes longer than `bound`.
    pub stabilise_at: Option<Duration>,
    /// The maximum delay that processes may assume; a message that exceeds it is a failure.
    /// Default: the maximum of `delay`.
    pub bound: Option<Duration>,
    /// Links that differ; of two entries for the same link, the later one applies.
    #[serde(skip_serializing_if = "is_default")]
    pub link: Vec<LinkFile>,
}

/// The guarantee for processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GuaranteeFile {
    /// Only what the links guarantee.
    Raw,
    /// Every message arrives exactly once.
    Reliable,
    /// Also in the order of sending.
    ReliableFifo,
}

/// Directed links that differ from the others.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkFile {
    /// The senders.
    pub from: Targets,
    /// The receivers.
    pub to: Targets,
    /// The delay of a message.
    pub delay: Option<DelayFile>,
    /// Which messages are lost.
    pub loss: Option<Loss>,
    /// The probability that a message arrives twice.
    pub duplicate: Option<f64>,
    /// Whether messages can overtake each other.
    pub order: Option<Order>,
    /// The bandwidth.
    pub bandwidth: Option<Rate>,
    /// The probability that the content of a message is changed in transit.
    pub corrupt: Option<f64>,
}

/// Whether messages of one link can overtake each other.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// They can.
    Any,
    /// They arrive in the order of sending.
    Fifo,
}

/// The error of local clocks.
#[derive(Clone, Debug, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClocksFile {
    /// How far a clock is ahead at the start. Default: `"0ms"`.
    #[serde(skip_serializing_if = "is_default")]
    pub offset: DurationRange,
    /// The drift of a clock. Default: `"0ppm"`.
    #[serde(skip_serializing_if = "is_default")]
    pub drift: Drift,
}

/// The failure detector.
#[derive(Clone, Debug, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DetectorFile {
    /// The kind of detector. Default: `"none"`.
    pub kind: Option<DetectorKind>,
    /// The time after a crash or a recovery at which each process is notified. Default: `"0ms"`.
    pub delay: Option<DurationRange>,
    /// Of `eventually-perfect`: the number of wrong suspicions of each process, drawn from the
    /// seed.
    pub mistakes_per_process: Option<Counts>,
    /// Of `eventually-perfect`: the duration of each, at most until the network stabilises.
    pub mistake_duration: Option<DurationRange>,
    /// Of `heartbeat`: the time from one heartbeat to the next.
    pub period: Option<Duration>,
    /// Of `heartbeat`: the silence after which a process is suspected.
    pub timeout: Option<Duration>,
    /// Of `heartbeat`: the increment of `timeout` for a process that was wrongly suspected.
    /// Default: 0.
    pub increment: Option<Duration>,
    /// Wrong suspicions.
    #[serde(skip_serializing_if = "is_default")]
    pub mistakes: Vec<MistakeFile>,
    /// Pairs of processes of which one is never notified of the other's crash.
    #[serde(skip_serializing_if = "is_default")]
    pub blind: Vec<BlindFile>,
    /// Overrides of `delay` for single notifications.
    #[serde(skip_serializing_if = "is_default")]
    pub notice: Vec<NoticeFile>,
}

/// The kinds of failure detector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DetectorKind {
    /// No failure detector.
    None,
    /// Every crash is eventually reported to every process, and nothing else is.
    Perfect,
    /// Like `perfect`, except for wrong suspicions until the network stabilises.
    EventuallyPerfect,
    /// Each process is told which process to trust as its leader: the one with the lowest id that
    /// is up. With `mistakes_per_process`, it is also told others until the network stabilises.
    Omega,
    /// No oracle: the transport sends real heartbeats and can be mistaken.
    Heartbeat,
}

/// One wrong suspicion.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MistakeFile {
    /// The process that suspects.
    pub observer: String,
    /// The process that is suspected.
    pub suspects: String,
    /// The time.
    pub at: Duration,
    /// When the suspicion ends. Default: never.
    pub until: Option<Duration>,
}

/// The delay of one notification.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoticeFile {
    /// The process that is notified.
    pub observer: String,
    /// The process that crashes or recovers; with `omega`, the observer itself.
    pub of: String,
    /// The number of the notification to that observer about that process, counted from 1. Default:
    /// 1.
    pub nth: Option<Count>,
    /// The time after the crash or the recovery.
    pub delay: Duration,
}

/// A process that is never notified of another's crash.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BlindFile {
    /// The process that is not notified.
    pub observer: String,
    /// The process that crashes.
    pub to: String,
}

/// Stable storage.
#[derive(Clone, Debug, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StorageFile {
    /// The time that a sync takes; the process waits for it. Default: `"0ms"`.
    #[serde(skip_serializing_if = "is_default")]
    pub sync_latency: DurationRange,
    /// What a crash leaves of a log. Default: `"lose-unsynced"`.
    #[serde(skip_serializing_if = "is_default")]
    pub on_crash: OnCrashFile,
}

/// What a crash leaves of a log.
#[derive(Clone, Copy, Debug, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnCrashFile {
    /// All synced records, and no others.
    #[default]
    LoseUnsynced,
    /// All records, synced or not.
    KeepAll,
    /// The synced records, and a prefix of the rest.
    KeepPrefix,
    /// The synced records, and a subset of the rest.
    KeepSubset,
    /// The synced records, a prefix of the rest, and the next record torn.
    TornLast,
    /// No records: amnesia.
    LoseAll,
}

/// When all faults end, and for which processes.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LivenessFile {
    /// What is healed.
    pub mode: LivenessModeFile,
    /// When; with `gst` it is `network.stabilise_at`.
    pub at: Option<Duration>,
}

/// What is healed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LivenessModeFile {
    /// Everything, and the network becomes synchronous.
    Gst,
    /// Everything; the network keeps its delays, but loses nothing.
    HealAll,
    /// As many processes as the protocol needs, drawn from the seed, and the links among them; all
    /// other faults remain.
    Core,
}

/// Seeds, and the limits of each run.
#[derive(Clone, Debug, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RunFile {
    /// The number of seeds that `ftsim run` executes. Default: 100.
    pub seeds: Option<Count>,
    /// The first seed. Default: 1.
    pub first_seed: Option<Count>,
    /// The maximum virtual time. Default: `"60s"`.
    pub horizon: Option<Duration>,
    /// The maximum number of events. Default: 1,000,000.
    pub max_events: Option<Count>,
    /// The maximum number of messages in flight. Default: 1,000,000.
    pub max_pending: Option<Count>,
    /// Whether the first violation of a safety property ends the run. Default: false.
    #[serde(skip_serializing_if = "is_default")]
    pub stop_at_violation: bool,
    /// The order of events of one class at one instant. Default: `"sequence"`.
    #[serde(skip_serializing_if = "is_default")]
    pub ties: TiesFile,
}

/// The order of events of one class at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TiesFile {
    /// The order in which they were scheduled.
    #[default]
    Sequence,
    /// An order drawn from the seed.
    Drawn,
}

/// The expected outcome.
#[derive(Clone, Debug, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExpectFile {
    /// Each of these properties must be violated in some seed; all others must hold in every seed.
    #[serde(skip_serializing_if = "is_default")]
    pub violated: Vec<String>,
    /// Properties whose premise cannot come true here; that of every other property must come true
    /// in some seed.
    #[serde(skip_serializing_if = "is_default")]
    pub vacuous: Vec<String>,
    /// Each of these properties must be undecided in some seed; no other may be.
    #[serde(skip_serializing_if = "is_default")]
    pub undecided: Vec<String>,
    /// Labels that must be reached in some seed.
    #[serde(skip_serializing_if = "is_default")]
    pub reached: Vec<String>,
    /// Claims about all runs together.
    #[serde(skip_serializing_if = "is_default")]
    pub statistic: Vec<StatisticFile>,
}

/// `[[expect.statistic]]`: a claim about all runs together, judged with a stated confidence.
#[derive(Clone, Debug, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StatisticFile {
    /// A property: the claim is about the share of runs in which it holds. It may be violated in
    /// the others.
    #[serde(skip_serializing_if = "is_default")]
    pub share: Option<String>,
    /// A number of each run: the claim is about its mean. `messages` that were sent, `steps`, or a
    /// property that measures something.
    #[serde(skip_serializing_if = "is_default")]
    pub mean: Option<String>,
    /// The least value that agrees with the claim.
    #[serde(skip_serializing_if = "is_default")]
    pub at_least: Option<f64>,
    /// The greatest value that agrees with the claim.
    #[serde(skip_serializing_if = "is_default")]
    pub at_most: Option<f64>,
    /// How sure the judgement must be: from 0.5 to less than 1, 0.99 unless given.
    #[serde(skip_serializing_if = "is_default")]
    pub confidence: Option<f64>,
}
