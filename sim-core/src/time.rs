//! Virtual time: integer nanoseconds since the start of the run. No float, no wall clock.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text::as_text;

/// A point in virtual time: nanoseconds since the start of the run. In JSON it is their number.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instant(u64);

/// A span of virtual time in nanoseconds, at most 584 years.
///
/// Written as a number with a unit, `"5ms"` or `"1.5s"`; units are `ns`, `us`, `ms`, `s`, `m`, `h`.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(u64);

/// A closed range of durations, written `"1ms..10ms"`, or `"5ms"` for a single one.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct DurationRange {
    /// The shortest duration of the range.
    pub min: Duration,
    /// The longest duration of the range, `>= min`.
    pub max: Duration,
}

impl Instant {
    /// The start of every run.
    pub const ZERO: Self = Self(0);
    /// Later than any event.
    pub const MAX: Self = Self(u64::MAX);

    /// The instant `nanos` nanoseconds after the start.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time since `earlier`; zero if it is not earlier.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

impl Duration {
    /// The empty span.
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
    /// The range that contains only `d`.
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

/// The units, the largest first, with their length in nanoseconds.
const UNITS: [(&str, u64); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

impl fmt::Display for Duration {
    /// Exact, in the largest of s, ms, us and ns for which the integer part is not zero: `1.5s`,
    /// `12.000345ms`.
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

/// As text: traces show content by `Debug`.
macro_rules! debug_as_text {
    ($($type:ty),*) => {$(
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}
debug_as_text!(Duration, Instant, DurationRange);

/// The reason why a text is not a duration or not a range of durations.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Neither a number nor a unit where one belongs.
    #[error("expected a duration such as \"5ms\" or \"1.5s\", found \"{0}\"")]
    Malformed(String),
    /// The unit is not one of the six.
    #[error("unknown unit \"{0}\": expected ns, us, ms, s, m or h")]
    Unit(String),
    /// More digits after the point than the unit has nanoseconds.
    #[error("\"{0}\" is finer than a nanosecond")]
    TooFine(String),
    /// Does not fit into 64 bits of nanoseconds.
    #[error("\"{0}\" is longer than 584 years")]
    TooLong(String),
    /// A range whose first end exceeds its second.
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

/// A closed range of counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountRange {
    /// The minimum.
    pub min: u32,
    /// The maximum, `>= min`.
    pub max: u32,
}

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

    fn ns(n: u64) -> Duration {
        Duration::from_nanos(n)
    }

    #[test]
    fn units_are_those_of_the_si_and_nothing_overflows() {
        assert_eq!(Duration::from_micros(2), ns(2_000));
        assert_eq!(Duration::from_millis(2), ns(2_000_000));
        assert_eq!(Duration::from_secs(2), ns(2_000_000_000));
        let longest = ns(u64::MAX);
        for from in [Duration::from_micros, Duration::from_millis, Duration::from_secs] {
            assert_eq!(from(u64::MAX), longest);
        }
        assert_eq!([ns(3).times(4), longest.times(2)], [ns(12), longest]);
        assert_eq!([ns(3) + ns(4), longest + ns(1)], [ns(7), longest]);
        assert_eq!([ns(7) - ns(4), ns(4) - ns(7)], [ns(3), Duration::ZERO]);
        let now = Instant::from_nanos(5);
        assert_eq!([now + ns(2), now + longest], [Instant::from_nanos(7), Instant::MAX]);
        assert_eq!([now.since(Instant::from_nanos(2)), now.since(Instant::MAX)], [ns(3), ns(0)]);
    }

    #[test]
    fn durations_are_shown_in_the_largest_unit_with_a_whole_part() {
        let shown = [
            (0, "0s"),
            (1, "1ns"),
            (999, "999ns"),
            (1_000, "1us"),
            (1_500, "1.5us"),
            (999_999, "999.999us"),
            (1_000_000, "1ms"),
            (1_000_001, "1.000001ms"),
            (1_000_000_000, "1s"),
            (60_050_000_000, "60.05s"),
            (u64::MAX, "18446744073.709551615s"),
        ];
        for (nanos, text) in shown {
            assert_eq!(ns(nanos).to_string(), text);
            assert_eq!(Instant::from_nanos(nanos).to_string(), text);
        }
        assert_eq!(format!("{:>6}|{:<6}|{:>8}", ns(1), ns(1), ns(1_500)), "   1ns|1ns   |   1.5us");
        assert_eq!(DurationRange::constant(ns(5)).to_string(), "5ns");
        assert_eq!(DurationRange { min: ns(5), max: ns(6) }.to_string(), "5ns..6ns");
    }

    #[test]
    fn every_unit_and_every_digit_counts() {
        let read = [
            ("2h", 7_200_000_000_000),
            ("1.5m", 90_000_000_000),
            ("1.05s", 1_050_000_000),
            ("1.050s", 1_050_000_000),
            ("3.25ms", 3_250_000),
            ("3 us", 3_000),
            ("3.125us", 3_125),
            ("4ns", 4),
            ("4.0ns", 4),
            ("18446744073.709551615s", u64::MAX),
        ];
        for (text, nanos) in read {
            assert_eq!(text.parse(), Ok(ns(nanos)), "{text}");
        }
        let range = "1ms..2ms".parse();
        assert_eq!(range, Ok(DurationRange { min: ns(1_000_000), max: ns(2_000_000) }));
        assert_eq!("2ms..2ms".parse(), Ok(DurationRange::constant(ns(2_000_000))));
        assert_eq!("2ms".parse(), Ok(DurationRange::constant(ns(2_000_000))));
    }

    #[test]
    fn what_is_wrong_with_a_duration_is_told() {
        let error = |text: &str| text.parse::<Duration>().unwrap_err();
        for text in ["", "5", "s", ".5s", "5.s", "-1s", "+1s", "1.-5s", "1_0s", "1 .5s"] {
            assert_eq!(error(text), DurationError::Malformed(text.into()));
        }
        assert_eq!(error("5d"), DurationError::Unit("d".into()));
        assert_eq!(error("5S"), DurationError::Unit("S".into()));
        assert_eq!(error("0.1ns"), DurationError::TooFine("0.1ns".into()));
        assert_eq!(error("1.0001us"), DurationError::TooFine("1.0001us".into()));
        for text in ["18446744073.709551616s", "18446744074s", "99999999999999999999ns"] {
            assert_eq!(error(text), DurationError::TooLong(text.into()));
        }
        let range = "2ms..1ms".parse::<DurationRange>();
        assert_eq!(range, Err(DurationError::EmptyRange("2ms..1ms".into())));
    }
}
