//! The parameters of three-phase commit.

use ftsim_core::{Duration, Invalid, Setting};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::atomic_commit::{COORDINATOR, Decision, PARTICIPANT};

/// `[params]` of three-phase commit.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The failures that it is made for.
    pub variant: Variant,
    /// The number of sites that must have pre-committed before one commits (quorum variant); 0 for
    /// a majority. Before one aborts, so many must have pre-aborted that the two sets intersect.
    pub commit_quorum: u32,
    /// How long a site waits before it asks again; in the quorum variant, before it aborts for lack
    /// of votes, or takes over.
    pub patience: Duration,
}

/// The failures that it is made for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// Sites fail, and a perfect detector reports it: nobody waits for a site that is down.
    #[default]
    SiteFailures,
    /// The network fails, too: decisions need a quorum, and sites without one wait.
    Quorum,
}

impl Default for Params {
    fn default() -> Self {
        Self { variant: Variant::default(), commit_quorum: 0, patience: Duration::from_millis(400) }
    }
}

impl Params {
    pub(super) fn validate(&self, setting: &Setting) -> Result<(), Invalid> {
        if setting.role_size(COORDINATOR) != 1 {
            return Err(Invalid::role(COORDINATOR, "there must be one coordinator"));
        }
        if setting.role_size(PARTICIPANT) == 0 {
            return Err(Invalid::role(PARTICIPANT, "there is no participant"));
        }
        if self.patience == Duration::ZERO {
            return Err(Invalid::new("patience", "must be longer than zero"));
        }
        if self.variant != Variant::Quorum && self.commit_quorum != 0 {
            return Err(Invalid::new("commit_quorum", "applies only to the quorum variant"));
        }
        if self.commit_quorum > setting.n {
            return Err(Invalid::new("commit_quorum", "there are fewer processes"));
        }
        Ok(())
    }

    /// Skeen's V_C and V_A, where each site has one vote: V_C + V_A = V + 1. A larger sum would be
    /// safe, too, but could leave both quorums out of reach for good.
    pub(super) fn quorum(&self, decision: Decision, n: u32) -> usize {
        let commit = if self.commit_quorum == 0 { n / 2 + 1 } else { self.commit_quorum };
        let quorum = match decision {
            Decision::Commit => commit,
            Decision::Abort => (n + 1).saturating_sub(commit),
        };
        quorum as usize
    }
}
