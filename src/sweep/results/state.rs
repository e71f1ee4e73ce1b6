//! The accumulated results of a sweep: the same whether its blocks were just run, read again after
//! an interruption, or merged from shards.

use std::collections::BTreeMap;

use ftsim_core::Digest;
use ftsim_core::catalogue::PropertyInfo;

use super::{BlockLine, RegressionLine, StopRule};
use crate::run::failing_run::FailingRun;
use crate::scenario::crash_point::CrashPoint;
use crate::sweep::tally::Tally;

/// The maximum number of failing runs that are kept as examples of a group.
pub const EXAMPLE_COUNT_MAX: usize = 3;
/// The maximum number of groups for each property; further groups are counted together.
const GROUP_COUNT_MAX: usize = 1_000;
/// The signature of the groups that are counted together.
const OTHER_SIGNATURES: &str = "other signatures";

/// The results of the blocks so far, in a size that does not depend on the number of blocks.
pub struct SweepState {
    /// All counts.
    pub tally: Tally,
    /// The first seed that has not been run.
    pub next: u64,
    /// The number of runs that failed.
    pub failing: u64,
    /// The number of runs that failed in a way that the scenario does not expect.
    pub unexpected: u64,
    /// The failures, grouped by property and signature.
    pub groups: BTreeMap<(String, String), Group>,
    /// The results of the regression seeds.
    pub regressions: Vec<RegressionLine>,
    digest: Digest,
}

/// A group of equal failures.
#[derive(Clone, Debug)]
pub struct Group {
    /// Whether the scenario expects the violation.
    pub expected: bool,
    /// The number of runs.
    pub runs: u64,
    /// The first runs, at most [`EXAMPLE_COUNT_MAX`].
    pub examples: Vec<GroupExample>,
}

/// A run that shows a failure.
#[derive(Clone, Debug)]
pub struct GroupExample {
    /// Its seed.
    pub seed: u64,
    /// Its crash point, if it has one.
    pub crash_point: Option<CrashPoint>,
    /// Its digest.
    pub digest: String,
    /// The violation.
    pub message: String,
}

impl SweepState {
    /// The state before the first block; `from` is the first seed.
    pub fn new(from: u64) -> Self {
        Self {
            tally: Tally::default(),
            next: from,
            failing: 0,
            unexpected: 0,
            groups: BTreeMap::new(),
            regressions: Vec::new(),
            digest: Digest::EMPTY,
        }
    }

    /// Adds the next block. `known` are the properties of the scenario.
    pub fn take(&mut self, failing: &[FailingRun], block: &BlockLine, known: &[PropertyInfo]) {
        self.tally.append(block.tally(known));
        self.next = block.seeds.until;
        // A malformed digest counts as a digest of its own.
        self.digest.mix(u64::from_str_radix(&block.digest, 16).unwrap_or(0));
        for run in failing {
            self.failing += 1;
            self.unexpected += u64::from(run.is_unexpected());
            self.group(run);
        }
    }

    fn group(&mut self, run: &FailingRun) {
        for failed in &run.failures {
            let mut key = (failed.property.clone(), failed.signature.clone());
            let mut examples_max = EXAMPLE_COUNT_MAX;
            if self.groups.len() >= GROUP_COUNT_MAX && !self.groups.contains_key(&key) {
                key.1 = OTHER_SIGNATURES.to_owned();
                examples_max = 0;
            }
            let none = Group { expected: failed.expected, runs: 0, examples: Vec::new() };
            let group = self.groups.entry(key).or_insert(none);
            group.runs += 1;
            if group.examples.len() < examples_max {
                group.examples.push(GroupExample {
                    seed: run.seed,
                    crash_point: run.crash_point,
                    digest: run.digest.clone(),
                    message: failed.message.clone(),
                });
            }
        }
    }

    /// The digests of the blocks, folded in order.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Whether the sweep ends here.
    pub fn is_over(&self, stop: Option<&StopRule>) -> bool {
        match stop {
            None => false,
            Some(StopRule::Violates(property)) => {
                self.groups.keys().any(|(violated, _)| violated == property)
            }
            Some(StopRule::FirstUnexpected) => self.unexpected > 0,
            Some(StopRule::Failures(count)) => self.failing >= *count,
        }
    }

    /// The unexpected violations in the example of this seed and crash point.
    pub fn unexpected_of(&self, seed: u64, point: Option<CrashPoint>) -> Vec<&str> {
        let shows = |example: &GroupExample| example.seed == seed && example.crash_point == point;
        let groups = self.groups.iter().filter(|(_, group)| !group.expected);
        let failed = groups.filter(|(_, group)| group.examples.iter().any(shows));
        failed.map(|((property, _), _)| property.as_str()).collect()
    }

    /// The runs that have a repro: the examples of all groups, each once, in order.
    pub fn examples(&self) -> Vec<&GroupExample> {
        let mut examples: BTreeMap<_, &GroupExample> = BTreeMap::new();
        for example in self.groups.values().flat_map(|group| &group.examples) {
            let point = example.crash_point.map(|point| (point.process, point.nth));
            examples.insert((example.seed, point), example);
        }
        examples.into_values().collect()
    }
}

impl GroupExample {
    /// The name of its repro file.
    pub fn repro_name(&self) -> String {
        let point = self.crash_point.map(|p| format!("-{}-{}", p.process, p.nth));
        format!("seed-{}{}.toml", self.seed, point.unwrap_or_default())
    }
}
