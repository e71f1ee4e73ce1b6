//! Which seeds, as it is typed.

use std::ops::Range;
use std::str::FromStr;

/// The largest seed of a range.
const SEED_MAX: u64 = i64::MAX as u64;

/// A half-open range of seeds: `N` for 1 to N, or `A..B`.
#[derive(Clone, Debug)]
pub(crate) struct Seeds(pub Range<u64>);

impl FromStr for Seeds {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| {
            let digits = part.replace('_', "");
            digits
                .parse::<u64>()
                .map_err(|_| "expected N or A..B, such as 100 or 0..1000".to_owned())
                .and_then(|seed| match seed {
                    // A repro could not say it: TOML has no larger numbers.
                    0..=SEED_MAX => Ok(seed),
                    _ => Err(format!("seeds end at {SEED_MAX}")),
                })
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
