//! A run with violations, and when two violations count as the same.

use ftsim_core::{Outcome, ProcessId, Verdict};
use serde::{Deserialize, Serialize};

use crate::scenario::crash_point::CrashPoint;
use crate::scenario::{Expectation, PANICKED};

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
    /// The property, or [`PANICKED`].
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
        let mut failures = Vec::new();
        if let Some(panic) = &outcome.panicked {
            let witnesses: Vec<ProcessId> = panic.process.into_iter().collect();
            failures.push(Failed {
                property: PANICKED.to_owned(),
                expected: false,
                signature: signature(&panic.message, witnesses.len()),
                message: panic.message.clone(),
                at: panic.at.as_nanos(),
                step: panic.step,
                witnesses,
            });
        }
        for judged in &outcome.judged {
            let Verdict::Violated(violation) = &judged.verdict else { continue };
            failures.push(Failed {
                property: judged.id.to_string(),
                expected: expect.violated.contains(&judged.id),
                signature: signature(&violation.text(), violation.witnesses.len()),
                message: violation.text(),
                at: violation.at.as_nanos(),
                step: violation.step,
                witnesses: violation.witnesses.clone(),
            });
        }
        let (seed, digest) = (outcome.seed, outcome.digest.to_string());
        (!failures.is_empty()).then_some(Self { seed, crash_point, digest, failures })
    }

    /// Whether it failed in a way that the scenario does not expect.
    pub fn is_unexpected(&self) -> bool {
        self.failures.iter().any(|failed| !failed.expected)
    }

    /// Whether it violated this property, or panicked, if `property` is [`PANICKED`].
    pub fn violates(&self, property: &str) -> bool {
        self.failures.iter().any(|failed| failed.property == property)
    }
}

/// The key by which violations of a property are grouped: the [`shape`] of the message, and the
/// number of processes that show it.
pub fn signature(message: &str, witness_count: usize) -> String {
    let shape = shape(message);
    match witness_count {
        1 => format!("{shape}; 1 witness"),
        count => format!("{shape}; {count} witnesses"),
    }
}

/// A message without its processes, operations and times: every number is replaced by `#`, and
/// lists in brackets are cut down to one element.
pub fn shape(message: &str) -> String {
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
