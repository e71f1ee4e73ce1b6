//! Sums of numbers of runs and of their squares, for means and how sure they are. The sums of
//! blocks of runs can be written to a file and added up again.

use std::collections::BTreeMap;

use ftsim_core::Outcome;
use serde::{Deserialize, Serialize};

/// What properties measure is counted in units of this.
const PROPERTY_UNIT: f64 = 1e-6;

/// The moments of the numbers of some runs. Summation is exact and does not depend on the order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunMoments {
    /// Messages sent.
    pub messages: Moments,
    /// Events handled.
    pub steps: Moments,
    /// What each property measures, in millionths.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    properties: BTreeMap<String, Moments>,
}

/// The number of runs, and the sums of a number of each of them and of its square.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moments {
    runs: u64,
    #[serde(with = "decimal")]
    sum: u128,
    #[serde(with = "decimal")]
    squares: u128,
}

/// The nearest whole number of units; zero for what is negative or no number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
fn in_units(number: f64) -> u64 {
    (number / PROPERTY_UNIT).round() as u64
}

impl RunMoments {
    /// Adds one run.
    pub fn add(&mut self, outcome: &Outcome) {
        self.messages.add(outcome.statistics.sent());
        self.steps.add(outcome.statistics.events);
        for judged in &outcome.judged {
            let Some(number) = judged.measured else { continue };
            let moments = match self.properties.get_mut(judged.id.0) {
                Some(moments) => moments,
                None => self.properties.entry(judged.id.to_string()).or_default(),
            };
            moments.add(in_units(number));
        }
    }

    /// Adds the moments of other runs.
    pub fn append(&mut self, other: &Self) {
        self.messages.append(other.messages);
        self.steps.append(other.steps);
        for (name, moments) in &other.properties {
            self.properties.entry(name.clone()).or_default().append(*moments);
        }
    }

    /// The number of runs, and mean and variance of what this property measures.
    pub fn of_property(&self, name: &str) -> Option<(u64, f64, f64)> {
        let (runs, mean, variance) = self.properties.get(name)?.mean_and_variance()?;
        Some((runs, mean * PROPERTY_UNIT, variance * PROPERTY_UNIT * PROPERTY_UNIT))
    }
}

impl Moments {
    fn add(&mut self, number: u64) {
        let number = u128::from(number);
        self.append(Self { runs: 1, sum: number, squares: number * number });
    }

    fn append(&mut self, other: Self) {
        self.runs = self.runs.saturating_add(other.runs);
        self.sum = self.sum.saturating_add(other.sum);
        self.squares = self.squares.saturating_add(other.squares);
    }

    /// The number of runs, their mean, and the variance estimated from them; `None` if there are
    /// none.
    pub fn mean_and_variance(self) -> Option<(u64, f64, f64)> {
        let runs = Some(self.runs as f64).filter(|runs| *runs > 0.0)?;
        let mean = self.sum as f64 / runs;
        let spread = (self.squares as f64 - self.sum as f64 * mean).max(0.0);
        Some((self.runs, mean, spread / (runs - 1.0).max(1.0)))
    }
}

/// Numbers of 128 bits as text, because JSON readers do not agree on them.
mod decimal {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub fn serialize<S: Serializer>(number: &u128, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(number)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<u128, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_variances_are_those_of_the_numbers() {
        let mut moments = Moments::default();
        assert_eq!(moments.mean_and_variance(), None);
        [2, 4, 4, 4, 5, 5, 7, 9].into_iter().for_each(|number| moments.add(number));
        let (runs, mean, variance) = moments.mean_and_variance().expect("numbers");
        assert_eq!(runs, 8);
        assert!((mean - 5.0).abs() < 1e-12 && (variance - 32.0 / 7.0).abs() < 1e-12);
    }

    #[test]
    fn sums_of_blocks_are_sums_of_runs_also_for_the_largest_numbers() {
        let numbers = [0, 1, 3, u64::MAX, u64::MAX];
        let (mut whole, mut sum) = (Moments::default(), Moments::default());
        for number in numbers {
            whole.add(number);
            let mut one = Moments::default();
            one.add(number);
            let text = serde_json::to_string(&one).expect("JSON");
            sum.append(serde_json::from_str(&text).expect("as it was written"));
        }
        assert_eq!(sum, whole);
        assert_eq!(whole.runs, 5);
        assert_eq!(whole.sum, 2 * u128::from(u64::MAX) + 4);
    }
}
