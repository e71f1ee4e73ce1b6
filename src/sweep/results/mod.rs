//! What a sweep writes: a line saying what was asked, one for each failing run, one for each block
//! of seeds. JSON, an object a line, each with one key that says what it is.

mod folder;
mod lock;
mod place;
mod reader;
mod soundness;
mod state;

use std::collections::BTreeMap;
use std::ops::Range;

use ftsim_core::catalogue::PropertyInfo;
use serde::{Deserialize, Serialize};

pub use folder::{
    Folder, FolderError, LATEST, REPROS, RESULTS, SCENARIO, SHRUNK, SUMMARY, difference,
};
pub use lock::FileLock;
pub use reader::{Reader, Written};
pub use state::{EXAMPLE_COUNT_MAX, Group, GroupExample, SweepState};

use crate::run::failing_run::FailingRun;
use crate::sweep::Block;
use crate::sweep::shard::Shard;
use crate::sweep::tally::{Example, PropertyTally, Tally};
use crate::sweep::traffic::TrafficSums;

/// Seeds of a block: what is written at once, and what shards are made of.
pub const BLOCK: u64 = 50;
/// The version of this format.
pub const SCHEMA: u32 = 1;

/// One line of `results.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Line {
    /// What was asked; the first line, and only that.
    Sweep(Box<Header>),
    /// What became of a regression seed; right after the header.
    Regression(RegressionLine),
    /// A failing run of the block that comes next.
    Failing(FailingRun),
    /// A block of seeds.
    Block(BlockLine),
}

/// What a sweep was asked for: all that its result depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The version of the format.
    pub schema: u32,
    /// The version of ftsim.
    pub ftsim: String,
    /// The name of the scenario: its file without folder and `.toml`.
    pub scenario: String,
    /// The scenario file as the user named it.
    pub file: String,
    /// The digest of its text.
    pub digest: String,
    /// All seeds of the sweep, those of other shards too.
    pub seeds: Span,
    /// Seeds of a block.
    pub block: u64,
    /// Which part of the seeds this is; all of them, if `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// Where the sweep ends early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<StopRule>,
}

/// Where a sweep ends early.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopRule {
    /// At the first seed that violates this property.
    Violates(String),
    /// At the first seed that fails in a way that the scenario does not expect.
    FirstUnexpected,
    /// After the block in which the so-manyth failing run lies.
    Failures(u64),
}

/// A half-open range of seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// The first.
    pub from: u64,
    /// The first that is none of them.
    pub until: u64,
}

/// What became of a seed that once failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegressionLine {
    /// The seed.
    pub seed: u64,
    /// The crash point, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crash_point: Option<crate::scenario::crash_point::CrashPoint>,
    /// What it once violated.
    pub once: Vec<String>,
    /// What it violates now that the scenario does not expect.
    pub now: Vec<String>,
}

/// What came of a block of seeds, as counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockLine {
    /// The seeds.
    pub seeds: Span,
    /// How many runs: one a seed, unless every crash point of each is run.
    pub runs: u64,
    /// The digests of the runs, folded in their order.
    pub digest: String,
    /// What came of each property.
    pub properties: BTreeMap<String, PropertyTally>,
    /// In how many runs each label was reached.
    pub reached: BTreeMap<String, u64>,
    /// In how many runs each scripted fault did not strike.
    pub unfired: BTreeMap<usize, u64>,
    /// In how many runs the message of each override was never sent.
    pub unused: BTreeMap<usize, u64>,
    /// In how many runs a handler panicked.
    pub panicked: u64,
    /// The first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_panic: Option<Example>,
    /// What the runs cost.
    #[serde(default)]
    pub traffic: Box<TrafficSums>,
}

impl StopRule {
    /// Whether a sweep ends at the seed of this run, and not only after its block.
    pub fn ends_at(&self, run: &FailingRun) -> bool {
        match self {
            Self::Violates(property) => run.violates(property),
            Self::FirstUnexpected => run.is_unexpected(),
            Self::Failures(_) => false,
        }
    }
}

impl Header {
    /// The digest of a scenario's text.
    pub fn digest_of(text: &str) -> String {
        use std::hash::Hasher as _;
        let mut digest = ftsim_core::Digest::EMPTY;
        digest.write(text.as_bytes());
        digest.write_usize(text.len());
        digest.to_string()
    }

    /// The seeds of this part.
    pub fn part(&self) -> Range<u64> {
        let all = self.seeds.range();
        self.shard.map_or_else(|| all.clone(), |shard| shard.seeds(&all, self.block))
    }
}

impl Span {
    /// As a range.
    pub const fn range(self) -> Range<u64> {
        self.from..self.until
    }
}

impl From<Range<u64>> for Span {
    fn from(range: Range<u64>) -> Self {
        Self { from: range.start, until: range.end }
    }
}

impl BlockLine {
    /// The counts of a block; of its faults those of the scenario, `scripted` many, are counted.
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
            unused: tally.unused.clone(),
            panicked: tally.panicked,
            first_panic: tally.first_panic.clone(),
            traffic: Box::new(tally.traffic.resolved()),
        }
    }

    /// The counts as a tally, which knows nothing of single runs' digests. Properties that are none
    /// of `known` are left out.
    pub fn tally(&self, known: &[PropertyInfo]) -> Tally {
        let id = |name: &str| known.iter().map(|info| info.id).find(|id| id.0 == name);
        let properties =
            self.properties.iter().filter_map(|(name, t)| Some((id(name)?, t.clone())));
        Tally {
            seed_count: self.runs,
            properties: properties.collect(),
            reached: self.reached.clone(),
            unfired: self.unfired.clone(),
            unused: self.unused.clone(),
            panicked: self.panicked,
            first_panic: self.first_panic.clone(),
            traffic: (*self.traffic).clone(),
            ..Tally::default()
        }
    }
}
