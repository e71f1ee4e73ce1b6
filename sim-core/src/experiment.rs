//! The world that a protocol is put into: everything of a scenario but the protocol's own settings.

use crate::environment::clock::ClockConfig;
use crate::environment::detector::DetectorConfig;
use crate::environment::liveness::Liveness;
use crate::environment::mask::Mask;
use crate::environment::message_rule::MessageRule;
use crate::environment::network::NetworkConfig;
use crate::environment::request_override::RequestOverride;
use crate::environment::storage::OnCrash;
use crate::environment::transport::TransportConfig;
use crate::fault::Plan;
use crate::fault::choice::DrawnTarget;
use crate::fault::random::RandomFaults;
use crate::id::PropertyId;
use crate::model::setting::Setting;
use crate::process_set::ProcessSet;
use crate::time::{Duration, DurationRange, Instant};

/// The world of a run, apart from its seed.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// Processes, roles, mutant, bounds: what the processes know.
    pub setting: Setting,
    /// The links.
    pub network: NetworkConfig,
    /// What lies between the processes and the links.
    pub transport: TransportConfig,
    /// The local clocks.
    pub clocks: ClockConfig,
    /// The failure detector.
    pub detector: DetectorConfig,
    /// How long a sync takes; while it lasts the process waits.
    pub sync_latency: DurationRange,
    /// What a crash leaves of what was not synced, where a fault does not say otherwise.
    pub on_crash: OnCrash,
    /// The faults that every seed has.
    pub plan: Plan,
    /// Faults of the plan of which each seed chooses some.
    pub choices: Vec<DrawnTarget>,
    /// Processes that share their fate, as on one machine: whatever stops one stops all.
    pub fate_groups: Vec<ProcessSet>,
    /// When and for whom all faults end, if they do.
    pub liveness: Option<Liveness>,
    /// Exact decisions about single messages.
    pub overrides: Vec<MessageRule>,
    /// Exact decisions about single requests.
    pub requests: Vec<RequestOverride>,
    /// Requests that are not made.
    pub masks: Vec<Mask>,
    /// The faults that are drawn from each seed.
    pub random: Option<RandomFaults>,
    /// How events of one class at one instant are ordered.
    pub ties: Ties,
    /// Properties to check beyond the spec's core and the protocol's claims.
    pub check: Vec<PropertyId>,
    /// Where a run is cut short.
    pub limits: Limits,
    /// Whether the bytes of messages are counted, which takes as long as writing them.
    pub counts_bytes: bool,
}

/// Where a run is cut short. All are finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Virtual time.
    pub horizon: Instant,
    /// Events handled, those of a transport among them.
    pub event_count_max: u64,
    /// Messages under way at once.
    pub pending_count_max: usize,
    /// Bytes of memory for messages under way, inputs that wait, and logs, as they are measured
    /// from time to time.
    pub byte_count_max: u64,
    /// Whether the first violation of a safety property ends the run.
    pub stop_at_violation: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            horizon: Instant::ZERO + Duration::from_secs(60),
            event_count_max: 1_000_000,
            pending_count_max: 1_000_000,
            byte_count_max: 1 << 30,
            stop_at_violation: false,
        }
    }
}

impl Experiment {
    /// A world without faults: reliable links of 1 to 10 ms, true clocks, no detector.
    pub fn new(setting: Setting) -> Self {
        Self {
            setting,
            network: NetworkConfig { bound: Duration::from_millis(10), ..Default::default() },
            transport: TransportConfig::default(),
            clocks: ClockConfig::default(),
            detector: DetectorConfig::default(),
            sync_latency: DurationRange::default(),
            on_crash: OnCrash::default(),
            plan: Plan::default(),
            choices: Vec::new(),
            fate_groups: Vec::new(),
            liveness: None,
            overrides: Vec::new(),
            requests: Vec::new(),
            masks: Vec::new(),
            random: None,
            ties: Ties::default(),
            check: Vec::new(),
            limits: Limits::default(),
            counts_bytes: false,
        }
    }
}

/// How events of one class at one instant are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ties {
    /// As they were scheduled.
    #[default]
    Sequence,
    /// As a draw from the seed says.
    Drawn,
}
