//! What a model takes for granted, piece by piece, so that one piece can be broken.

use std::fmt;

use ftsim_core::{DetectorClass, FaultClass, Links, Model, Setting, Timing};

/// One assumption of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assumption {
    /// No more processes are faulty than the protocol bears.
    Bound,
    /// Processes that stop do nothing else that is wrong.
    NoLies,
    /// What is synced is there after a crash.
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
    /// The detector tells everybody of every crash.
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
            Self::Accuracy | Self::Completeness => model.detector == DetectorClass::Perfect,
        }
    }
}

impl fmt::Display for Assumption {
    /// What breaks it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Bound => "too many faults",
            Self::NoLies => "a liar",
            Self::Disk => "disks that forget",
            Self::Delay => "late messages",
            Self::NoLoss => "lost messages",
            Self::NoDuplicates => "doubled messages",
            Self::Order => "messages out of order",
            Self::Accuracy => "wrong suspicions",
            Self::Completeness => "no suspicions",
        })
    }
}

/// The assumptions of a model that a scenario can break, with so many processes.
pub fn breakable(model: &Model, setting: &Setting) -> impl Iterator<Item = Assumption> {
    Assumption::ALL.into_iter().filter(move |assumption| assumption.is_made_by(model, setting))
}
