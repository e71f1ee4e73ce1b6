//! The results file of a sweep: the header, and a line for each failing run and for each block of
//! seeds. Each line is a JSON object with one key that gives its type.

mod folder;
mod place;
mod reader;
mod soundness;
mod state;

use std::collections::BTreeMap;
use std::ops::Range;

use ftsim_core::catalogue::PropertyInfo;
use ftsim_reports::SeedRange;
use serde::{Deserialize, Serialize};

pub use folder::{Folder, LATEST, REPROS, RESULTS, SCENARIO, SHRUNK, SUMMARY, difference};
pub use reader::{Reader, Written};
pub use state::{EXAMPLE_COUNT_MAX, Group, GroupExample, SweepState};

use crate::run::failing_run::FailingRun;
use crate::sweep::Block;
use crate::sweep::fault_counts::FaultCounts;
use crate::sweep::figures::FigureSpreads;
use crate::sweep::moments::RunMoments;
use crate::sweep::shard::Shard;
use crate::sweep::tally::{Example, PropertyTally, Tally};
use crate::sweep::traffic::TrafficSums;

/// The number of seeds in a block, the unit of writing and of sharding.
pub const BLOCK: u64 = 50;
/// The version of this format.
pub const SCHEMA: u32 = 1;

/// One line of `results.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Line {
    /// The header: the first line, and only that.
    Sweep(Box<Header>),
    /// The result of a regression seed; these lines follow the header.
    Regression(RegressionLine),
    /// A failing run of the following block.
    Failing(FailingRun),
    /// A block of seeds.
    Block(BlockLine),
}

/// The parameters of a sweep that its result depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The version of the format.
    pub schema: u32,
    /// The version of ftsim.
    pub ftsim: String,
    /// The name of the scenario: its file name without `.toml`.
    pub scenario: String,
    /// The scenario file as the user named it.
    pub file: String,
    /// The digest of the scenario's text.
    pub digest: String,
    /// All seeds of the sweep, including those of other shards.
    pub seeds: SeedRange,
    /// The number of seeds in a block.
    pub block: u64,
    /// The shard; `None`: all seeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// The rule by which the sweep ends early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<StopRule>,
    /// The strategy that chooses the steps of a run; `None`: times and faults are drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
}

/// A rule for ending a sweep early.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopRule {
    /// At the first seed that violates this property.
    Violates(String),
    /// At the first seed that fails in a way that the scenario does not expect.
    FirstUnexpected,
    /// After the block with this many failing runs.
    Failures(u64),
}

/// The result of a regression seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegressionLine {
    /// The seed.
    pub seed: u64,
    /// The crash point, if the failure had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crash_point: Option<crate::scenario::crash_point::CrashPoint>,
    /// The properties that it once violated.
    pub once: Vec<String>,
    /// The properties that it now violates unexpectedly.
    pub now: Vec<String>,
}

/// The results of a block of seeds, as counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockLine {
    /// The seeds.
    pub seeds: SeedRange,
    /// The number of runs: one per seed, unless every crash point is run.
    pub runs: u64,
    /// The digests of the runs, folded in order.
    pub digest: String,
    /// The results for each property.
    pub properties: BTreeMap<String, PropertyTally>,
    /// The number of runs in which each label was reached.
    pub reached: BTreeMap<String, u64>,
    /// The number of runs in which each scripted fault did not strike.
    pub unfired: BTreeMap<usize, u64>,
    /// The faults of all plans, scripted and drawn, by kind and victim.
    #[serde(default, skip_serializing_if = "FaultCounts::is_empty")]
    pub faults: FaultCounts,
    /// The number of runs in which the message of each override was never sent.
    pub unused: BTreeMap<usize, u64>,
    /// The number of runs in which a handler panicked.
    pub panicked: u64,
    /// The first run in which a handler panicked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_panic: Option<Example>,
    /// The cost of the runs.
    #[serde(default)]
    pub traffic: Box<TrafficSums>,
    /// The distributions of latencies, outages and messages for an operation.
    #[serde(default)]
    pub figures: Box<FigureSpreads>,
    /// The sums for claims about all runs together.
    #[serde(default)]
    pub moments: Box<RunMoments>,
}

impl StopRule {
    /// Whether a sweep ends at the seed of this run rather than after its block.
    pub fn ends_at(&self, run: &FailingRun) -> bool {
        match self {
            Self::Violates(property) => run.violates(property),
            Self::FirstUnexpected => run.is_unexpected(),
            Self::Failures(_) => false,
        }
    }
}

impl Header {
    /// The seeds of this shard.
    pub fn part(&self) -> Range<u64> {
        let all = self.seeds.range();
        self.shard.map_or_else(|| all.clone(), |shard| shard.seeds(&all, self.block))
    }
}

impl BlockLine {
    /// The counts of a block; only the first `scripted` faults, those of the scenario, are counted.
    pub fn of(block: &Block, scripted: usize) -> Self {
        let tally = &block.tally;
        let properties = tally.properties.iter().map(|(id, t)| (id.to_string(), t.clone()));
        let unfired = tally.unfired.iter().filter(|(fault, _)| **fault < scripted);
        Self {
            seeds: block.seeds.clone().into(),
            runs: tally.seed_count,
            digest: tally.digest().to_string(),
            properties: properties.collect(),
            reached: tally.reached.clone(),
            unfired: unfired.map(|(fault, count)| (*fault, *count)).collect(),
            faults: tally.faults.clone(),
            unused: tally.unused.clone(),
            panicked: tally.panicked,
            first_panic: tally.first_panic.clone(),
            traffic: Box::new(tally.traffic.resolved()),
            figures: Box::new(tally.spreads.resolved()),
            moments: Box::new(tally.moments.clone()),
        }
    }

    /// The counts as a tally, which has no digests of single runs. Properties that are not in
    /// `known` are omitted.
    pub fn tally(&self, known: &[PropertyInfo]) -> Tally {
        let id = |name: &str| known.iter().map(|info| info.id).find(|id| id.0 == name);
        let properties =
            self.properties.iter().filter_map(|(name, t)| Some((id(name)?, t.clone())));
        Tally {
            seed_count: self.runs,
            properties: properties.collect(),
            reached: self.reached.clone(),
            unfired: self.unfired.clone(),
            faults: self.faults.clone(),
            unused: self.unused.clone(),
            panicked: self.panicked,
            first_panic: self.first_panic.clone(),
            traffic: (*self.traffic).clone(),
            spreads: (*self.figures).clone(),
            moments: (*self.moments).clone(),
            ..Tally::default()
        }
    }
}
