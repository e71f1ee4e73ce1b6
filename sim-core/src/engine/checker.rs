//! The properties checked in a run, and the state of each.

use std::hash::{Hash, Hasher};

use crate::digest::Digest;
use crate::engine::panics;
use crate::id::PropertyId;
use crate::model::property::{
    DynProperty, End, EndCause, Judged, Observed, PropertyEntry, PropertyKind, Verdict, Violation,
};
use crate::model::setting::Setting;
use crate::model::spec::Spec;
use crate::time::Instant;

pub(crate) struct Checker<S: Spec> {
    checks: Vec<Check<S>>,
    /// Whether some property is over messages.
    pub over_messages: bool,
    /// Whether some property minds the order of events at different processes.
    pub minds_order: bool,
    /// The check whose code is running, to distinguish its panics from those of a protocol.
    running: Option<usize>,
}

struct Check<S: Spec> {
    id: PropertyId,
    kind: PropertyKind,
    over_messages: bool,
    minds_order: bool,
    property: Box<dyn DynProperty<S>>,
    violation: Option<Violation>,
}

impl<S: Spec> Clone for Checker<S> {
    fn clone(&self) -> Self {
        let checks = self.checks.iter().map(|c| Check {
            id: c.id,
            kind: c.kind,
            over_messages: c.over_messages,
            minds_order: c.minds_order,
            property: c.property.clone(),
            violation: c.violation.clone(),
        });
        Self { checks: checks.collect(), ..*self }
    }
}

impl<S: Spec> Hash for Checker<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for check in &self.checks {
            let mut digest = Digest::EMPTY;
            check.property.digest(&mut digest);
            (check.id, digest.value(), check.violation.is_some()).hash(state);
        }
    }
}

impl<S: Spec> Checker<S> {
    /// New checkers for the `wanted` properties of the spec.
    pub fn new(setting: &Setting, wanted: impl Fn(&PropertyEntry<S>) -> bool) -> Self {
        let checks = S::PROPERTIES.iter().filter(|entry| wanted(entry)).map(|entry| Check {
            id: entry.id,
            kind: entry.kind,
            over_messages: entry.over_messages,
            minds_order: entry.minds_order,
            property: (entry.checker)(setting),
            violation: None,
        });
        let checks: Vec<_> = checks.collect();
        Self {
            over_messages: checks.iter().any(|c| c.over_messages),
            minds_order: checks.iter().any(|c| c.minds_order),
            checks,
            running: None,
        }
    }

    /// Passes an event to every property that is not violated yet; calls `violated` for each one
    /// that now is.
    #[inline]
    pub fn observe(
        &mut self,
        event: &Observed<'_, S>,
        step: u64,
        mut violated: impl FnMut(PropertyId, PropertyKind, &Violation),
    ) {
        let of_message = event.what.is_of_message();
        for (index, check) in self.checks.iter_mut().enumerate() {
            if check.violation.is_some() || (of_message && !check.over_messages) {
                continue;
            }
            self.running = Some(index);
            if let Err(violation) = check.property.observe(event) {
                let violation = Violation { at: event.at, step, ..violation };
                violated(check.id, check.kind, &violation);
                check.violation = Some(violation);
            }
        }
        self.running = None;
    }

    /// If a checker's code was running when `panic` was raised, counts its property as violated.
    pub fn blame(&mut self, panic: &str, at: Instant, step: u64) -> bool {
        let Some(index) = self.running.take() else { return false };
        let violation = Violation::by([], format!("its checker panicked: {panic}"));
        self.checks[index].violation = Some(Violation { at, step, ..violation });
        true
    }

    /// The verdicts. An unmet liveness property is undecided if `excuse` gives a reason.
    pub fn finish(&mut self, end: &End<'_>, step: u64, excuse: Option<&str>) -> Vec<Judged> {
        self.checks.iter_mut().map(|check| check.judge(end, step, excuse)).collect()
    }
}

impl<S: Spec> Check<S> {
    fn judge(&mut self, end: &End<'_>, step: u64, excuse: Option<&str>) -> Judged {
        let verdict = match (self.violation.clone(), excuse) {
            (Some(violation), _) => Verdict::Violated(violation),
            (None, excuse) => match (self.conclude(end), excuse) {
                (Err(_), Some(excuse)) if self.kind == PropertyKind::Liveness => {
                    Verdict::Undecided(excuse.into())
                }
                (Err(violation), _) => {
                    Verdict::Violated(Violation { at: end.at, step, ..violation })
                }
                (Ok(()), _) => match self.property.undecided() {
                    Some(reason) => Verdict::Undecided(reason),
                    None if self.property.exercised() > 0 => Verdict::Held,
                    // Its premise might have come true later.
                    None if end.cause == EndCause::Violated => {
                        Verdict::Undecided(excuse.unwrap_or("the run was cut short").into())
                    }
                    None => Verdict::HeldVacuously,
                },
            },
        };
        Judged {
            id: self.id,
            kind: self.kind,
            verdict,
            exercised: self.property.exercised(),
            measured: panics::catch(|| self.property.measured(end)).ok().flatten(),
        }
    }

    fn conclude(&mut self, end: &End<'_>) -> Result<(), Violation> {
        panics::catch(|| self.property.finish(end)).unwrap_or_else(|panic| {
            Err(Violation::by([], format!("its checker panicked: {}", panic.text())))
        })
    }
}
