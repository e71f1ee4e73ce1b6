//! Dependability figures summed over many runs.

use ftsim_core::{Dependability, Duration, Outcome};
use ftsim_reports::{Figures, Latency};
use hdrhistogram::Histogram;

/// Sums over runs. Summation is exact and does not depend on the order: counts and integer sums.
#[derive(Clone, Debug, Default)]
pub struct FigureSums {
    dependability: Dependability,
    latencies: Latencies,
}

impl FigureSums {
    /// Adds one run.
    pub fn add(&mut self, outcome: &Outcome) {
        self.dependability.add(&outcome.dependability);
        outcome.latencies.iter().for_each(|latency| self.latencies.record(*latency));
    }

    /// Adds the sums of other runs.
    pub fn append(&mut self, other: Self) {
        self.dependability.add(&other.dependability);
        self.latencies.append(other.latencies);
    }

    /// The figures computed from the sums.
    pub fn figures(&self) -> Figures {
        Figures { dependability: self.dependability.clone(), latency: self.latencies.summary() }
    }
}

/// The figures of a single run.
pub fn of_run(outcome: &Outcome) -> Figures {
    let mut sums = FigureSums::default();
    sums.add(outcome);
    sums.figures()
}

/// Latencies with three digits each, and the exact maximum.
#[derive(Clone, Debug, Default)]
struct Latencies {
    /// Latencies that are not in the histogram yet: a histogram for every few runs is too
    /// expensive.
    recent: Vec<Duration>,
    /// Values in nanoseconds.
    histogram: Option<Histogram<u64>>,
    longest: Duration,
}

const SIGNIFICANT_DIGITS: u8 = 3;

/// The number of recent latencies above which they are moved into the histogram.
const RECENT_COUNT_MAX: usize = 1 << 14;

impl Latencies {
    fn record(&mut self, latency: Duration) {
        self.longest = self.longest.max(latency);
        self.recent.push(latency);
        if self.recent.len() > RECENT_COUNT_MAX {
            let recent = std::mem::take(&mut self.recent);
            self.fold(&recent);
        }
    }

    fn fold(&mut self, latencies: &[Duration]) {
        if latencies.is_empty() {
            return;
        }
        let new = || Histogram::new(SIGNIFICANT_DIGITS).expect("three digits are few enough");
        let histogram = self.histogram.get_or_insert_with(new);
        for latency in latencies {
            histogram.record(latency.as_nanos()).expect("the histogram resizes itself");
        }
    }

    fn append(&mut self, other: Self) {
        self.longest = self.longest.max(other.longest);
        self.fold(&other.recent);
        match (&mut self.histogram, other.histogram) {
            (Some(ours), Some(theirs)) => ours.add(theirs).expect("the histogram resizes itself"),
            (ours @ None, theirs) => *ours = theirs,
            (Some(_), None) => {}
        }
    }

    /// A histogram of all latencies.
    fn histogram(&self) -> Option<Histogram<u64>> {
        let mut all = self.clone();
        all.fold(&self.recent);
        all.histogram
    }

    fn summary(&self) -> Option<Latency> {
        let histogram = self.histogram()?;
        let within = |share| {
            let latency = Duration::from_nanos(histogram.value_at_quantile(share));
            latency.min(self.longest)
        };
        Some(Latency {
            p50: within(0.5),
            p90: within(0.9),
            p99: within(0.99),
            longest: self.longest,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latencies(millis: impl IntoIterator<Item = u64>) -> Latencies {
        let mut latencies = Latencies::default();
        millis.into_iter().for_each(|ms| latencies.record(Duration::from_millis(ms)));
        latencies
    }

    #[test]
    fn nothing_has_no_latency() {
        assert_eq!(latencies([]).summary(), None);
    }

    #[test]
    fn quantiles_are_too_long_by_less_than_a_thousandth() {
        let summary = latencies(1..=1_000).summary().expect("a thousand latencies");
        for (found, expected) in [(summary.p50, 500), (summary.p90, 900), (summary.p99, 990)] {
            let exact = Duration::from_millis(expected).as_nanos();
            assert!((exact..exact + exact / 1_000).contains(&found.as_nanos()), "{found}");
        }
        assert_eq!(summary.longest, Duration::from_secs(1));
        assert_eq!(latencies([0]).summary().map(|s| s.p50), Some(Duration::ZERO));
    }

    #[test]
    fn however_runs_are_cut_into_blocks_the_sum_is_the_same() {
        let longest = u64::MAX / 1_000_000;
        let millis = || (1..40_000).map(|n| n * n).chain([0, longest]);
        let whole = latencies(millis());
        for size in [7, 1_000, 20_000, 100_000] {
            let all: Vec<u64> = millis().collect();
            let mut blocks: Vec<_> = all.chunks(size).collect();
            for _ in 0..2 {
                let mut sum = Latencies::default();
                blocks.iter().for_each(|block| sum.append(latencies(block.iter().copied())));
                assert_eq!(sum.summary(), whole.summary());
                assert_eq!(sum.histogram(), whole.histogram());
                blocks.reverse();
            }
        }
    }
}
