//! The failure to preserve: a smaller run must show it, and no other failure.

use ftsim_core::{Outcome, PropertyId, PropertyKind, Verdict};

use crate::run::failing_run::shape;
use crate::scenario::PANICKED;

/// A failure: the violated property, and the shape of the violation's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The property; `None` for a panic of a handler.
    pub property: Option<PropertyId>,
    /// Whether it is a safety property: then the run can end at the violation.
    pub is_safety: bool,
    /// The violation's message without details that differ between runs.
    shape: String,
    /// All properties that the run violated; a smaller run may violate no others.
    violated: Vec<PropertyId>,
}

impl Target {
    /// The failure in a run: the panic, or the first of `wanted` that it violates, or else the
    /// first property that it violates. `None` if there is none.
    pub fn of(outcome: &Outcome, wanted: &[PropertyId]) -> Option<Self> {
        let violated: Vec<PropertyId> = violations(outcome).map(|(id, _)| id).collect();
        if let Some(panic) = &outcome.panicked {
            let shape = shape(&panic.message);
            return Some(Self { property: None, is_safety: true, shape, violated });
        }
        let first = wanted.iter().find(|id| violated.contains(id)).or(violated.first())?;
        let judged = outcome.judged.iter().find(|judged| judged.id == *first)?;
        let Verdict::Violated(violation) = &judged.verdict else { return None };
        Some(Self {
            property: Some(*first),
            is_safety: judged.kind == PropertyKind::Safety,
            shape: shape(&violation.text()),
            violated,
        })
    }

    /// The name of the property.
    pub fn name(&self) -> &'static str {
        self.property.map_or(PANICKED, |id| id.0)
    }

    /// Whether a run shows this failure, and violates nothing that the original run did not.
    pub fn is_shown_by(&self, outcome: &Outcome) -> bool {
        if violations(outcome).any(|(id, _)| !self.violated.contains(&id)) {
            return false;
        }
        let text = match (self.property, &outcome.panicked) {
            (None, Some(panic)) => Some(panic.message.clone()),
            (Some(id), None) => {
                violations(outcome).find(|(violated, _)| *violated == id).map(|(_, text)| text)
            }
            _ => None,
        };
        text.is_some_and(|text| shape(&text) == self.shape)
    }

    /// Whether a run violates the property in any way.
    pub fn is_violated_by(&self, outcome: &Outcome) -> bool {
        violations(outcome).any(|(id, _)| Some(id) == self.property)
    }

    /// The violation in this run, in one sentence.
    pub fn message(&self, outcome: &Outcome) -> String {
        let panic = outcome.panicked.as_ref().map(|panic| panic.message.clone());
        let violation = || {
            let mut violations = violations(outcome);
            violations.find(|(id, _)| Some(*id) == self.property).map(|(_, text)| text)
        };
        panic.or_else(violation).unwrap_or_default()
    }

    /// The time of the violation in this run.
    pub fn at(&self, outcome: &Outcome) -> Option<ftsim_core::Instant> {
        let panic = outcome.panicked.as_ref().map(|panic| panic.at);
        let of = |judged: &ftsim_core::Judged| match &judged.verdict {
            Verdict::Violated(violation) if Some(judged.id) == self.property => Some(violation.at),
            _ => None,
        };
        panic.or_else(|| outcome.judged.iter().find_map(of))
    }
}

fn violations(outcome: &Outcome) -> impl Iterator<Item = (PropertyId, String)> + '_ {
    outcome.judged.iter().filter_map(|judged| match &judged.verdict {
        Verdict::Violated(violation) => Some((judged.id, violation.text())),
        _ => None,
    })
}
