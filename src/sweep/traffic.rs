//! The cost of runs, summed: messages, steps, bytes. The sums of blocks of runs can be written to a
//! file and added up again.

use std::collections::BTreeMap;

use ftsim_core::Outcome;
use ftsim_core::outcome::KindCount;
use ftsim_reports::{Curve, PerRun, Traffic};
use serde::{Deserialize, Serialize};

/// The cost of some runs. Summation is exact and does not depend on the order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrafficSums {
    /// Messages sent.
    messages: Spread,
    /// Events handled.
    steps: Spread,
    /// Bytes of the messages, if counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<Spread>,
    /// Messages sent, by the name of their kind.
    kinds: BTreeMap<String, u64>,
    /// Messages sent that are not in `kinds` yet: looking up a name takes longer than counting.
    #[serde(skip)]
    unnamed: Vec<KindCount>,
}

/// The distribution of a number over runs, to three digits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spread {
    total: u64,
    min: u64,
    max: u64,
    /// The number of runs for each value, with all digits but the first three set to zero.
    runs: BTreeMap<u64, u64>,
}

impl TrafficSums {
    /// Adds one run.
    pub fn add(&mut self, outcome: &Outcome) {
        let statistics = &outcome.statistics;
        self.messages.add(statistics.sent());
        self.steps.add(statistics.events);
        if let Some(bytes) = statistics.bytes {
            self.bytes.get_or_insert_default().add(bytes);
        }
        for sent in &statistics.kinds {
            let code = sent.kind.code();
            match self.unnamed.iter_mut().find(|known| known.kind.code() == code) {
                Some(known) => known.sent += sent.sent,
                None => self.unnamed.push(*sent),
            }
        }
    }

    /// Adds the cost of other runs.
    pub fn append(&mut self, other: &Self) {
        self.messages.append(&other.messages);
        self.steps.append(&other.steps);
        if let Some(bytes) = &other.bytes {
            self.bytes.get_or_insert_default().append(bytes);
        }
        for (kind, sent) in other.named() {
            let total = self.kinds.entry(kind).or_default();
            *total = total.saturating_add(sent);
        }
    }

    /// The sums as written to a file, with all kinds named.
    pub fn resolved(&self) -> Self {
        Self { kinds: self.named(), unnamed: Vec::new(), ..self.clone() }
    }

    /// The distributions of messages and of steps over runs.
    pub fn curves(&self) -> Vec<Curve> {
        let both = [("messages", &self.messages), ("steps", &self.steps)];
        let curves = both.map(|(what, spread)| Curve { what, values: spread.shares() });
        curves.into_iter().filter(|curve| !curve.values.is_empty()).collect()
    }

    fn named(&self) -> BTreeMap<String, u64> {
        let mut kinds = self.kinds.clone();
        for KindCount { kind, sent } in &self.unnamed {
            *kinds.entry(kind.to_string()).or_default() += sent;
        }
        kinds
    }

    /// The summary; `None` if there were no runs.
    pub fn summary(&self) -> Option<Traffic> {
        Some(Traffic {
            messages: self.messages.summary()?,
            kinds: self.named(),
            steps: self.steps.summary()?,
            bytes: self.bytes.as_ref().and_then(Spread::summary),
        })
    }
}

impl Spread {
    fn add(&mut self, number: u64) {
        self.append(&Self {
            total: number,
            min: number,
            max: number,
            runs: BTreeMap::from([(three_digits(number), 1)]),
        });
    }

    fn append(&mut self, other: &Self) {
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

    /// Each value with the share of runs that have at most this value.
    fn shares(&self) -> Vec<(u64, f64)> {
        let runs: u64 = self.runs.values().fold(0, |sum, runs| sum.saturating_add(*runs));
        let mut so_far: u64 = 0;
        let share = |(number, count): (&u64, &u64)| {
            so_far = so_far.saturating_add(*count);
            ((*number).max(self.min), so_far as f64 / runs as f64)
        };
        self.runs.iter().map(share).collect()
    }

    fn summary(&self) -> Option<PerRun> {
        let runs: u128 = self.runs.values().map(|runs| u128::from(*runs)).sum();
        let within = |percent: u128| {
            let wanted = (runs * percent).div_ceil(100);
            let mut so_far = 0;
            let reached = self.runs.iter().find(|(_, runs)| {
                so_far += u128::from(**runs);
                so_far >= wanted
            });
            reached.map(|(number, _)| (*number).max(self.min))
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
}
