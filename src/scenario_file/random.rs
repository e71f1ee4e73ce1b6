//! How a scenario writes the faults that are drawn from each seed.

use ftsim_core::{Duration, DurationRange};
use schemars::JsonSchema;
use serde::Deserialize;

use super::value::{Count, Counts, Targets};

/// Faults drawn from each seed, never beyond a budget.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RandomFile {
    /// f: how many different processes may be faulty at all.
    pub max_faulty: Option<Count>,
    /// Crashes, each between two effects or at a time.
    pub crash: Option<RandomCrashFile>,
    /// Pauses.
    pub pause: Option<RandomPauseFile>,
    /// Partitions. They make no process faulty.
    pub partition: Option<RandomPartitionFile>,
    /// Whether each seed leaves each kind out with probability 1/2 and scales the rest down.
    pub swarm: bool,
    /// Instead of drawing: one seed is run once for each point at which a process could crash.
    pub crash_points: Option<CrashPointsFile>,
    /// Of `crash_points`: how long the process stays down; for good unless said otherwise.
    pub recover_after: Option<Duration>,
}

/// Which crash points are run.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CrashPointsFile {
    /// After every effect of every process.
    Every,
}

/// Crashes drawn from each seed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RandomCrashFile {
    /// How many.
    pub count: Counts,
    /// Within which time.
    pub between: DurationRange,
    /// How long a process stays down; for good unless said otherwise.
    pub recover_after: Option<DurationRange>,
    /// Whom they may strike; everybody unless said otherwise.
    pub target: Option<Targets>,
}

/// Pauses drawn from each seed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RandomPauseFile {
    /// How many.
    pub count: Counts,
    /// Within which time.
    pub between: DurationRange,
    /// How long.
    pub duration: DurationRange,
    /// Whom they may strike; everybody unless said otherwise.
    pub target: Option<Targets>,
}

/// Partitions drawn from each seed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RandomPartitionFile {
    /// How many.
    pub count: Counts,
    /// Within which time.
    pub between: DurationRange,
    /// Of which shape.
    pub shape: RandomShape,
    /// How long.
    pub duration: DurationRange,
}

/// The shape of a partition that is drawn.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RandomShape {
    /// Two halves, at random.
    Halves,
    /// One process and all others.
    Isolate,
    /// One process is not heard by the others, and hears them.
    OneWay,
}
