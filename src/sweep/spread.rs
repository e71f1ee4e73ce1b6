//! The distribution of a number over runs, in a size that does not grow with their number.

use std::collections::BTreeMap;

use ftsim_reports::{Curve, Measure, PerRun};
use serde::{Deserialize, Serialize};

/// The distribution of a number, to the precision with which numbers are added. Sums of
/// distributions are exact and do not depend on the order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    total: u64,
    min: u64,
    max: u64,
    /// How often each number occurred, rounded down.
    runs: BTreeMap<u64, u64>,
}

impl Spread {
    /// Adds a number, to three digits.
    pub fn add(&mut self, number: u64) {
        self.add_as(number, three_digits(number), 1);
    }

    /// Adds numbers, to a thirty-second of each: 32 steps from each power of two to the next, for
    /// numbers of which each run has many.
    pub fn add_coarsely(&mut self, mut numbers: Vec<u64>) {
        numbers.sort_unstable();
        for same in numbers.chunk_by(|a, b| a == b) {
            self.add_as(same[0], six_bits(same[0]), same.len() as u64);
        }
    }

    fn add_as(&mut self, number: u64, rounded: u64, count: u64) {
        self.min = if self.runs.is_empty() { number } else { self.min.min(number) };
        self.max = self.max.max(number);
        self.total = self.total.saturating_add(number.saturating_mul(count));
        let known = self.runs.entry(rounded).or_default();
        *known = known.saturating_add(count);
    }

    /// Adds the numbers of another distribution.
    pub fn append(&mut self, other: &Self) {
        if other.runs.is_empty() {
            return;
        }
        self.min = if self.runs.is_empty() { other.min } else { self.min.min(other.min) };
        self.max = self.max.max(other.max);
        self.total = self.total.saturating_add(other.total);
        for (number, runs) in &other.runs {
            let known = self.runs.entry(*number).or_default();
            *known = known.saturating_add(*runs);
        }
    }

    /// Whether it has no numbers.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// How many numbers it has.
    pub fn count(&self) -> u64 {
        self.runs.values().fold(0, |sum, runs| sum.saturating_add(*runs))
    }

    /// The distribution as a curve; `None` if it has no numbers.
    pub fn curve(&self, measure: Measure) -> Option<Curve> {
        let total = self.count();
        let mut so_far: u64 = 0;
        let share = |(number, count): (&u64, &u64)| {
            so_far = so_far.saturating_add(*count);
            (self.within(*number), so_far as f64 / total as f64)
        };
        let mut values: Vec<(u64, f64)> = self.runs.iter().map(share).collect();
        values.last_mut()?.0 = self.max;
        Some(Curve { measure, total, values })
    }

    /// The mean, the quantiles and the extremes; `None` if it has no numbers.
    pub fn summary(&self) -> Option<PerRun> {
        let runs: u128 = self.runs.values().map(|runs| u128::from(*runs)).sum();
        let within = |percent: u128| {
            let wanted = (runs * percent).div_ceil(100);
            let mut so_far = 0;
            let reached = self.runs.iter().find(|(_, runs)| {
                so_far += u128::from(**runs);
                so_far >= wanted
            });
            reached.map(|(number, _)| self.within(*number))
        };
        Some(PerRun {
            total: self.total,
            mean: self.total as f64 / runs as f64,
            min: self.min,
            p50: within(50)?,
            p99: within(99)?,
            max: self.max,
        })
    }

    /// A rounded number, not below the least.
    fn within(&self, number: u64) -> u64 {
        number.max(self.min)
    }
}

/// The number with all digits but the first three set to zero.
const fn three_digits(number: u64) -> u64 {
    match number.checked_ilog10() {
        None => number,
        Some(digits) => {
            let unit = 10u64.pow(digits.saturating_sub(2));
            number / unit * unit
        }
    }
}

/// The number with all binary digits but the first six set to zero.
const fn six_bits(number: u64) -> u64 {
    match number.checked_ilog2() {
        None => number,
        Some(digits) => {
            let dropped = digits.saturating_sub(5);
            number >> dropped << dropped
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(numbers: impl IntoIterator<Item = u64>) -> Spread {
        let mut spread = Spread::default();
        numbers.into_iter().for_each(|number| spread.add(number));
        spread
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_numbers() {
        let all = spread((1..=200).rev()).summary().expect("numbers");
        assert_eq!((all.total, all.min, all.p50, all.p99, all.max), (20_100, 1, 100, 198, 200));
        assert!((all.mean - 100.5).abs() < 1e-9);
        assert_eq!(spread([]).summary(), None);
        let one = spread([12_345]).summary().expect("a number");
        assert_eq!((one.min, one.p50, one.p99, one.max), (12_345, 12_345, 12_345, 12_345));
        assert_eq!(spread([0, 0, 7]).summary().expect("numbers").p50, 0);
    }

    #[test]
    fn a_sum_of_blocks_is_the_sum_of_runs_and_no_larger_for_more_of_them() {
        let numbers: Vec<u64> = (0..20_000u64).map(|n| n * n).chain([u64::MAX / 2]).collect();
        let whole = spread(numbers.iter().copied());
        let mut sum = Spread::default();
        for block in numbers.chunks(50) {
            let text = serde_json::to_string(&spread(block.iter().copied())).expect("JSON");
            sum.append(&serde_json::from_str(&text).expect("as it was written"));
        }
        assert_eq!(sum, whole);
        assert!(whole.runs.len() < 18_000 / 2, "{}", whole.runs.len());
    }

    #[test]
    fn coarse_numbers_are_few_and_too_small_by_less_than_a_thirty_second() {
        let numbers: Vec<u64> = (0..40_000u64).map(|n| n * n).collect();
        let mut spread = Spread::default();
        numbers.chunks(7_000).for_each(|some| spread.add_coarsely(some.to_vec()));
        assert_eq!((spread.count(), spread.min, spread.max), (40_000, 0, 39_999 * 39_999));
        assert!(spread.runs.len() < 32 * 32, "{}", spread.runs.len());
        for number in numbers {
            let rounded = six_bits(number);
            assert!(rounded <= number && number - rounded <= number / 32, "{number}");
        }
    }
}
