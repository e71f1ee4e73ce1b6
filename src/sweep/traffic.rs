//! The cost of runs, summed: messages, steps, bytes. The sums of blocks of runs can be written to a
//! file and added up again.

use std::collections::BTreeMap;

use ftsim_core::Outcome;
use ftsim_core::outcome::KindCount;
use ftsim_reports::{Curve, Measure, Over, Quantity, Traffic};
use serde::{Deserialize, Serialize};

use super::spread::Spread;

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

    /// The distributions of messages, steps and bytes over runs.
    pub fn curves(&self) -> Vec<Curve> {
        let count = |what| Measure { what, over: Over::Runs, quantity: Quantity::Count };
        let bytes = self.bytes.as_ref().and_then(|bytes| bytes.curve(count("bytes per run")));
        let messages = self.messages.curve(count("messages per run"));
        let steps = self.steps.curve(count("steps per run"));
        [messages, steps, bytes].into_iter().flatten().collect()
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
