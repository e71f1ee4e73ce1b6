//! The exact confidence interval of Clopper and Pearson for a count of seeds.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::binomial::smallest_share;

/// The maximum probability that the true share lies below the interval, and likewise above.
const MISS: f64 = 0.025;

/// A count of runs out of a total, with an interval that contains the true share in at least 95 %
/// of such counts, whatever that share is.
///
/// The interval is exact, not a normal approximation: each of its ends is the share for which a
/// count at least as extreme has probability 2.5 %. This also holds for counts of none and all,
/// where the other end is 0 or 1: using the whole 5 % there would be right for a one-sided bound
/// that is chosen in advance, but wrong for an interval, which would contain some shares in only
/// 92.5 % of the counts.
///
/// Source: Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case
/// of the binomial", 1934.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// The count.
    pub count: u64,
    /// The total.
    pub total: u64,
    /// The lower end of the interval, in `0..=1`.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
}

impl Rate {
    /// The rate of `count` out of `total`, `count <= total`.
    pub fn new(count: u64, total: u64) -> Self {
        let rest = total - count;
        let low = match count {
            0 => 0.0,
            _ => smallest_share(count, rest, MISS).of.next_down(),
        };
        let high = match rest {
            0 => 1.0,
            _ => smallest_share(rest, count, MISS).rest.next_up().min(1.0),
        };
        Self { count, total, low, high }
    }
}

impl fmt::Display for Rate {
    /// `3 of 200 (0.31 % to 4.4 %)`, `0 of 10000 (below 0.037 %)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, total, low, high } = self;
        write!(f, "{count} of {total}")?;
        // The precision depends on the width of the interval.
        let width = decimals(high - low, 2);
        let percent = |share: f64, end| {
            let decimals = decimals(share.min(1.0 - share), 2).max(width).max(2);
            percent(&outwards(share, end, decimals))
        };
        match count {
            _ if *total == 0 => Ok(()),
            0 => write!(f, " (below {})", percent(*high, End::High)),
            _ if count == total => write!(f, " (above {})", percent(*low, End::Low)),
            _ => write!(f, " ({} to {})", percent(*low, End::Low), percent(*high, End::High)),
        }
    }
}

impl Serialize for Rate {
    /// The interval with six significant digits, rounded outwards.
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown {
            count: u64,
            total: u64,
            low: f64,
            high: f64,
        }
        let shown = |share: f64, end| {
            let text = outwards(share, end, decimals(share.min(1.0 - share), 6));
            text.parse().unwrap_or(share)
        };
        let Self { count, total, low, high } = *self;
        let (low, high) = (shown(low, End::Low), shown(high, End::High));
        Shown { count, total, low, high }.serialize(s)
    }
}

/// The ends of an interval.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Low,
    High,
}

/// The maximum number of decimals: the smallest share that a `u64` count can have is above 1e-21.
const DECIMALS_MAX: usize = 30;

/// The number of decimals needed to write a share with this many significant digits.
fn decimals(share: f64, digits: usize) -> usize {
    let mut decimals = digits;
    let mut scaled = share * 10.0;
    while scaled < 1.0 && decimals < DECIMALS_MAX {
        scaled *= 10.0;
        decimals += 1;
    }
    decimals
}

/// A share with this many decimals, at least 1, rounded away from the middle of its interval.
fn outwards(share: f64, end: End, decimals: usize) -> String {
    // The nearest decimal to the exact value.
    let nearest = format!("{share:.decimals$}");
    let value: f64 = nearest.parse().unwrap_or(share);
    let mut digits: Vec<u8> = nearest.into_bytes();
    // Add or subtract one unit of the last decimal.
    let carry = match end {
        End::Low if value > share => (b'0', b'9'),
        End::High if value < share => (b'9', b'0'),
        _ => (0, 0),
    };
    if carry != (0, 0) {
        for digit in digits.iter_mut().rev().filter(|digit| **digit != b'.') {
            if *digit != carry.0 {
                *digit = if end == End::High { *digit + 1 } else { *digit - 1 };
                break;
            }
            *digit = carry.1;
        }
    }
    digits.into_iter().map(char::from).collect()
}

/// A share in per cent; `share` has two decimals or more.
fn percent(share: &str) -> String {
    let (ones, decimals) = share.split_once('.').unwrap_or((share, "00"));
    let (tens, rest) = decimals.split_at(2);
    let whole = format!("{ones}{tens}");
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    match rest.trim_end_matches('0') {
        "" => format!("{whole} %"),
        rest => format!("{whole}.{rest} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::{End, Rate, decimals, outwards};

    /// The probability of `k` out of `n` successes, each with probability `p`.
    fn exactly(k: u64, n: u64, p: f64) -> f64 {
        let choose: f64 = (1..=k).map(|j| (n - k + j) as f64 / j as f64).product();
        let power = |base: f64, exponent: u64| (0..exponent).map(|_| base).product::<f64>();
        choose * power(p, k) * power(1.0 - p, n - k)
    }

    #[test]
    fn an_interval_holds_the_true_share_in_95_percent_of_all_counts_whatever_it_is() {
        let mut lowest = 1.0f64;
        for n in 1..=60 {
            let rates: Vec<Rate> = (0..=n).map(|k| Rate::new(k, n)).collect();
            let steps = (0..=2_000).map(|step| f64::from(step) / 2_000.0);
            // Coverage is minimal right beside the ends of the intervals.
            let ends = rates.iter().flat_map(|rate| [rate.low, rate.high]);
            let beside = ends.flat_map(|end| [end - 1e-9, end + 1e-9]);
            for p in steps.chain(beside).filter(|p| (0.0..=1.0).contains(p)) {
                let holds = rates.iter().filter(|rate| (rate.low..=rate.high).contains(&p));
                let coverage: f64 = holds.map(|rate| exactly(rate.count, n, p)).sum();
                assert!(coverage >= 0.95 - 1e-12, "{coverage} for {p} of {n}");
                lowest = lowest.min(coverage);
            }
        }
        // Exact intervals are conservative, but no more than necessary.
        assert!(lowest < 0.9501, "{lowest}");
    }

    #[test]
    fn none_and_all_have_ends_as_any_other_count() {
        for n in [1, 2, 10, 1_000, 10_000_000_000] {
            let (none, all) = (Rate::new(0, n), Rate::new(n, n));
            assert_eq!((none.low, all.high), (0.0, 1.0));
            // (1 - p)^n = 2.5 %
            let power = (-none.high).ln_1p() * n as f64;
            assert!((power / 0.025f64.ln() - 1.0).abs() < 1e-9, "{n}: {power}");
            assert!((all.low + none.high - 1.0).abs() < 1e-11, "{n}");
        }
    }

    #[test]
    fn the_ends_of_an_interval_differ_however_many_runs_there_were() {
        for total in (3..15).map(|exponent| 10u64.pow(exponent)) {
            for count in [1, total / 7, total / 2, total / 20 * 17, total - 1] {
                let text = Rate::new(count, total).to_string();
                let (_, ends) = text.split_once('(').expect("an interval");
                let (low, high) = ends.split_once(" to ").expect("two ends");
                assert_ne!(low, high.trim_end_matches(')'), "{text}");
            }
        }
    }

    #[test]
    fn a_rate_is_told_with_what_it_leaves_open() {
        let cases = [
            (0, 10_000, "0 of 10000 (below 0.037 %)"),
            (0, 1, "0 of 1 (below 97.6 %)"),
            (10, 10, "10 of 10 (above 69 %)"),
            (3, 10, "3 of 10 (6.6 % to 66 %)"),
            (850, 1_000, "850 of 1000 (82.6 % to 87.2 %)"),
            (12_350_000, 100_000_000, "12350000 of 100000000 (12.343 % to 12.357 %)"),
            (1, 7_500_000, "1 of 7500000 (0.00000033 % to 0.000075 %)"),
            (7_499_999, 7_500_000, "7499999 of 7500000 (99.999925 % to 99.99999967 %)"),
            (1_000_000, 1_000_000, "1000000 of 1000000 (above 99.99963 %)"),
            (0, 1 << 53, "0 of 9007199254740992 (below 0.000000000000041 %)"),
            (0, 0, "0 of 0"),
        ];
        for (count, total, text) in cases {
            assert_eq!(Rate::new(count, total).to_string(), text);
        }
    }

    #[test]
    fn what_is_printed_is_never_narrower_than_the_interval() {
        let totals = [1, 2, 3, 7, 30, 365, 20_000, 7_500_000, 1 << 40, 1 << 53, u64::MAX];
        for total in totals {
            let counts = [0, 1, 2, 5, total / 1_000, total / 8, total / 2, total - total / 9];
            let counts = counts.into_iter().chain([total - 1, total]);
            for count in counts.filter(|count| *count <= total) {
                let rate = Rate::new(count, total);
                let json = serde_json::to_value(rate).expect("plain data");
                let (low, high) = (json["low"].as_f64(), json["high"].as_f64());
                let (low, high) = (low.expect("a number"), high.expect("a number"));
                assert!(low <= rate.low && rate.high <= high, "{rate:?} {json}");
                assert!((low == 0.0) == (count == 0), "{rate:?} {json}");
                assert!(rate.low * (1.0 - 2e-5) <= low, "{rate:?} {json}");
                let text = rate.to_string();
                let (_, interval) = text.split_once('(').expect("an interval");
                let ends: Vec<f64> = interval
                    .split(' ')
                    .filter_map(|word| word.parse::<f64>().ok())
                    .map(|percent| percent / 100.0)
                    .collect();
                let (low, high) = match *ends.as_slice() {
                    [high] if count == 0 => (0.0, high),
                    [low] => (low, 1.0),
                    [low, high] => (low, high),
                    _ => panic!("{text}"),
                };
                // Dividing by 100 rounds once more.
                assert!(low <= rate.low.next_up() && rate.high.next_down() <= high, "{text}");
                assert!(low < high, "{text}");
            }
        }
    }

    #[test]
    fn decimals_are_rounded_away_from_the_middle() {
        assert_eq!(outwards(0.1299, End::Low, 3), "0.129");
        assert_eq!(outwards(0.1291, End::High, 3), "0.130");
        assert_eq!(outwards(0.9999, End::High, 3), "1.000");
        assert_eq!(outwards(0.0004, End::Low, 3), "0.000");
        assert_eq!(outwards(0.25, End::Low, 2), "0.25");
        assert_eq!(outwards(0.25, End::High, 2), "0.25");
        assert_eq!([decimals(0.25, 2), decimals(0.025, 2), decimals(1.0, 2)], [2, 3, 2]);
    }
}
