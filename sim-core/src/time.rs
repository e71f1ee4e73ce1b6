//! Virtual time: integer nanoseconds since the start of the run. No float, no wall clock.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

use crate::text::as_text;

/// A point in virtual time: nanoseconds since the start of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

/// A span of virtual time in nanoseconds, at most 584 years.
///
/// Written as a number with a unit, `"5ms"` or `"1.5s"`; units are `ns`, `us`, `ms`, `s`, `m`, `h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(u64);

/// A closed range of durations, written `"1ms..10ms"`, or `"5ms"` for a single one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DurationRange {
    /// The shortest duration of the range.
    pub min: Duration,
    /// The longest duration of the range, `>= min`.
    pub max: Duration,
}

impl Instant {
    /// The start of every run.
    pub const ZERO: Self = Self(0);
    /// Later than anything that happens.
    pub const MAX: Self = Self(u64::MAX);

    /// The instant `nanos` nanoseconds after the start.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was; zero if it is not earlier.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A duration of `n` nanoseconds.
    pub const fn from_nanos(n: u64) -> Self {
        Self(n)
    }

    /// A duration of `n` microseconds, saturating.
    pub const fn from_micros(n: u64) -> Self {
        Self(n.saturating_mul(1_000))
    }

    /// A duration of `n` milliseconds, saturating.
    pub const fn from_millis(n: u64) -> Self {
        Self(n.saturating_mul(1_000_000))
    }

    /// A duration of `n` seconds, saturating.
    pub const fn from_secs(n: u64) -> Self {
        Self(n.saturating_mul(1_000_000_000))
    }

    /// The duration in nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The duration `factor` times over, saturating.
    pub const fn times(self, factor: u64) -> Self {
        Self(self.0.saturating_mul(factor))
    }
}

impl DurationRange {
    /// The range that holds only `d`.
    pub const fn constant(d: Duration) -> Self {
        Self { min: d, max: d }
    }
}

impl Add<Duration> for Instant {
    type Output = Self;
    /// Saturates at [`Instant::MAX`], which no horizon reaches.
    fn add(self, d: Duration) -> Self {
        Self(self.0.saturating_add(d.0))
    }
}

impl Add for Duration {
    type Output = Self;
    /// Saturates.
    fn add(self, d: Self) -> Self {
        Self(self.0.saturating_add(d.0))
    }
}

impl Sub for Duration {
    type Output = Self;
    /// Stops at zero.
    fn sub(self, d: Self) -> Self {
        Self(self.0.saturating_sub(d.0))
    }
}

/// Units from the largest, with their length in nanoseconds.
const UNITS: [(&str, u64); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

impl fmt::Display for Duration {
    /// Exact, in the largest of s, ms, us and ns that leaves a whole part: `1.5s`, `12.000345ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, length) = *UNITS[2..].iter().find(|(_, l)| self.0 >= *l).unwrap_or(&("s", 1));
        let (whole, rest) = (self.0 / length, self.0 % length);
        if rest == 0 {
            return f.pad(&format!("{whole}{unit}"));
        }
        let digits = length.ilog10() as usize;
        let fraction = format!("{rest:0digits$}");
        f.pad(&format!("{whole}.{}{unit}", fraction.trim_end_matches('0')))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Duration(self.0), f)
    }
}

impl fmt::Display for DurationRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.min == self.max {
            write!(f, "{}", self.min)
        } else {
            write!(f, "{}..{}", self.min, self.max)
        }
    }
}

/// Why a text is not a duration or not a range of durations.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Neither a number nor a unit where one belongs.
    #[error("expected a duration such as \"5ms\" or \"1.5s\", found \"{0}\"")]
    Malformed(String),
    /// The unit is none of the six.
    #[error("unknown unit \"{0}\": expected ns, us, ms, s, m or h")]
    Unit(String),
    /// More digits after the point than the unit has nanoseconds.
    #[error("\"{0}\" is finer than a nanosecond")]
    TooFine(String),
    /// Does not fit into 64 bits of nanoseconds.
    #[error("\"{0}\" is longer than 584 years")]
    TooLong(String),
    /// A range whose first end lies behind its second.
    #[error("\"{0}\" is an empty range: its first duration is the longer one")]
    EmptyRange(String),
}

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let malformed = || DurationError::Malformed(text.into());
        let split = text.find(|c: char| c.is_alphabetic()).ok_or_else(malformed)?;
        let (number, unit) = (text[..split].trim_end(), &text[split..]);
        let unit = if unit == "µs" { "us" } else { unit };
        let (_, length) = UNITS
            .iter()
            .find(|(u, _)| *u == unit)
            .ok_or_else(|| DurationError::Unit(unit.into()))?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let is_number = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !is_number(fraction) {
            return Err(malformed());
        }
        let too_long = || DurationError::TooLong(text.into());
        let whole: u64 = whole.parse().map_err(|_| too_long())?;
        let mut nanos = whole.checked_mul(*length).ok_or_else(too_long)?;
        let mut place = *length;
        for digit in fraction.trim_end_matches('0').bytes() {
            if !place.is_multiple_of(10) {
                return Err(DurationError::TooFine(text.into()));
            }
            place /= 10;
            nanos = nanos.checked_add(place * u64::from(digit - b'0')).ok_or_else(too_long)?;
        }
        Ok(Self(nanos))
    }
}

impl FromStr for DurationRange {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let Some((min, max)) = text.split_once("..") else {
            return Ok(Self::constant(text.parse()?));
        };
        let range = Self { min: min.parse()?, max: max.parse()? };
        if range.min > range.max {
            return Err(DurationError::EmptyRange(text.into()));
        }
        Ok(range)
    }
}

as_text!(Duration, r"^[0-9]+(\.[0-9]+)? ?(ns|us|µs|ms|s|m|h)$", "\"5ms\"");
as_text!(
    DurationRange,
    r"^[0-9]+(\.[0-9]+)? ?(ns|us|µs|ms|s|m|h)(\.\.[0-9]+(\.[0-9]+)? ?(ns|us|µs|ms|s|m|h))?$",
    "\"1ms..10ms\""
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_back_as_written() {
        for text in ["0s", "1ns", "5ms", "1.5s", "12.000345ms", "3600s"] {
            assert_eq!(text.parse::<Duration>().unwrap().to_string(), text);
        }
        assert_eq!("2m".parse(), Ok(Duration::from_secs(120)));
        assert_eq!("7µs".parse(), Ok(Duration::from_micros(7)));
    }

    #[test]
    fn bad_durations_are_refused() {
        for bad in ["", "5", "ms", "-1ms", "1e3s", "5 parsecs", "0.5ns", "999999999999h", "1..2ms"]
        {
            assert!(bad.parse::<Duration>().is_err(), "{bad}");
        }
        assert!("2ms..1ms".parse::<DurationRange>().is_err());
    }
}
