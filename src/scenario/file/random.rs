//! How a scenario writes the faults that are drawn from each seed.

use ftsim_core::{Duration, DurationRange};
use schemars::JsonSchema;
use serde::Deserialize;

use super::fault::BehaviourFile;
use super::value::{Count, Counts, Drift, Rate, Targets};

/// Faults drawn from each seed, never beyond a budget.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RandomFile {
    /// f: how many different processes may be faulty at all.
    pub max_faulty: Option<Count>,
    /// Crashes, each between two effects or at a time.
    pub crash: Option<RandomCrashFile>,
    /// Exceptions: crashes of which the others are told.
    pub exception: Option<RandomCrashFile>,
    /// Processes that start only then.
    pub start: Option<RandomStartFile>,
    /// Pauses.
    pub pause: Option<RandomPauseFile>,
    /// Processes that turn Byzantine.
    pub byzantine: Option<RandomByzantineFile>,
    /// Changes of the state of processes.
    pub state_corruption: Option<RandomStateCorruptionFile>,
    /// Partitions. They make no process faulty, nor does any other fault of links.
    pub partition: Option<RandomPartitionFile>,
    /// Loss on some links.
    pub loss: Option<RandomLossFile>,
    /// Duplication on some links.
    pub duplicate: Option<RandomDuplicateFile>,
    /// Messages on some links that take longer, each by a drawn time.
    pub delay: Option<RandomDelayFile>,
    /// Messages on some links that take longer by one drawn time, bound or not.
    pub late: Option<RandomLateFile>,
    /// Messages on some links that are overtaken.
    pub reorder: Option<RandomReorderFile>,
    /// Old messages that come again on some links.
    pub replay: Option<RandomReplayFile>,
    /// Messages on some links whose content is changed.
    pub corrupt: Option<RandomCorruptFile>,
    /// Links that carry little.
    pub bandwidth: Option<RandomBandwidthFile>,
    /// Links on which messages wait.
    pub clog: Option<RandomClogFile>,
    /// Processes that fail to send.
    pub send_omission: Option<RandomSendOmissionFile>,
    /// Processes that fail to receive.
    pub receive_omission: Option<RandomReceiveOmissionFile>,
    /// Slow processes.
    pub slow: Option<RandomSlowFile>,
    /// Disks whose syncs fail.
    pub sync_fails: Option<RandomSyncFailsFile>,
    /// Disks whose syncs take longer.
    pub slow_sync: Option<RandomSlowSyncFile>,
    /// Disks that take no further record.
    pub full: Option<RandomFullFile>,
    /// Durable records that are corrupt from then on.
    pub corrupt_record: Option<RandomCorruptRecordFile>,
    /// Logs that are gone.
    pub lose_disk: Option<RandomLoseDiskFile>,
    /// Old snapshots of disks that are back.
    pub rollback: Option<RandomRollbackFile>,
    /// Clocks that are off for a while, ahead or behind.
    pub skew: Option<RandomSkewFile>,
    /// Clocks that run fast or slow for a while.
    pub drift: Option<RandomDriftFile>,
    /// Clocks that jump, ahead or behind.
    pub jump: Option<RandomJumpFile>,
    /// Clocks that stand still for a while.
    pub freeze: Option<RandomFreezeFile>,
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

/// What all kinds have in common.
#[derive(Clone, Copy, Debug)]
pub struct OccurrenceFile<'a> {
    /// How many.
    pub count: Counts,
    /// Within which time.
    pub between: DurationRange,
    /// Whom they may strike.
    pub target: Option<&'a Targets>,
    /// How long each lasts, if it does.
    pub duration: Option<DurationRange>,
}

/// A kind of fault that is drawn.
pub trait OccurrenceOf {
    /// When, how often, whom, and for how long.
    fn occurrence(&self) -> OccurrenceFile<'_>;
}

/// The table of a kind: what all have, `lasting` where it has a duration, and its own keys.
macro_rules! kind {
    ($(#[$doc:meta])* $name:ident lasting { $($(#[$key_doc:meta])* $key:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// How many.
            pub count: Counts,
            /// Within which time they begin.
            pub between: DurationRange,
            /// How long each lasts.
            pub duration: DurationRange,
            /// Whom they may strike; everybody unless said otherwise.
            pub target: Option<Targets>,
            $($(#[$key_doc])* pub $key: $type,)*
        }
        impl OccurrenceOf for $name {
            fn occurrence(&self) -> OccurrenceFile<'_> {
                let Self { count, between, duration, target, .. } = self;
                OccurrenceFile {
                    count: *count,
                    between: *between,
                    target: target.as_ref(),
                    duration: Some(*duration),
                }
            }
        }
    };
    ($(#[$doc:meta])* $name:ident { $($(#[$key_doc:meta])* $key:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// How many.
            pub count: Counts,
            /// Within which time.
            pub between: DurationRange,
            /// Whom they may strike; everybody unless said otherwise.
            pub target: Option<Targets>,
            $($(#[$key_doc])* pub $key: $type,)*
        }
        impl OccurrenceOf for $name {
            fn occurrence(&self) -> OccurrenceFile<'_> {
                let Self { count, between, target, .. } = self;
                OccurrenceFile {
                    count: *count,
                    between: *between,
                    target: target.as_ref(),
                    duration: None,
                }
            }
        }
    };
}

kind! {
    /// Crashes drawn from each seed.
    RandomCrashFile {
        /// How long a process stays down; for good unless said otherwise.
        recover_after: Option<DurationRange>,
    }
}
kind! {
    /// Processes that start late, drawn from each seed.
    RandomStartFile {}
}
kind! {
    /// Pauses drawn from each seed.
    RandomPauseFile lasting {}
}
kind! {
    /// Liars drawn from each seed.
    RandomByzantineFile {
        /// How they lie; `"random"` unless said otherwise.
        behaviour: Option<BehaviourFile>,
    }
}
kind! {
    /// Corruptions of states drawn from each seed.
    RandomStateCorruptionFile {}
}
kind! {
    /// Partitions drawn from each seed.
    RandomPartitionFile lasting {
        /// Of which shape.
        shape: RandomShape,
    }
}
kind! {
    /// Loss drawn from each seed.
    RandomLossFile lasting {
        /// How likely each message is lost.
        probability: f64,
    }
}
kind! {
    /// Duplication drawn from each seed.
    RandomDuplicateFile lasting {
        /// How likely each message arrives twice.
        probability: f64,
    }
}
kind! {
    /// Longer delays drawn from each seed.
    RandomDelayFile lasting {
        /// How much longer, drawn for each message.
        by: DurationRange,
    }
}
kind! {
    /// Lateness drawn from each seed.
    RandomLateFile lasting {
        /// How much longer, drawn once.
        by: DurationRange,
    }
}
kind! {
    /// Reordering drawn from each seed.
    RandomReorderFile lasting {
        /// How likely each message is held back; 1 unless said otherwise.
        probability: Option<f64>,
        /// For how long at most.
        within: Duration,
    }
}
kind! {
    /// Replays drawn from each seed.
    RandomReplayFile lasting {
        /// How likely an old message comes with each new one.
        probability: f64,
    }
}
kind! {
    /// Corruption on links drawn from each seed.
    RandomCorruptFile lasting {
        /// How likely the content of each message is changed.
        probability: f64,
    }
}
kind! {
    /// Narrow links drawn from each seed.
    RandomBandwidthFile lasting {
        /// How much each of these links carries.
        rate: Rate,
    }
}
kind! {
    /// Clogged links drawn from each seed.
    RandomClogFile lasting {}
}
kind! {
    /// Send omissions drawn from each seed.
    RandomSendOmissionFile lasting {
        /// How likely each message is not sent; 1 unless said otherwise.
        probability: Option<f64>,
    }
}
kind! {
    /// Receive omissions drawn from each seed.
    RandomReceiveOmissionFile lasting {
        /// How likely each message is not received; 1 unless said otherwise.
        probability: Option<f64>,
    }
}
kind! {
    /// Slow processes drawn from each seed.
    RandomSlowFile lasting {
        /// How many times as long their timers and messages take, 1 to 1,000.
        factor: Count,
    }
}
kind! {
    /// Failing syncs drawn from each seed.
    RandomSyncFailsFile lasting {}
}
kind! {
    /// Slow syncs drawn from each seed.
    RandomSlowSyncFile lasting {
        /// How much longer, drawn once.
        by: DurationRange,
    }
}
kind! {
    /// Full disks drawn from each seed.
    RandomFullFile lasting {}
}
kind! {
    /// Corrupt records drawn from each seed.
    RandomCorruptRecordFile {}
}
kind! {
    /// Lost logs drawn from each seed.
    RandomLoseDiskFile {}
}
kind! {
    /// Old snapshots drawn from each seed.
    RandomRollbackFile {
        /// How many of the newest durable records are gone.
        records: Count,
    }
}
kind! {
    /// Clocks that are off, drawn from each seed.
    RandomSkewFile lasting {
        /// How far, ahead or behind, drawn once.
        by: DurationRange,
    }
}
kind! {
    /// Clocks that run fast or slow, drawn from each seed.
    RandomDriftFile lasting {
        /// How much at most, fast or slow: `"5000ppm"`.
        by: Drift,
    }
}
kind! {
    /// Clocks that jump, drawn from each seed.
    RandomJumpFile {
        /// How far, ahead or behind.
        by: DurationRange,
    }
}
kind! {
    /// Clocks that stand still, drawn from each seed.
    RandomFreezeFile lasting {}
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
    /// Two halves, at random, and one process that hears both.
    Bridge,
    /// A ring, at random, in which each hears a majority and no two the same.
    RingOfMajorities,
}
