//! The parameters of two-phase commit.

use ftsim_core::{Duration, Invalid, Setting};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::atomic_commit::{COORDINATOR, Decision, PARTICIPANT};

/// Parameters of two-phase commit.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Who sends votes and decisions to whom.
    pub topology: Topology,
    /// What a coordinator answers when it has no record of a transaction (central topology).
    pub presume: Presumption,
    /// Whom an uncertain participant asks (central topology; in the others, everybody).
    pub termination: Termination,
    /// Whether a participant at which a transaction only reads says so and leaves after its vote
    /// (central topology).
    pub read_only: bool,
    /// How long a participant waits to be asked for its vote before it aborts.
    pub prepare_timeout: Duration,
    /// How long the coordinator waits for votes before it aborts (central topology).
    pub vote_timeout: Duration,
    /// How long a process that has voted Yes waits for the decision before it asks, and asks again.
    pub decision_timeout: Duration,
    /// How long the coordinator waits for acknowledgements before it tells the decision again
    /// (central topology).
    pub ack_timeout: Duration,
}

/// Who sends votes and decisions to whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Topology {
    /// Participants vote to the coordinator, which decides and tells them.
    #[default]
    Central,
    /// Votes go from each process to the next; the last decides; the decision goes back.
    Linear,
    /// Everybody votes to everybody, and decides alone.
    Decentralised,
}

/// What no record means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Presumption {
    /// Nothing: both decisions are logged and acknowledged, so that the question never arises but
    /// before a decision; then the transaction aborts.
    #[default]
    Nothing,
    /// An abort, which then need be neither logged by the coordinator nor acknowledged.
    Abort,
    /// A commit, which then need not be acknowledged.
    Commit,
}

/// Whom an uncertain participant asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Termination {
    /// The coordinator alone.
    #[default]
    Wait,
    /// The other participants too: one may know the decision, or not have voted, and then never
    /// will.
    Cooperative,
}

impl Presumption {
    /// What the coordinator answers about a transaction that it has no record of.
    pub(super) const fn answer(self) -> Decision {
        match self {
            Self::Nothing | Self::Abort => Decision::Abort,
            Self::Commit => Decision::Commit,
        }
    }

    /// Whether participants force this decision and acknowledge it, and the coordinator remembers
    /// it until then.
    pub(super) fn acknowledges(self, decision: Decision) -> bool {
        self == Self::Nothing || decision != self.answer()
    }
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
            return Err(Invalid::new(key, "must be longer than no time"));
        }
        if self.topology == Topology::Central {
            return Ok(());
        }
        let central_only = "is for the central topology";
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
            return Err(Invalid::new("topology", "the mutants are of the central topology"));
        }
        Ok(())
    }
}
