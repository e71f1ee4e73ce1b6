//! The assumptions of a model, each of which can be broken alone.

use std::fmt;

use ftsim_core::{DetectorClass, FaultClass, Links, Model, Setting, Timing};

/// One assumption of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assumption {
    /// No more processes are faulty than the protocol tolerates.
    Bound,
    /// Faulty processes only stop: they do nothing else that is wrong.
    NoLies,
    /// Synced data survives a crash.
    Disk,
    /// No message takes longer than the bound.
    Delay,
    /// No message is lost.
    NoLoss,
    /// No message arrives twice.
    NoDuplicates,
    /// Messages of a link arrive in the order of sending.
    Order,
    /// The detector suspects no process that is up.
    Accuracy,
    /// The detector reports every crash to every process.
    Completeness,
}

impl Assumption {
    const ALL: [Self; 9] = [
        Self::Bound,
        Self::NoLies,
        Self::Disk,
        Self::Delay,
        Self::NoLoss,
        Self::NoDuplicates,
        Self::Order,
        Self::Accuracy,
        Self::Completeness,
    ];

    fn is_made_by(self, model: &Model, setting: &Setting) -> bool {
        let reliable = model.links != Links::FairLoss;
        match self {
            Self::Bound => {
                let is_none = model.faults == FaultClass::None;
                is_none || model.bound.max(setting).is_some_and(|max| max + 1 < setting.n)
            }
            Self::NoLies => model.faults != FaultClass::Byzantine,
            Self::Disk => model.faults == FaultClass::CrashRecovery,
            Self::Delay => model.timing == Timing::Synchronous,
            Self::NoLoss | Self::NoDuplicates => reliable,
            Self::Order => model.links == Links::ReliableFifo,
            Self::Accuracy => model.detector == DetectorClass::Perfect,
            Self::Completeness => model.detector != DetectorClass::None,
        }
    }
}

impl fmt::Display for Assumption {
    /// Names what breaks the assumption.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Bound => "too many faults",
            Self::NoLies => "a liar",
            Self::Disk => "disks that forget",
            Self::Delay => "late messages",
            Self::NoLoss => "lost messages",
            Self::NoDuplicates => "duplicated messages",
            Self::Order => "messages out of order",
            Self::Accuracy => "wrong suspicions",
            Self::Completeness => "no suspicions",
        })
    }
}

/// The assumptions of a model that a scenario with this setting can break.
pub fn breakable(model: &Model, setting: &Setting) -> impl Iterator<Item = Assumption> {
    Assumption::ALL.into_iter().filter(move |assumption| assumption.is_made_by(model, setting))
}
