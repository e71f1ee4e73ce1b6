//! The classes of faults.

use std::fmt;

use clap::ValueEnum;
use ftsim_core::{DetectorClass, Entry, FaultClass, Model};
use serde::{Deserialize, Serialize};

/// A class of faults, in the words of the scenario language.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// No fault at all
    None,
    /// Processes stop for good, between two effects or at a time
    Crash,
    /// The same, and all others are notified
    Exception,
    /// Processes stop, lose what is not synced, and recover
    CrashRecovery,
    /// Processes stop, lose all that is on their disks, and recover
    Amnesia,
    /// Processes take no step for a while
    Pause,
    /// Processes omit to send or to receive for a while
    Omission,
    /// Processes are slow, or their messages late, for a while
    Timing,
    /// Processes send wrong values, the same to everybody
    WrongValue,
    /// Processes lie as they like
    Byzantine,
    /// Bits flip in the states of processes
    StateCorruption,
    /// Clocks jump, drift, stand still, or are wrong for a while
    Clocks,
    /// Disks are slow, full, fail, or lose what they had before a recovery
    Disks,
    /// Links lose messages for a while
    Loss,
    /// Links duplicate messages or replay old ones for a while
    Duplication,
    /// Messages overtake each other for a while
    Reordering,
    /// Messages exceed the bound on delays for a while
    Late,
    /// Links change the content of messages for a while
    Corruption,
    /// The network is cut for a while
    Partition,
    /// The detector suspects processes that are up for a while
    Suspicions,
}

impl Class {
    /// The name in commands and results.
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether the faults make processes faulty, so that their number counts.
    pub const fn is_of_processes(self) -> bool {
        !matches!(
            self,
            Self::None
                | Self::Loss
                | Self::Duplication
                | Self::Reordering
                | Self::Late
                | Self::Corruption
                | Self::Partition
                | Self::Suspicions
        )
    }

    /// Whether processes that are up can fall silent, which a detector without an oracle takes for
    /// a crash.
    pub const fn silences(self) -> bool {
        matches!(
            self,
            Self::Pause
                | Self::Omission
                | Self::Timing
                | Self::Clocks
                | Self::Loss
                | Self::Late
                | Self::Partition
        )
    }

    /// The reason why no such fault can strike this protocol, if none can.
    pub fn is_foreign_to(self, entry: &Entry, model: &Model) -> Option<&'static str> {
        let recovers = model.faults == FaultClass::CrashRecovery;
        match self {
            Self::CrashRecovery | Self::Amnesia | Self::Disks if !recovers => {
                Some("its processes do not recover")
            }
            Self::StateCorruption if !entry.has_corruptible_state => {
                Some("it defines no corruption of its state")
            }
            Self::Suspicions if model.detector == DetectorClass::None => {
                Some("it asks no failure detector")
            }
            _ => None,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name())
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::Class;

    #[test]
    fn a_class_has_one_name() {
        for class in Class::value_variants() {
            let json = serde_json::to_value(class).expect("plain data");
            assert_eq!(json, class.to_string());
        }
        assert_eq!(Class::CrashRecovery.to_string(), "crash-recovery");
    }
}
