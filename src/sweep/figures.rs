//! What clients and processes saw in many runs, as distributions: latencies, outages, the messages
//! for an operation. Those of blocks of runs can be written to a file and added up again.

use ftsim_core::Outcome;
use ftsim_core::outcome::dependability::{Dependability, Operations};
use ftsim_reports::{Curve, Measure, Over, Quantity};
use serde::{Deserialize, Serialize};

use super::spread::Spread;

/// The figures of some runs. Summation is exact and does not depend on the order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FigureSpreads {
    /// Operations requested.
    #[serde(skip_serializing_if = "is_zero")]
    asked: u64,
    /// The latency of each answered operation, in nanoseconds, to a thirty-second.
    #[serde(skip_serializing_if = "Spread::is_empty")]
    latency: Spread,
    /// The longest latency of each run in which an operation was answered, in nanoseconds.
    #[serde(skip_serializing_if = "Spread::is_empty")]
    longest: Spread,
    /// Hundredths of messages sent for each operation requested, for each run with a request.
    #[serde(skip_serializing_if = "Spread::is_empty")]
    messages: Spread,
    /// The time of each run in which some process was down, in nanoseconds.
    #[serde(skip_serializing_if = "Spread::is_empty")]
    degraded: Spread,
    /// The time of each run in which no process was up, in nanoseconds.
    #[serde(skip_serializing_if = "Spread::is_empty")]
    outage: Spread,
    /// Latencies that are not in `latency` yet: many are added faster than one.
    #[serde(skip)]
    recent: Vec<u64>,
}

/// The number of recent latencies above which they are counted.
const RECENT_COUNT_MAX: usize = 1 << 12;

impl FigureSpreads {
    /// Adds one run.
    pub fn add(&mut self, outcome: &Outcome) {
        let Dependability { series, parallel, operations, messages, .. } = &outcome.dependability;
        let Operations { asked, .. } = operations;
        self.asked = self.asked.saturating_add(*asked);
        if let Some(hundredths) = messages.saturating_mul(100).checked_div(*asked) {
            self.messages.add(hundredths);
        }
        self.degraded.add(nanoseconds(series.down_ns));
        self.outage.add(nanoseconds(parallel.down_ns));
        if let Some(longest) = outcome.latencies.iter().max() {
            self.longest.add(longest.as_nanos());
        }
        self.recent.extend(outcome.latencies.iter().map(|latency| latency.as_nanos()));
        if self.recent.len() > RECENT_COUNT_MAX {
            self.latency.add_coarsely(std::mem::take(&mut self.recent));
        }
    }

    /// Adds the figures of other runs.
    pub fn append(&mut self, other: &Self) {
        let other = other.resolved();
        self.asked = self.asked.saturating_add(other.asked);
        self.latency.append(&other.latency);
        self.longest.append(&other.longest);
        self.messages.append(&other.messages);
        self.degraded.append(&other.degraded);
        self.outage.append(&other.outage);
    }

    /// The figures as written to a file, with all latencies counted.
    pub fn resolved(&self) -> Self {
        let mut all = self.clone();
        all.latency.add_coarsely(std::mem::take(&mut all.recent));
        all
    }

    /// The numbers of operations that were requested, and of those that were answered.
    pub fn operations(&self) -> (u64, u64) {
        (self.asked, self.resolved().latency.count())
    }

    /// The distributions.
    pub fn curves(&self) -> Vec<Curve> {
        let Self { latency, longest, messages, degraded, outage, .. } = self.resolved();
        let time = |what, over| Measure { what, over, quantity: Quantity::Nanoseconds };
        let cost = Measure {
            what: "messages per operation",
            over: Over::Runs,
            quantity: Quantity::Hundredths,
        };
        let curves = [
            latency.curve(time("latency of an operation", Over::Operations)),
            longest.curve(time("longest latency of a run", Over::Runs)),
            degraded.curve(time("time with a process down", Over::Runs)),
            outage.curve(time("time with no process up", Over::Runs)),
            messages.curve(cost),
        ];
        curves.into_iter().flatten().collect()
    }
}

fn nanoseconds(time: u128) -> u64 {
    u64::try_from(time).unwrap_or(u64::MAX)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}
