//! The failure to preserve: a smaller run must show it, and no other failure.

use ftsim_core::{Outcome, PropertyId, PropertyKind};

use crate::run::failure::{Failure, FailureId, failure, failures};
use crate::scenario::PANICKED;

/// A failure, and what else its run violated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    id: FailureId,
    /// Whether it is a safety property: then the run can end at the violation.
    pub is_safety: bool,
    /// All that the run violated; a smaller run may violate nothing else.
    violated: Vec<&'static str>,
}

impl Target {
    /// The failure in a run: the panic, or the first of `wanted` that it violates, or else the
    /// first property that it violates. `None` if there is none.
    pub fn of(outcome: &Outcome, wanted: &[PropertyId]) -> Option<Self> {
        let violated: Vec<&'static str> = failures(outcome).map(|f| f.id.property).collect();
        let panic = failure(outcome, PANICKED);
        let first = || wanted.iter().find_map(|id| failure(outcome, id.0));
        let Failure { id, kind, .. } = panic.or_else(first).or_else(|| failures(outcome).next())?;
        Some(Self { id, is_safety: kind == PropertyKind::Safety, violated })
    }

    /// The name of the property, or [`PANICKED`].
    pub const fn name(&self) -> &'static str {
        self.id.property
    }

    /// Whether a run shows this failure, and violates nothing that the original run did not.
    pub fn is_shown_by(&self, outcome: &Outcome) -> bool {
        failures(outcome).all(|failure| self.violated.contains(&failure.id.property))
            && failures(outcome).any(|failure| failure.id == self.id)
    }

    /// Whether a run violates the property in any way.
    pub fn is_violated_by(&self, outcome: &Outcome) -> bool {
        failure(outcome, self.id.property).is_some()
    }

    /// The failure in this run, in one sentence; empty if the run does not show it.
    pub fn message(&self, outcome: &Outcome) -> String {
        failure(outcome, self.id.property).map(|failure| failure.message).unwrap_or_default()
    }
}
