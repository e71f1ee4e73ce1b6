//! Presumed abort and presumed commit: what the coordinator answers without a record.
//!
//! Source: Mohan, Lindsay and Obermarck (1986), *Transaction management in the R\* distributed
//! database management system*.
//!
//! A presumption saves records and messages. The coordinator answers an inquiry about a transaction
//! that it has no record of with the presumption, so a decision that agrees with the presumption
//! needs no acknowledgement. *Presume nothing* acknowledges both decisions. *Presume abort* writes
//! nothing for an abort. *Presume commit* forces a *collecting* record before PREPARE, so that a
//! crash before the decision is not presumed to be a commit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::atomic_commit::Decision;

/// What the absence of a record means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Presumption {
    /// Nothing: both decisions are logged and acknowledged, so that a record can be missing only
    /// before the decision; then the transaction aborts.
    #[default]
    Nothing,
    /// An abort: the coordinator does not log it, and it is not acknowledged.
    Abort,
    /// A commit: it is not acknowledged.
    Commit,
}

impl Presumption {
    /// The coordinator's answer about a transaction that it has no record of.
    pub(super) const fn answer(self) -> Decision {
        match self {
            Self::Nothing | Self::Abort => Decision::Abort,
            Self::Commit => Decision::Commit,
        }
    }

    /// Whether participants force and acknowledge this decision, and the coordinator remembers it
    /// until they have.
    pub(super) fn acknowledges(self, decision: Decision) -> bool {
        self == Self::Nothing || decision != self.answer()
    }
}
