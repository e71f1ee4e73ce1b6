//! What a number on a page measures, and how it is written.

use ftsim_core::Duration;

use crate::figures::four_digits;
use crate::layout::with_separators;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Its name, such as `messages per run`.
    pub what: &'static str,
    /// What it has a value for.
    pub over: Over,
    /// Its unit.
    pub quantity: Quantity,
}

/// What has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Each run.
    Runs,
    /// Each operation that was answered, of all runs.
    Operations,
}

/// The unit of a whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Pieces.
    Count,
    /// Nanoseconds.
    Nanoseconds,
    /// Hundredths of a piece.
    Hundredths,
    /// Hundredths of a per cent.
    BasisPoints,
}

impl Over {
    /// Its plural.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Operations => "operations",
        }
    }
}

impl Quantity {
    /// A value with its unit; times have four digits.
    pub(super) fn text(self, value: u64) -> String {
        match self {
            Self::Count => with_separators(value),
            Self::Nanoseconds => four_digits(Duration::from_nanos(value)),
            Self::Hundredths => hundredths(value),
            Self::BasisPoints => format!("{} %", hundredths(value)),
        }
    }
}

fn hundredths(value: u64) -> String {
    let text = format!("{}.{:02}", with_separators(value / 100), value % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
