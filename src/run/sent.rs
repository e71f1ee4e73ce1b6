//! The kinds of messages that a run sends, for the error about one that was never sent.

use std::collections::BTreeMap;

use ftsim_core::{ProcessId, RunRequest};

use crate::run;
use crate::scenario::Scenario;

/// The messages of one run, counted by sender, receiver and kind.
pub struct Sent {
    seed: u64,
    counts: BTreeMap<(ProcessId, ProcessId, String), u64>,
}

impl Sent {
    /// Runs this seed and counts its messages; `None` if ftsim fails, which others report.
    pub fn of(scenario: &Scenario, seed: u64) -> Option<Self> {
        let plan = run::run(scenario, seed).ok()?.plan;
        let (_, decisions) = run::schedule(scenario, RunRequest::under(seed, plan)).ok()?;
        let mut counts = BTreeMap::new();
        for message in decisions.messages {
            let rule = message.rule;
            let kind = rule.kind.unwrap_or_default();
            *counts.entry((rule.from, rule.to, kind)).or_default() += 1;
        }
        Some(Self { seed, counts })
    }

    /// A description of the messages from this process, to one receiver or to all.
    pub fn by(&self, from: ProcessId, to: Option<ProcessId>) -> String {
        let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
        for ((sender, receiver, kind), count) in &self.counts {
            if *sender == from && to.is_none_or(|to| to == *receiver) {
                *kinds.entry(kind).or_default() += count;
            }
        }
        let kinds: Vec<String> =
            kinds.into_iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let kinds = if kinds.is_empty() { "nothing".to_owned() } else { kinds.join(", ") };
        let to = to.map(|to| format!(" to {to}")).unwrap_or_default();
        format!("in seed {} {from} sends {kinds}{to}", self.seed)
    }
}
