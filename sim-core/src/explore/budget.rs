//! What an explorer may do to a run, and how time passes in it.

use crate::environment::clock::ClockConfig;
use crate::environment::delay::Delay;
use crate::environment::detector::DetectorConfig;
use crate::environment::network::{Link, NetworkConfig, Order};
use crate::environment::transport::{Guarantee, TransportConfig};
use crate::experiment::{Experiment, Ties};
use crate::fault::Plan;
use crate::rng::Probability;
use crate::time::{Duration, DurationRange};

/// The greatest number of steps of a run.
pub const STEP_COUNT_MAX: u32 = 512;

/// How many times the explorer may interfere in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Crashes, between any two effects of a handler.
    pub crashes: u32,
    /// Crashed processes that recover.
    pub recoveries: u32,
    /// Messages that are lost.
    pub losses: u32,
    /// Messages that come twice; none on FIFO links.
    pub duplicates: u32,
    /// With lineage: messages that are late.
    pub late: u32,
    /// Suspicions of a process that is up, which are withdrawn.
    pub suspicions: u32,
    /// With [`Time::Free`]: timers that run out while something else could happen, at each process.
    pub timeouts: u32,
    /// Small draws of each process that are chosen: its first ones.
    pub coins: u32,
    /// Small draws of the clients that are chosen: their first ones.
    pub votes: u32,
    /// Steps, after which a run is cut off; at most [`STEP_COUNT_MAX`].
    pub steps: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            crashes: 0,
            recoveries: 0,
            losses: 0,
            duplicates: 0,
            late: 0,
            suspicions: 0,
            timeouts: 0,
            coins: 0,
            votes: 0,
            steps: 200,
        }
    }
}

/// How time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// Any pending event may be next, however long it has been pending. Time stands still until
    /// nothing but timers is left; then the one that is due first runs out.
    Free,
    /// Every message and every notice of the detector takes exactly the bound on delays. What is
    /// due at one instant happens in any order, timers last.
    Lockstep,
}

impl Time {
    /// The experiment without anything that is drawn or scripted: the explorer chooses instead.
    #[must_use]
    pub fn strip(self, experiment: &Experiment) -> Experiment {
        let is_fifo = |link: &Link| link.order == Order::Fifo;
        let promises_order = experiment.transport.guarantee == Guarantee::ReliableFifo;
        let delay = match self {
            Self::Free => Duration::ZERO,
            Self::Lockstep => experiment.network.bound,
        };
        let plain = |link: &Link| Link {
            delay: Delay::Uniform(DurationRange::constant(delay)),
            order: if promises_order || is_fifo(link) { Order::Fifo } else { Order::Any },
            bandwidth: None,
            garble: Probability::NEVER,
            duplicate: Probability::NEVER,
            ..Link::default()
        };
        let network = &experiment.network;
        let overrides = network.overrides.iter().map(|(pair, link)| (*pair, plain(link)));
        let limits = &experiment.limits;
        Experiment {
            network: NetworkConfig {
                default: plain(&network.default),
                overrides: overrides.collect(),
                stabilise_at: None,
                bound: network.bound,
            },
            transport: TransportConfig::default(),
            clocks: ClockConfig::default(),
            detector: DetectorConfig {
                kind: experiment.detector.kind,
                delay: DurationRange::constant(delay),
                ..Default::default()
            },
            sync_latency: DurationRange::default(),
            plan: Plan::default(),
            choices: Vec::new(),
            liveness: None,
            overrides: Vec::new(),
            requests: Vec::new(),
            draws: Vec::new(),
            random: None,
            ties: Ties::Sequence,
            limits: crate::experiment::Limits { stop_at_violation: true, ..*limits },
            ..experiment.clone()
        }
    }
}
