//! How often faults were planned, and how often they struck, by kind and victim.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ftsim_core::fault::{Action, Trigger};
use ftsim_core::{Outcome, ProcessId};
use serde::{Deserialize, Serialize};

use crate::run::strikes::kind_of;

/// The faults of some runs, scripted and drawn. Summation is exact and does not depend on the
/// order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<FaultLine>", into = "Vec<FaultLine>")]
pub struct FaultCounts {
    counts: BTreeMap<Key, FaultCount>,
}

/// The kind of a fault, and its victim; `None`: the network.
type Key = (Cow<'static, str>, Option<ProcessId>);

/// How often a fault was planned, and how often it struck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultCount {
    /// How often it was in the plan of a run.
    pub planned: u64,
    /// How often its trigger occurred.
    pub struck: u64,
}

/// A count as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultLine {
    kind: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    process: Option<ProcessId>,
    planned: u64,
    struck: u64,
}

impl FaultCounts {
    /// Adds one run.
    pub fn add(&mut self, outcome: &Outcome) {
        for (index, fault) in outcome.plan.faults.iter().enumerate() {
            let Some(kind) = kind_of(&fault.action) else { continue };
            let struck = !outcome.unfired.contains(&index);
            // A fault of the leader is in the plan once for each process that might lead.
            let is_for_another = matches!(fault.action, Action::IfLeads(..)) && !struck;
            if fault.trigger == Trigger::Never || is_for_another {
                continue;
            }
            let key = (Cow::Borrowed(kind), fault.action.process());
            let count = self.counts.entry(key).or_default();
            count.planned += 1;
            count.struck += u64::from(struck);
        }
    }

    /// Adds the faults of other runs.
    pub fn append(&mut self, other: Self) {
        for (key, theirs) in other.counts {
            self.counts.entry(key).or_default().append(theirs);
        }
    }

    /// Whether no fault was planned.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The counts, by kind and victim.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<ProcessId>, FaultCount)> {
        self.counts.iter().map(|((kind, victim), count)| (kind.as_ref(), *victim, *count))
    }
}

impl FaultCount {
    fn append(&mut self, other: Self) {
        self.planned = self.planned.saturating_add(other.planned);
        self.struck = self.struck.saturating_add(other.struck);
    }
}

impl From<Vec<FaultLine>> for FaultCounts {
    fn from(lines: Vec<FaultLine>) -> Self {
        let mut counts: BTreeMap<Key, FaultCount> = BTreeMap::new();
        for FaultLine { kind, process, planned, struck } in lines {
            counts.entry((kind, process)).or_default().append(FaultCount { planned, struck });
        }
        Self { counts }
    }
}

impl From<FaultCounts> for Vec<FaultLine> {
    fn from(counts: FaultCounts) -> Self {
        let line = |((kind, process), FaultCount { planned, struck })| FaultLine {
            kind,
            process,
            planned,
            struck,
        };
        counts.counts.into_iter().map(line).collect()
    }
}
