//! The world that a protocol is correct in.

use crate::fault::Action;
use crate::fault::condition::Condition;
use crate::id::ProcessId;
use crate::model::bound::Bound;

/// The world that a protocol is correct in.
///
/// Written as a sentence: `Model::ASYNCHRONOUS.crash_stop(Bound::MINORITY)`. What it does not
/// mention is the best case: processes do not fail, links are reliable, no detector is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// What it knows of time.
    pub timing: Timing,
    /// How processes may fail.
    pub faults: FaultClass,
    /// How many may.
    pub bound: Bound,
    /// What links must guarantee.
    pub links: Links,
    /// The failure detector that it needs.
    pub detector: DetectorClass,
}

impl Model {
    /// Delays have no bound.
    pub const ASYNCHRONOUS: Self = Self::of(Timing::Asynchronous);
    /// Delays have a bound from some unknown time on.
    pub const PARTIALLY_SYNCHRONOUS: Self = Self::of(Timing::PartiallySynchronous);
    /// Delays have a known bound.
    pub const SYNCHRONOUS: Self = Self::of(Timing::Synchronous);

    const fn of(timing: Timing) -> Self {
        Self {
            timing,
            faults: FaultClass::None,
            bound: Bound::NONE,
            links: Links::Reliable,
            detector: DetectorClass::None,
        }
    }

    /// So many processes may crash for good.
    #[must_use]
    pub const fn crash_stop(self, bound: Bound) -> Self {
        Self { faults: FaultClass::CrashStop, bound, ..self }
    }

    /// So many processes may crash, and start again from their stable logs.
    #[must_use]
    pub const fn crash_recovery(self, bound: Bound) -> Self {
        Self { faults: FaultClass::CrashRecovery, bound, ..self }
    }

    /// So many processes may do anything.
    #[must_use]
    pub const fn byzantine(self, bound: Bound) -> Self {
        Self { faults: FaultClass::Byzantine, bound, ..self }
    }

    /// Links give no more than this.
    #[must_use]
    pub const fn over(self, links: Links) -> Self {
        Self { links, ..self }
    }

    /// The process that this fault makes faulty, as the class of faults defines it: one that
    /// recovers is correct under crash-recovery, and without a bound on time nobody can be late.
    pub fn made_faulty_by(&self, action: &Action) -> Option<ProcessId> {
        let is_slow_or_late = match action {
            Action::Pause { resume_after: Some(_), .. } => true,
            Action::Start(_) | Action::Resume { .. } | Action::Jump(..) => true,
            Action::Begin(condition, _) => {
                condition.clock().is_some()
                    || matches!(condition, Condition::Slow(..) | Condition::SlowSync(..))
            }
            _ => false,
        };
        match action {
            Action::Crash(_, crash) if self.faults == FaultClass::CrashRecovery => {
                action.process().filter(|_| crash.recover_after.is_none())
            }
            Action::IfLeads(_, action) => self.made_faulty_by(action),
            _ if is_slow_or_late && self.timing == Timing::Asynchronous => None,
            _ => action.process(),
        }
    }

    /// Processes have a detector of this class.
    #[must_use]
    pub const fn with(self, detector: DetectorClass) -> Self {
        Self { detector, ..self }
    }
}

/// Timing models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// Delays have a known bound.
    Synchronous,
    /// They have from some unknown time on.
    PartiallySynchronous,
    /// They have none.
    Asynchronous,
}

impl Timing {
    /// As the literature writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Synchronous => "synchronous",
            Self::PartiallySynchronous => "partially synchronous",
            Self::Asynchronous => "asynchronous",
        }
    }
}

/// Classes of process fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultClass {
    /// Processes do not fail.
    None,
    /// A process stops for good. Correct: never crashes in this run.
    CrashStop,
    /// A process may start again from its stable log. Correct: up at the end of the run.
    CrashRecovery,
    /// A process may do anything. Correct: never given to the adversary.
    Byzantine,
}

impl FaultClass {
    /// As the literature writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::CrashStop => "crash-stop",
            Self::CrashRecovery => "crash-recovery",
            Self::Byzantine => "Byzantine",
        }
    }
}

/// What links guarantee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// Messages may be lost, but not all of those sent again and again, and doubled, but each
    /// finitely often (Basu, Charron-Bost and Toueg 1996).
    FairLoss,
    /// Between correct processes every message arrives once.
    Reliable,
    /// And in the order of sending.
    ReliableFifo,
}

impl Links {
    /// As the literature writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FairLoss => "fair-loss",
            Self::Reliable => "reliable",
            Self::ReliableFifo => "reliable, fifo",
        }
    }
}

/// Classes of failure detector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DetectorClass {
    /// None is needed.
    None,
    /// P: suspects every crashed process in the end, and no other ever.
    Perfect,
}

impl DetectorClass {
    /// As the literature writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Perfect => "perfect",
        }
    }
}
