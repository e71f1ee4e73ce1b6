//! A scenario file word for word: the right keys with values of the right shape, and nothing more
//! is known.
//!
//! The doc comments of these types are the descriptions in the JSON schema.

mod condition;
mod delay;
mod fault;
mod mask;
mod message;
mod random;
mod repro;
mod request;
mod value;

use ftsim_core::{Duration, DurationRange};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub use condition::{
    BandwidthFile, ChanceFile, DelayFaultFile, DriftFile, LateFile, LinksFile, ReceiveOmissionFile,
    ReorderFile, RollbackFile, SendOmissionFile, ShiftFile, SlowFile, SlowSyncFile,
};
pub use delay::{DelayFile, DelayTable};
pub use fault::{BehaviourFile, ColludeFile, FaultFile, InFlightFile, PartitionFile, Shape};
pub use mask::MaskFile;
pub use message::MessageFile;
pub use random::{CrashPointsFile, OccurrenceFile, OccurrenceOf, RandomFile, RandomShape};
pub use repro::ReproFile;
pub use request::RequestFile;
pub use value::{Count, Counts, Drift, Loss, Processes, Rate, Targets};

/// One experiment: a protocol, a world, faults, clients, limits, and what is expected of it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "ftsim scenario")]
pub struct ScenarioFile {
    /// The protocol; `ftsim list` shows them all.
    pub protocol: String,
    /// What happens here, in a sentence or two.
    pub summary: Option<String>,
    /// Where it comes from: author and year.
    pub reference: Option<String>,
    /// Properties to check beyond the spec's core and the protocol's claims.
    #[serde(default)]
    pub check: Vec<String>,
    /// How many processes: a number, or for a protocol with roles a table of role and number.
    pub processes: Processes,
    /// Groups of processes that share their fate: whatever stops one of a group stops all of it.
    #[serde(default)]
    pub fate_sharing: Vec<Targets>,
    /// The protocol's own parameters, as `ftsim describe` lists them. `mutant` names a deliberately
    /// broken variant.
    #[serde(default)]
    pub params: Map<String, Value>,
    /// How messages travel.
    #[serde(default)]
    pub network: NetworkFile,
    /// How far local clocks are off.
    #[serde(default)]
    pub clocks: ClocksFile,
    /// The failure detector, an oracle.
    #[serde(default)]
    pub detector: DetectorFile,
    /// Stable storage.
    #[serde(default)]
    pub storage: StorageFile,
    /// The clients' own settings, as `ftsim describe` lists them.
    #[serde(default)]
    pub workload: Map<String, Value>,
    /// The faults, in this order.
    #[serde(default)]
    pub fault: Vec<FaultFile>,
    /// What becomes of single messages, whatever their links would do.
    #[serde(default)]
    pub message: Vec<MessageFile>,
    /// What clients ask for, and when, whatever they have drawn.
    #[serde(default)]
    pub request: Vec<RequestFile>,
    /// Requests that are not made.
    #[serde(default)]
    pub mask: Vec<MaskFile>,
    /// Faults drawn from each seed.
    pub random: Option<RandomFile>,
    /// When and for whom all faults end, so that what is owed can be asked for.
    pub liveness: Option<LivenessFile>,
    /// How many seeds, and where each run is cut short.
    #[serde(default)]
    pub run: RunFile,
    /// What is expected to hold, to break and to happen.
    #[serde(default)]
    pub expect: ExpectFile,
    /// In a repro: the run that it stands for.
    pub repro: Option<ReproFile>,
}

/// How messages travel.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkFile {
    /// How long a message travels; `"1ms..10ms"` unless said otherwise.
    pub delay: Option<DelayFile>,
    /// Which messages are lost; none unless said otherwise.
    pub loss: Option<Loss>,
    /// How likely a message is to arrive twice; 0 unless said otherwise.
    pub duplicate: Option<f64>,
    /// Whether messages of one link can overtake each other; `"any"` unless said otherwise.
    pub order: Option<Order>,
    /// How much each link carries; any number of messages unless said otherwise.
    pub bandwidth: Option<Rate>,
    /// How likely the content of a message is to be changed on the way; 0 unless said otherwise.
    pub corrupt: Option<f64>,
    /// What processes can rely on; what the links lack the transport makes up for. `"raw"` unless
    /// said otherwise.
    pub links: Option<GuaranteeFile>,
    /// Of `reliable` and `reliable-fifo`: how long the transport waits for an acknowledgement
    /// before it sends again; three times `bound` unless said otherwise.
    pub resend_after: Option<Duration>,
    /// From here on nothing is lost or cut, and no message takes longer than `bound`.
    pub stabilise_at: Option<Duration>,
    /// The longest delay that processes may count on; the longest of `delay` unless said otherwise.
    pub bound: Option<Duration>,
    /// Links that behave differently; of two for the same link the later one counts.
    pub link: Vec<LinkFile>,
}

/// What processes can rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GuaranteeFile {
    /// What the links give.
    Raw,
    /// Every message arrives, once.
    Reliable,
    /// And in the order of sending.
    ReliableFifo,
}

/// Some directed links that behave differently.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkFile {
    /// The senders.
    pub from: Targets,
    /// The receivers.
    pub to: Targets,
    /// How long a message travels.
    pub delay: Option<DelayFile>,
    /// Which messages are lost.
    pub loss: Option<Loss>,
    /// How likely a message is to arrive twice.
    pub duplicate: Option<f64>,
    /// Whether messages can overtake each other.
    pub order: Option<Order>,
    /// How much it carries.
    pub bandwidth: Option<Rate>,
    /// How likely the content of a message is to be changed on the way.
    pub corrupt: Option<f64>,
}

/// Whether messages of one link can overtake each other.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// They can.
    Any,
    /// They arrive in the order of sending.
    Fifo,
}

/// How far local clocks are off.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClocksFile {
    /// How far ahead a clock is at the start; `"0ms"` unless said otherwise.
    pub offset: DurationRange,
    /// How much it gains; `"0ppm"` unless said otherwise.
    pub drift: Drift,
}

/// The failure detector, an oracle.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DetectorFile {
    /// Which one; `"none"` unless said otherwise.
    pub kind: DetectorKind,
    /// How long after a crash or a recovery each process hears of it; `"0ms"` unless said
    /// otherwise.
    pub delay: Option<DurationRange>,
    /// Of `eventually-perfect`: how many wrong suspicions each process draws from the seed.
    pub mistakes_per_process: Option<Counts>,
    /// Of `eventually-perfect`: how long each lasts, at most until the network stabilises.
    pub mistake_duration: Option<DurationRange>,
    /// Of `heartbeat`: from one heartbeat to the next.
    pub period: Option<Duration>,
    /// Of `heartbeat`: the silence after which a process is suspected.
    pub timeout: Option<Duration>,
    /// Of `heartbeat`: by how much `timeout` grows for a process that was suspected wrongly; zero
    /// unless said otherwise.
    pub increment: Option<Duration>,
    /// Wrong suspicions.
    pub mistakes: Vec<MistakeFile>,
    /// Who is never told of whose crash.
    pub blind: Vec<BlindFile>,
    /// How long single notices take, whatever `delay` says.
    pub notice: Vec<NoticeFile>,
}

/// Which failure detector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DetectorKind {
    /// There is none.
    #[default]
    None,
    /// Every crash is told to everybody in the end, and nothing else is.
    Perfect,
    /// As `perfect`, but for wrong suspicions until the network stabilises.
    EventuallyPerfect,
    /// Each process is told whom to trust as its leader: the lowest id that is up. With
    /// `mistakes_per_process`, it is told others too until the network stabilises.
    Omega,
    /// No oracle: the transport sends real heartbeats, and can be wrong.
    Heartbeat,
}

/// One wrong suspicion.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MistakeFile {
    /// Who is told wrongly.
    pub observer: String,
    /// Who is suspected.
    pub suspects: String,
    /// When.
    pub at: Duration,
    /// When it is taken back; never unless said otherwise.
    pub until: Option<Duration>,
}

/// How long one notice takes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoticeFile {
    /// Who is told.
    pub observer: String,
    /// Of whose crash or recovery; with `omega`, the observer itself.
    pub of: String,
    /// Which of the notices to that observer of that process, counted from 1; the first unless said
    /// otherwise.
    pub nth: Option<Count>,
    /// How long after the crash or the recovery.
    pub delay: Duration,
}

/// A process that is never told of another's crash.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BlindFile {
    /// Who is not told.
    pub observer: String,
    /// Whose crash.
    pub to: String,
}

/// Stable storage.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StorageFile {
    /// How long a sync takes; the process waits for it. `"0ms"` unless said otherwise.
    pub sync_latency: DurationRange,
    /// What a crash leaves of a log; `"lose-unsynced"` unless said otherwise.
    pub on_crash: OnCrashFile,
}

/// What a crash leaves of a log.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnCrashFile {
    /// All that was synced, and nothing else.
    #[default]
    LoseUnsynced,
    /// All, synced or not.
    KeepAll,
    /// What was synced, and the first few records of the rest.
    KeepPrefix,
    /// What was synced, and some of the rest.
    KeepSubset,
    /// What was synced, the first few records of the rest, and the next one torn.
    TornLast,
    /// Nothing at all: amnesia.
    LoseAll,
}

/// When and for whom all faults end.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LivenessFile {
    /// What becomes well.
    pub mode: LivenessModeFile,
    /// When; with `gst` it is `network.stabilise_at`.
    pub at: Option<Duration>,
}

/// What becomes well in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LivenessModeFile {
    /// Everything, and the network is synchronous.
    Gst,
    /// Everything; the network keeps its delays and loses nothing.
    HealAll,
    /// As many processes as the protocol needs, drawn from the seed, and the links among them; all
    /// else stays as it is.
    Core,
}

/// How many seeds, and where each run is cut short.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RunFile {
    /// How many seeds `ftsim run` executes; 100 unless said otherwise.
    pub seeds: Option<Count>,
    /// The first of them; 1 unless said otherwise.
    pub first_seed: Option<Count>,
    /// Virtual time; `"60s"` unless said otherwise.
    pub horizon: Option<Duration>,
    /// Events handled; 1,000,000 unless said otherwise.
    pub max_events: Option<Count>,
    /// Messages under way at once; 1,000,000 unless said otherwise.
    pub max_pending: Option<Count>,
    /// Whether the first violation of a safety property ends a run; false unless said otherwise.
    pub stop_at_violation: bool,
    /// How events of one class at one instant are ordered; `"sequence"` unless said otherwise.
    pub ties: TiesFile,
}

/// How events of one class at one instant are ordered.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TiesFile {
    /// As they were scheduled.
    #[default]
    Sequence,
    /// As a draw from the seed says.
    Drawn,
}

/// What is expected to hold, to break and to happen.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExpectFile {
    /// Some seed must violate each of these; every other property must hold in every seed.
    pub violated: Vec<String>,
    /// Properties whose premise cannot come true here; every other must come true in some seed.
    pub vacuous: Vec<String>,
    /// Some seed must leave each of these undecided; no seed any other.
    pub undecided: Vec<String>,
    /// Labels that some seed must reach.
    pub reached: Vec<String>,
}
