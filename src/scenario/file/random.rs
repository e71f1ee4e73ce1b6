//! How a scenario writes the faults that are drawn from each seed.

use ftsim_core::{Duration, DurationRange};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fault::BehaviourFile;
use super::value::{Count, Counts, Drift, Rate, Targets};

/// Faults drawn from each seed, never beyond a budget.
#[derive(Clone, Debug, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RandomFile {
    /// f: the maximum number of distinct faulty processes.
    pub max_faulty: Option<Count>,
    /// Crashes, each between two effects or at a time.
    pub crash: Option<RandomCrashFile>,
    /// Exceptions: crashes of which the others are notified.
    pub exception: Option<RandomCrashFile>,
    /// Late starts.
    pub start: Option<RandomStartFile>,
    /// Pauses.
    pub pause: Option<RandomPauseFile>,
    /// Processes that turn Byzantine.
    pub byzantine: Option<RandomByzantineFile>,
    /// Corruptions of the state of processes.
    pub state_corruption: Option<RandomStateCorruptionFile>,
    /// Partitions. Like all faults of links, they make no process faulty.
    pub partition: Option<RandomPartitionFile>,
    /// Loss on some links.
    pub loss: Option<RandomLossFile>,
    /// Duplication on some links.
    pub duplicate: Option<RandomDuplicateFile>,
    /// Longer delays on some links, each by a drawn time.
    pub delay: Option<RandomDelayFile>,
    /// Late messages on some links, which may exceed the bound, by one drawn time.
    pub late: Option<RandomLateFile>,
    /// Reordering on some links.
    pub reorder: Option<RandomReorderFile>,
    /// Replays of old messages on some links.
    pub replay: Option<RandomReplayFile>,
    /// Corruption of messages on some links.
    pub corrupt: Option<RandomCorruptFile>,
    /// Links with a low bandwidth.
    pub bandwidth: Option<RandomBandwidthFile>,
    /// Links on which messages are held back.
    pub clog: Option<RandomClogFile>,
    /// Send omissions.
    pub send_omission: Option<RandomSendOmissionFile>,
    /// Receive omissions.
    pub receive_omission: Option<RandomReceiveOmissionFile>,
    /// Slow processes.
    pub slow: Option<RandomSlowFile>,
    /// Disks whose syncs fail.
    pub sync_fails: Option<RandomSyncFailsFile>,
    /// Disks whose syncs take longer.
    pub slow_sync: Option<RandomSlowSyncFile>,
    /// Full disks.
    pub full: Option<RandomFullFile>,
    /// Corruptions of durable records.
    pub corrupt_record: Option<RandomCorruptRecordFile>,
    /// Losses of a disk.
    pub lose_disk: Option<RandomLoseDiskFile>,
    /// Disks that are rolled back to an older state.
    pub rollback: Option<RandomRollbackFile>,
    /// Clocks that are shifted for a while, ahead or behind.
    pub skew: Option<RandomSkewFile>,
    /// Clocks that run fast or slow for a while.
    pub drift: Option<RandomDriftFile>,
    /// Clocks that jump, ahead or behind.
    pub jump: Option<RandomJumpFile>,
    /// Clocks that stand still for a while.
    pub freeze: Option<RandomFreezeFile>,
    /// Whether each seed omits each kind with probability 1/2 and scales the others down.
    #[serde(skip_serializing_if = "super::is_default")]
    pub swarm: bool,
    /// Instead of drawing: each seed is run once for each point at which a process could crash.
    pub crash_points: Option<CrashPointsFile>,
    /// Of `crash_points`: the downtime. Default: permanent.
    pub recover_after: Option<Duration>,
}

impl RandomFile {
    /// The keys of kinds of faults.
    pub fn kinds() -> impl Iterator<Item = &'static str> {
        let others = ["max_faulty", "swarm", "crash_points", "recover_after"];
        super::keys::<Self>().iter().copied().filter(move |key| !others.contains(key))
    }
}

/// The crash points that are run.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CrashPointsFile {
    /// After every effect of every process.
    Every,
}

/// The settings that all kinds share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OccurrenceFile<'a> {
    /// The number of faults.
    pub count: Counts,
    /// The time within which they strike.
    pub between: DurationRange,
    /// The processes that they may strike.
    pub target: Option<&'a Targets>,
    /// The duration of each, for faults that last.
    pub duration: Option<DurationRange>,
}

/// A kind of fault that is drawn.
pub trait OccurrenceOf {
    /// The shared settings.
    fn occurrence(&self) -> OccurrenceFile<'_>;
}

/// The table of a kind: the shared keys, a duration if it is `lasting`, and its own keys.
macro_rules! kind {
    ($(#[$doc:meta])* $name:ident lasting { $($(#[$key_doc:meta])* $key:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// The number of faults.
            pub count: Counts,
            /// The time within which they begin.
            pub between: DurationRange,
            /// The duration of each.
            pub duration: DurationRange,
            /// The processes that they may strike. Default: all.
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
        #[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// The number of faults.
            pub count: Counts,
            /// The time within which they strike.
            pub between: DurationRange,
            /// The processes that they may strike. Default: all.
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
        /// The downtime. Default: permanent.
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
        /// Their behaviour. Default: `"random"`.
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
        /// The shape.
        shape: RandomShape,
    }
}
kind! {
    /// Loss drawn from each seed.
    RandomLossFile lasting {
        /// The probability that a message is lost.
        probability: f64,
    }
}
kind! {
    /// Duplication drawn from each seed.
    RandomDuplicateFile lasting {
        /// The probability that a message arrives twice.
        probability: f64,
    }
}
kind! {
    /// Longer delays drawn from each seed.
    RandomDelayFile lasting {
        /// The additional delay, drawn for each message.
        by: DurationRange,
    }
}
kind! {
    /// Late messages drawn from each seed.
    RandomLateFile lasting {
        /// The additional time, drawn once.
        by: DurationRange,
    }
}
kind! {
    /// Reordering drawn from each seed.
    RandomReorderFile lasting {
        /// The probability that a message is held back. Default: 1.
        probability: Option<f64>,
        /// The maximum time for which it is held back.
        within: Duration,
    }
}
kind! {
    /// Replays drawn from each seed.
    RandomReplayFile lasting {
        /// The probability that an old message is replayed with a new one.
        probability: f64,
    }
}
kind! {
    /// Corruption on links drawn from each seed.
    RandomCorruptFile lasting {
        /// The probability that the content of a message is changed.
        probability: f64,
    }
}
kind! {
    /// Narrow links drawn from each seed.
    RandomBandwidthFile lasting {
        /// The bandwidth of each of these links.
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
        /// The probability that a message is not sent. Default: 1.
        probability: Option<f64>,
    }
}
kind! {
    /// Receive omissions drawn from each seed.
    RandomReceiveOmissionFile lasting {
        /// The probability that a message is not received. Default: 1.
        probability: Option<f64>,
    }
}
kind! {
    /// Slow processes drawn from each seed.
    RandomSlowFile lasting {
        /// The factor by which their timers and messages take longer, 1 to 1,000.
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
        /// The additional time, drawn once.
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
    /// Rollbacks of disks drawn from each seed.
    RandomRollbackFile {
        /// The number of newest durable records that are lost.
        records: Count,
    }
}
kind! {
    /// Shifted clocks drawn from each seed.
    RandomSkewFile lasting {
        /// How far they are ahead or behind, drawn once.
        by: DurationRange,
    }
}
kind! {
    /// Clocks that run fast or slow, drawn from each seed.
    RandomDriftFile lasting {
        /// The maximum drift, fast or slow: `"5000ppm"`.
        by: Drift,
    }
}
kind! {
    /// Clocks that jump, drawn from each seed.
    RandomJumpFile {
        /// How far they jump, ahead or behind.
        by: DurationRange,
    }
}
kind! {
    /// Clocks that stand still, drawn from each seed.
    RandomFreezeFile lasting {}
}

/// The shape of a partition that is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RandomShape {
    /// Two halves, at random.
    Halves,
    /// One process and all others.
    Isolate,
    /// One process whose messages do not reach the others, while theirs reach it.
    OneWay,
    /// Two halves, at random, and one process that communicates with both.
    Bridge,
    /// A ring, at random, in which each process communicates with a majority, and no two with the
    /// same one.
    RingOfMajorities,
}
