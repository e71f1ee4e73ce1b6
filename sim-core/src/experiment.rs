//! The settings of a run: everything in a scenario except the protocol's own settings.

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
use crate::rng::told::ToldDraws;
use crate::time::{Duration, DurationRange, Instant};

/// The settings of a run, apart from its seed.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// Processes, roles, mutant, bounds: what the processes know.
    pub setting: Setting,
    /// The links.
    pub network: NetworkConfig,
    /// The layer between the processes and the links.
    pub transport: TransportConfig,
    /// The local clocks.
    pub clocks: ClockConfig,
    /// The failure detector.
    pub detector: DetectorConfig,
    /// The time that a sync takes; the process waits meanwhile.
    pub sync_latency: DurationRange,
    /// The effect of a crash on unsynced records, if the fault does not define it.
    pub on_crash: OnCrash,
    /// The faults that apply to every seed.
    pub plan: Plan,
    /// Faults of the plan whose targets are chosen by each seed.
    pub choices: Vec<DrawnTarget>,
    /// Groups of processes that share their fate, such as those on one machine: a fault that stops
    /// one stops all.
    pub fate_groups: Vec<ProcessSet>,
    /// The time and scope of the end of all faults, if they end.
    pub liveness: Option<Liveness>,
    /// Overrides for single messages.
    pub overrides: Vec<MessageRule>,
    /// Overrides for single requests.
    pub requests: Vec<RequestOverride>,
    /// Masked requests.
    pub masks: Vec<Mask>,
    /// Draws that are told.
    pub draws: Vec<ToldDraws>,
    /// The faults that are drawn from each seed.
    pub random: Option<RandomFaults>,
    /// The order of events of one class at one instant.
    pub ties: Ties,
    /// Properties to check beyond the spec's core and the protocol's claims.
    pub check: Vec<PropertyId>,
    /// The limits at which a run ends.
    pub limits: Limits,
    /// Whether the bytes of messages are counted, which requires encoding each message.
    pub counts_bytes: bool,
}

/// The limits at which a run ends. All are finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The maximum virtual time.
    pub horizon: Instant,
    /// The maximum number of events handled, including those of a transport.
    pub event_count_max: u64,
    /// The maximum number of messages under way at once.
    pub pending_count_max: usize,
    /// The maximum number of bytes of memory for messages under way, waiting inputs and logs,
    /// measured from time to time.
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
    /// An experiment without faults: reliable links of 1 to 10 ms, exact clocks, no detector.
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
            draws: Vec::new(),
            random: None,
            ties: Ties::default(),
            check: Vec::new(),
            limits: Limits::default(),
            counts_bytes: false,
        }
    }
}

/// The order of events of one class at one instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ties {
    /// The order in which they were scheduled.
    #[default]
    Sequence,
    /// An order drawn from the seed.
    Drawn,
}
