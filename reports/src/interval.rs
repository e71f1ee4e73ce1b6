//! How sure a count of seeds makes us: the exact interval of Clopper and Pearson.

use std::fmt;

use serde::{Serialize, Serializer};
use statrs::distribution::{Beta, ContinuousCDF};

/// How often the interval misses the true share, at most.
const MISS: f64 = 0.05;

/// So many of so many runs, with the interval that holds the true share in at least 95 % of such
/// counts.
///
/// The interval is exact, not a normal approximation: each of its ends is the share under which so
/// extreme a count has probability 2.5 %. Where nothing or everything was counted there is but one
/// end to find, and it gets the whole 5 %: none of 10,000 is "below 0.03 %".
///
/// Source: Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case
/// of the binomial", 1934.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// How many.
    pub count: u64,
    /// Of how many.
    pub total: u64,
    /// The lower end of the interval, in `0..=1`.
    pub low: f64,
    /// The upper end of it.
    pub high: f64,
}

impl Rate {
    /// So many of so many, `count <= total`.
    pub fn new(count: u64, total: u64) -> Self {
        let (k, n) = (count as f64, total as f64);
        // Of one end only: the equation (1 - p)^n = MISS has a closed solution.
        let one_sided = 1.0 - MISS.powf(1.0 / n);
        let quantile =
            |a: f64, b: f64, q: f64| Beta::new(a, b).map_or(f64::NAN, |beta| beta.inverse_cdf(q));
        let (low, high) = match count {
            _ if total == 0 => (0.0, 1.0),
            0 => (0.0, one_sided),
            _ if count == total => (1.0 - one_sided, 1.0),
            _ => (quantile(k, n - k + 1.0, MISS / 2.0), quantile(k + 1.0, n - k, 1.0 - MISS / 2.0)),
        };
        Self { count, total, low, high }
    }
}

impl fmt::Display for Rate {
    /// `3 of 200 (0.31 % to 4.32 %)`, `0 of 10000 (below 0.03 %)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, total, low, high } = self;
        write!(f, "{count} of {total}")?;
        match count {
            _ if *total == 0 => Ok(()),
            0 => write!(f, " (below {})", percent(*high)),
            _ if count == total => write!(f, " (above {})", percent(*low)),
            _ => write!(f, " ({} to {})", percent(*low), percent(*high)),
        }
    }
}

/// A share in per cent with two digits that count, on either side of the point.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    // Close to all it is what is missing that counts.
    let missing = (100.0 - percent).min(percent).max(1e-12);
    let mut digits = 0;
    let mut scaled = missing;
    while scaled < 9.95 && digits < 12 {
        scaled *= 10.0;
        digits += 1;
    }
    let text = format!("{percent:.digits$}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    format!("{text} %")
}

impl Serialize for Rate {
    /// The interval with six decimals, as far as anybody wants to know.
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown {
            count: u64,
            total: u64,
            low: f64,
            high: f64,
        }
        let six = |share: f64| (share * 1e6).round() / 1e6;
        let Self { count, total, low, high } = *self;
        Shown { count, total, low: six(low), high: six(high) }.serialize(s)
    }
}

#[cfg(test)]
mod tests {
    use super::Rate;

    /// The probability of at least `k` of `n`, each with probability `p`: summed up term by term.
    fn at_least(k: u64, n: u64, p: f64) -> f64 {
        let term = |i: u64| {
            let choose: f64 = (1..=i).map(|j| (n - i + j) as f64 / j as f64).product();
            let (i, rest) = (i as f64, (n - i) as f64);
            choose * p.powf(i) * (1.0 - p).powf(rest)
        };
        (k..=n).map(term).sum()
    }

    #[test]
    fn at_each_end_so_extreme_a_count_has_the_probability_that_is_left() {
        for (count, total) in [(1, 2), (3, 10), (7, 21), (1, 300), (299, 300), (150, 300)] {
            let Rate { low, high, .. } = Rate::new(count, total);
            let (above, below) =
                (at_least(count, total, low), 1.0 - at_least(count + 1, total, high));
            assert!((above - 0.025).abs() < 1e-6, "{count} of {total}: {above}");
            assert!((below - 0.025).abs() < 1e-6, "{count} of {total}: {below}");
        }
        assert!((at_least(1, 300, Rate::new(0, 300).high) - 0.95).abs() < 1e-6);
        assert!((at_least(300, 300, Rate::new(300, 300).low) - 0.05).abs() < 1e-6);
    }

    #[test]
    fn a_rate_is_told_with_what_it_leaves_open() {
        let cases = [
            (0, 10_000, "0 of 10000 (below 0.03 %)"),
            (0, 1, "0 of 1 (below 95 %)"),
            (10, 10, "10 of 10 (above 74 %)"),
            (3, 10, "3 of 10 (6.7 % to 65 %)"),
            (1_000_000, 1_000_000, "1000000 of 1000000 (above 99.9997 %)"),
            (0, 0, "0 of 0"),
        ];
        for (count, total, text) in cases {
            assert_eq!(Rate::new(count, total).to_string(), text);
        }
    }
}
