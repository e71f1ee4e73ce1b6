//! The failures of a run, and when two of them are the same.

use ftsim_core::{Instant, Outcome, ProcessId, PropertyKind, Verdict};

use crate::scenario::PANICKED;

/// The identity of a failure: violations of one property whose messages differ only in processes,
/// numbers and times are the same, and so are such panics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureId {
    /// The violated property, or [`PANICKED`].
    pub property: &'static str,
    /// The message without what differs between runs.
    shape: String,
}

/// A violated property, or the panic of a handler.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Its identity.
    pub id: FailureId,
    /// Safety or liveness; a panic is a matter of safety.
    pub kind: PropertyKind,
    /// One sentence.
    pub message: String,
    /// The time when it occurred.
    pub at: Instant,
    /// The step in which it occurred, from 1.
    pub step: u64,
    /// The processes that show it.
    pub witnesses: Vec<ProcessId>,
}

/// The failures of a run: its panic first, then the violations in the order of the spec's table.
pub fn failures(outcome: &Outcome) -> impl Iterator<Item = Failure> + '_ {
    let panic = outcome.panicked.iter().map(|panic| Failure {
        id: FailureId { property: PANICKED, shape: shape(&panic.message) },
        kind: PropertyKind::Safety,
        message: panic.message.clone(),
        at: panic.at,
        step: panic.step,
        witnesses: panic.process.into_iter().collect(),
    });
    let violations = outcome.judged.iter().filter_map(|judged| {
        let Verdict::Violated(violation) = &judged.verdict else { return None };
        let message = violation.text();
        Some(Failure {
            id: FailureId { property: judged.id.0, shape: shape(&message) },
            kind: judged.kind,
            message,
            at: violation.at,
            step: violation.step,
            witnesses: violation.witnesses.clone(),
        })
    });
    panic.chain(violations)
}

/// The failure of a run that violates this property, if it does.
pub fn failure(outcome: &Outcome, property: &str) -> Option<Failure> {
    failures(outcome).find(|failure| failure.id.property == property)
}

/// A message without its processes, operations and times: every number is replaced by `#`, and
/// lists in brackets are cut down to one element.
pub(super) fn shape(message: &str) -> String {
    let mut plain = without_numbers(message);
    for bracket in ["[", "{", "("] {
        for element in ["p#", "#"] {
            for separator in [", ", " "] {
                let one = format!("{bracket}{element}");
                let two = format!("{one}{separator}{element}");
                while plain.contains(&two) {
                    plain = plain.replace(&two, &one);
                }
            }
        }
    }
    plain
}

fn without_numbers(message: &str) -> String {
    let mut plain = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        plain.push_str(&rest[..at]);
        plain.push('#');
        rest = rest[at..].trim_start_matches(|c: char| c.is_ascii_digit());
        // A fraction and a unit of time belong to the number.
        while let Some(fraction) = rest.strip_prefix('.')
            && fraction.starts_with(|c: char| c.is_ascii_digit())
        {
            rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
        }
        let is_word = |text: &str| text.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let unit = ["ns", "us", "ms", "s"].into_iter().find_map(|unit| rest.strip_prefix(unit));
        rest = unit.filter(|after| !is_word(after)).unwrap_or(rest);
    }
    plain.push_str(rest);
    plain
}
