//! What the parts of a scenario are checked against: the rest of it.

use ftsim_core::catalogue::AdversaryInfo;
use ftsim_core::environment::network::NetworkConfig;
use ftsim_core::{FaultClass, Instant, Setting, Timing};

use super::names::Names;

/// What faults are checked against.
pub struct Context<'a> {
    /// Who can be named.
    pub names: &'a Names<'a>,
    /// How many there are.
    pub setting: &'a Setting,
    /// How processes may fail in the protocol's model.
    pub class: FaultClass,
    /// The adversaries that the protocol brings along.
    pub adversaries: &'a [AdversaryInfo],
    /// Whether a transport carries the messages.
    pub has_transport: bool,
    /// What the protocol knows of time.
    pub timing: Timing,
    /// Whether the protocol says how its state can be corrupted.
    pub has_corruptible_state: bool,
    /// Whether processes of the protocol's spec announce that they lead.
    pub has_leader: bool,
    /// When the network stabilises.
    pub network: &'a NetworkConfig,
    /// When the run ends.
    pub horizon: Instant,
    /// From when on no fault strikes.
    pub faults_end: Option<Instant>,
}
