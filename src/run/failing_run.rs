//! A run with failures, as results keep it.

use ftsim_core::{Outcome, ProcessId};
use serde::{Deserialize, Serialize};

use crate::run::failure::{failures, shape};
use crate::scenario::Expectation;
use crate::scenario::crash_point::CrashPoint;

/// A run in which a property was violated, expected or not, or a handler panicked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailingRun {
    /// The seed.
    pub seed: u64,
    /// The crash point, if every crash point is run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crash_point: Option<CrashPoint>,
    /// The digest of the run.
    pub digest: String,
    /// The violations, in the order of the spec's table; at least one.
    pub failures: Vec<Failed>,
}

/// One property that a run violated, or its panic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failed {
    /// The property, or [`PANICKED`](crate::scenario::PANICKED).
    pub property: String,
    /// Whether the scenario expects it in some seed.
    pub expected: bool,
    /// Equal for violations that count as the same; see [`signature`].
    pub signature: String,
    /// The violation, in one sentence.
    pub message: String,
    /// The time when it occurred, in nanoseconds.
    pub at: u64,
    /// The step in which it occurred, from 1.
    pub step: u64,
    /// The processes that show it.
    pub witnesses: Vec<ProcessId>,
}

impl FailingRun {
    /// The violations and the panic of this run; `None` if there are none.
    pub fn of(
        expect: &Expectation,
        outcome: &Outcome,
        crash_point: Option<CrashPoint>,
    ) -> Option<Self> {
        let failures = failures(outcome).map(|failure| Failed {
            property: failure.id.property.to_owned(),
            expected: expect.tolerates(failure.id.property),
            signature: signature(&failure.message, failure.witnesses.len()),
            message: failure.message,
            at: failure.at.as_nanos(),
            step: failure.step,
            witnesses: failure.witnesses,
        });
        let failures: Vec<Failed> = failures.collect();
        let (seed, digest) = (outcome.seed, outcome.digest.to_string());
        (!failures.is_empty()).then_some(Self { seed, crash_point, digest, failures })
    }

    /// Whether it failed in a way that the scenario does not expect.
    pub fn is_unexpected(&self) -> bool {
        self.failures.iter().any(|failed| !failed.expected)
    }

    /// Whether it violated this property, or panicked, if `property` is
    /// [`PANICKED`](crate::scenario::PANICKED).
    pub fn violates(&self, property: &str) -> bool {
        self.failures.iter().any(|failed| failed.property == property)
    }
}

/// The key by which violations of a property are grouped: the message without its processes,
/// numbers and times, and the number of processes that show it.
pub fn signature(message: &str, witness_count: usize) -> String {
    let shape = shape(message);
    match witness_count {
        1 => format!("{shape}; 1 witness"),
        count => format!("{shape}; {count} witnesses"),
    }
}

#[cfg(test)]
mod tests {
    use super::signature;

    #[test]
    fn signatures_forget_numbers_and_keep_words() {
        let cases = [
            ("p1 delivered 0 of p0, p2 never did", "p# delivered # of p#, p# never did"),
            ("p12 decided 7 at 8.66721ms", "p# decided # at #"),
            ("p3 decided 7 at 1s", "p# decided # at #"),
            ("{p0 p2 p3} against [1, 2, 3]", "{p#} against [#]"),
            ("3sec is no time", "#sec is no time"),
            ("nothing", "nothing"),
        ];
        for (message, expected) in cases {
            assert_eq!(signature(message, 2), format!("{expected}; 2 witnesses"));
        }
        assert_ne!(signature("a", 1), signature("a", 2));
    }
}
