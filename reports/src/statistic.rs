//! Claims about all runs together, and how they were judged.

use std::fmt;

use libm::{erfc, sqrt};
use serde::Serialize;

use crate::binomial::smallest_share;

/// The number of runs below which a mean is not judged: the interval rests on the central limit
/// theorem.
const MEAN_RUN_COUNT_MIN: u64 = 30;

/// A claim about all runs together, as it was judged.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StatisticRow {
    /// The claim, such as `mean of messages at least 11.2, at most 11.6`.
    pub claim: String,
    /// The number of runs that count.
    pub runs: u64,
    /// The value over these runs; `None` if there are none.
    pub value: Option<f64>,
    /// The interval that contains the true value with this confidence.
    pub interval: Option<Interval>,
    /// The confidence, in `0.5..1`.
    pub confidence: f64,
    /// The judgement.
    pub judgement: Judgement,
}

/// The judgement on a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// All of the interval agrees with the claim.
    Confirmed,
    /// None of the interval agrees with the claim.
    Refuted,
    /// There are too few runs to tell.
    Open,
}

/// An interval of confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Interval {
    /// The interval of Clopper and Pearson (1934) for a share, of which there were `count` in
    /// `total` runs; 0 < `total`, `count <= total`.
    pub fn of_share(count: u64, total: u64, confidence: f64) -> Self {
        let miss = (1.0 - confidence) / 2.0;
        let rest = total - count;
        let low = if count == 0 { 0.0 } else { smallest_share(count, rest, miss).of };
        let high = if rest == 0 { 1.0 } else { smallest_share(rest, count, miss).rest };
        Self { low, high }
    }

    /// The interval for the mean of a number with this mean and variance over so many runs, by the
    /// normal approximation; `None` if there are too few for it.
    pub fn of_mean(mean: f64, variance: f64, runs: u64, confidence: f64) -> Option<Self> {
        if runs < MEAN_RUN_COUNT_MIN {
            return None;
        }
        let distance = normal_distance(confidence) * sqrt(variance / runs as f64);
        Some(Self { low: mean - distance, high: mean + distance })
    }

    /// The judgement on a claim that the value is from `least` to `most`.
    pub fn judge(self, least: f64, most: f64) -> Judgement {
        if self.low >= least && self.high <= most {
            Judgement::Confirmed
        } else if self.high < least || self.low > most {
            Judgement::Refuted
        } else {
            Judgement::Open
        }
    }
}

/// The number of standard deviations around the mean of a normal distribution that contain so much
/// of it.
fn normal_distance(confidence: f64) -> f64 {
    let (mut low, mut high) = (0.0, 40.0);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if erfc(middle / sqrt(2.0)) > 1.0 - confidence {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

impl fmt::Display for StatisticRow {
    /// `11.42 in 2000 runs (11.31 to 11.53 with a confidence of 0.99)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runs, value, interval, confidence, .. } = self;
        let Some(value) = value else { return f.write_str("nothing was measured in any run") };
        write!(f, "{} in {runs} runs", Rounded(*value))?;
        match interval {
            Some(Interval { low, high }) => {
                let (low, high) = (Rounded(*low), Rounded(*high));
                write!(f, " ({low} to {high} with a confidence of {confidence})")
            }
            None => write!(f, ", fewer than {MEAN_RUN_COUNT_MIN}"),
        }
    }
}

/// A number with five significant digits.
pub(crate) struct Rounded(pub f64);

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = [1e1, 1e2, 1e3, 1e4].iter().filter(|limit| self.0.abs() < **limit).count();
        let rounded = format!("{:.*}", decimals, self.0);
        match rounded.split_once('.') {
            Some(_) => f.write_str(rounded.trim_end_matches('0').trim_end_matches('.')),
            None => f.write_str(&rounded),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_tables() {
        for (confidence, distance) in [(0.95, 1.959_964), (0.99, 2.575_829), (0.999, 3.290_527)] {
            assert!((normal_distance(confidence) - distance).abs() < 1e-6, "{confidence}");
        }
    }

    #[test]
    fn a_share_has_the_interval_of_clopper_and_pearson() {
        let Interval { low, high } = Interval::of_share(3, 200, 0.95);
        assert!((low - 0.003_104).abs() < 1e-6 && (high - 0.043_208).abs() < 1e-6, "{low} {high}");
        // The rule of three, for 99 % on both sides.
        let Interval { low, high } = Interval::of_share(1_000, 1_000, 0.99);
        assert!(high >= 1.0 && (low - 0.005f64.powf(0.001)).abs() < 1e-9);
        assert_eq!(Interval::of_share(0, 10, 0.99).low.to_bits(), 0);
    }

    #[test]
    fn claims_are_confirmed_refuted_or_open() {
        let mean = Interval::of_mean(10.0, 4.0, 400, 0.95).expect("enough runs");
        assert!((mean.low - 9.804).abs() < 1e-3 && (mean.high - 10.196).abs() < 1e-3);
        assert_eq!(mean.judge(9.8, 10.2), Judgement::Confirmed);
        assert_eq!(mean.judge(9.9, 10.2), Judgement::Open);
        assert_eq!(mean.judge(10.2, 20.0), Judgement::Refuted);
        assert_eq!(mean.judge(f64::NEG_INFINITY, 9.8), Judgement::Refuted);
        assert_eq!(mean.judge(9.8, f64::INFINITY), Judgement::Confirmed);
        assert_eq!(Interval::of_mean(10.0, 4.0, 29, 0.95), None);
    }

    #[test]
    fn rows_are_said_in_a_line() {
        let mut row = StatisticRow {
            claim: String::new(),
            runs: 2_000,
            value: Some(11.416_666),
            interval: Some(Interval { low: 11.0, high: 1_234.567 }),
            confidence: 0.99,
            judgement: Judgement::Open,
        };
        let said = "11.417 in 2000 runs (11 to 1234.6 with a confidence of 0.99)";
        assert_eq!(row.to_string(), said);
        row.interval = None;
        assert_eq!(row.to_string(), "11.417 in 2000 runs, fewer than 30");
        row.value = None;
        assert_eq!(row.to_string(), "nothing was measured in any run");
        assert_eq!(Rounded(0.000_32).to_string(), "0.0003");
        assert_eq!(Rounded(123_456.0).to_string(), "123456");
    }
}
