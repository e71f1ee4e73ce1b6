//! Which seeds, as it is typed.

use std::ops::Range;
use std::str::FromStr;

/// The largest seed. A repro could not say a larger one: TOML has no larger numbers.
pub const SEED_MAX: u64 = i64::MAX as u64;

/// Reads a seed as it is typed.
///
/// # Errors
/// When it is no number, or larger than [`SEED_MAX`].
pub fn seed(text: &str) -> Result<u64, String> {
    match text.replace('_', "").parse::<u64>() {
        Ok(seed @ 0..=SEED_MAX) => Ok(seed),
        Ok(_) => Err(format!("seeds end at {SEED_MAX}")),
        Err(_) => Err(format!("expected a number from 0 to {SEED_MAX}")),
    }
}

/// Whether all of these seeds can be written to a file.
pub const fn are_seeds(range: &Range<u64>) -> bool {
    range.end <= SEED_MAX + 1
}

/// A half-open range of seeds: `N` for 1 to N, or `A..B`.
#[derive(Clone, Debug)]
pub(crate) struct Seeds(pub Range<u64>);

impl FromStr for Seeds {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| match part.replace('_', "").parse::<u64>() {
            Ok(_) => seed(part),
            Err(_) => Err("expected N or A..B, such as 100 or 0..1000".to_owned()),
        };
        let range = match text.split_once("..") {
            Some((from, until)) => number(from)?..number(until)?,
            None => 1..number(text)?.saturating_add(1),
        };
        if range.is_empty() { Err("this is no seed at all".to_owned()) } else { Ok(Self(range)) }
    }
}

/// The seed that a commit stands for: its first twelve hexadecimal digits, so that every run of one
/// commit has the same seeds, and the next commit has others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CommitSeed(pub u64);

impl FromStr for CommitSeed {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_hex = text.len() >= 7 && text.chars().all(|c| c.is_ascii_hexdigit());
        let digits = text.get(..text.len().min(12)).filter(|_| is_hex);
        let seed = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        seed.map(Self).ok_or("expected a commit, at least seven hexadecimal digits of it")
    }
}
