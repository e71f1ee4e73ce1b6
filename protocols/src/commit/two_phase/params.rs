//! The parameters of two-phase commit.

use ftsim_core::{Duration, Invalid, Setting};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cooperative::Termination;
use super::presumption::Presumption;
use crate::spec::atomic_commit::{COORDINATOR, PARTICIPANT};

/// `[params]` of two-phase commit.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The paths that votes and decisions take.
    pub topology: Topology,
    /// The coordinator's answer about a transaction that it has no record of (central topology).
    pub presume: Presumption,
    /// Which processes an uncertain participant asks (central topology; in the others, all).
    pub termination: Termination,
    /// Whether a participant at which a transaction only reads leaves it after its vote (central
    /// topology).
    pub read_only: bool,
    /// How long a participant waits for the request to vote before it aborts.
    pub prepare_timeout: Duration,
    /// How long the coordinator waits for votes before it aborts (central topology).
    pub vote_timeout: Duration,
    /// How long a process that has voted Yes waits for the decision before it asks, each time.
    pub decision_timeout: Duration,
    /// How long the coordinator waits for acknowledgements before it sends the decision again
    /// (central topology).
    pub ack_timeout: Duration,
}

/// The paths that votes and decisions take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Topology {
    /// Participants send their votes to the coordinator, which decides and sends them the decision.
    #[default]
    Central,
    /// Votes go from each process to the next; the last decides; the decision goes back.
    Linear,
    /// Every process sends its vote to all others, and decides by itself.
    Decentralised,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            topology: Topology::default(),
            presume: Presumption::default(),
            termination: Termination::default(),
            read_only: false,
            prepare_timeout: Duration::from_millis(100),
            vote_timeout: Duration::from_millis(100),
            decision_timeout: Duration::from_millis(100),
            ack_timeout: Duration::from_millis(100),
        }
    }
}

impl Params {
    pub(super) fn validate(&self, setting: &Setting) -> Result<(), Invalid> {
        if setting.role(COORDINATOR).len() != 1 {
            return Err(Invalid::role(COORDINATOR, "there must be one coordinator"));
        }
        if setting.role(PARTICIPANT).len() == 0 {
            return Err(Invalid::role(PARTICIPANT, "there is no participant"));
        }
        let timeouts = [
            ("prepare_timeout", self.prepare_timeout),
            ("vote_timeout", self.vote_timeout),
            ("decision_timeout", self.decision_timeout),
            ("ack_timeout", self.ack_timeout),
        ];
        if let Some((key, _)) = timeouts.iter().find(|(_, timeout)| *timeout == Duration::ZERO) {
            return Err(Invalid::new(key, "must be longer than zero"));
        }
        if self.topology == Topology::Central {
            return Ok(());
        }
        let central_only = "applies only to the central topology";
        if self.presume != Presumption::Nothing {
            return Err(Invalid::new("presume", central_only));
        }
        if self.termination != Termination::Wait {
            return Err(Invalid::new("termination", central_only));
        }
        if self.read_only {
            return Err(Invalid::new("read_only", central_only));
        }
        if setting.mutant.is_some() {
            return Err(Invalid::new("topology", "the mutants need the central topology"));
        }
        Ok(())
    }
}
