//! What a sweep has come to so far: the same whether its blocks were just run, read again after an
//! interruption, or merged from shards.

use std::collections::BTreeMap;

use ftsim_core::Digest;
use ftsim_core::catalogue::PropertyInfo;

use super::{BlockLine, RegressionLine, StopRule};
use crate::run::failing_run::FailingRun;
use crate::scenario::crash_point::CrashPoint;
use crate::sweep::tally::Tally;

/// The first failing runs of a group are kept as examples: so many.
pub const EXAMPLE_COUNT_MAX: usize = 3;
/// More groups than this are counted together, for each property.
const GROUP_COUNT_MAX: usize = 1_000;
/// The signature that stands for them.
const OTHER_SIGNATURES: &str = "other signatures";

/// What came of the blocks so far. Its size does not depend on how many there were.
pub struct SweepState {
    /// All counts.
    pub tally: Tally,
    /// The first seed that is not done.
    pub next: u64,
    /// How many runs failed.
    pub failing: u64,
    /// How many of them in a way that the scenario does not expect.
    pub unexpected: u64,
    /// The failures that are alike, by property and signature.
    pub groups: BTreeMap<(String, String), Group>,
    /// What became of the regression seeds.
    pub regressions: Vec<RegressionLine>,
    digest: Digest,
}

/// Failures that are alike.
#[derive(Clone, Debug)]
pub struct Group {
    /// Whether the scenario expects the violation.
    pub expected: bool,
    /// How many runs.
    pub runs: u64,
    /// The first of them, at most [`EXAMPLE_COUNT_MAX`].
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
    /// What happened.
    pub message: String,
}

impl SweepState {
    /// Of no block yet; `from` is the first seed.
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

    /// Takes in the block that comes next. `known` are the properties of the scenario.
    pub fn take(&mut self, failing: &[FailingRun], block: &BlockLine, known: &[PropertyInfo]) {
        self.tally.append(block.tally(known));
        self.next = block.seeds.until;
        // What no ftsim has written counts as a digest of its own.
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

    /// The digests of the blocks, folded in their order.
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

    /// What the example of this seed and crash point violated that the scenario does not expect.
    pub fn unexpected_of(&self, seed: u64, point: Option<CrashPoint>) -> Vec<&str> {
        let shows = |example: &GroupExample| example.seed == seed && example.crash_point == point;
        let groups = self.groups.iter().filter(|(_, group)| !group.expected);
        let failed = groups.filter(|(_, group)| group.examples.iter().any(shows));
        failed.map(|((property, _), _)| property.as_str()).collect()
    }

    /// The runs that have a repro: those that are an example of some group, each once, in order.
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
