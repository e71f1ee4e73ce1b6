//! System models.

use crate::model::bound::Bound;

/// A system model, in which a protocol is correct.
///
/// Written as a sentence: `Model::ASYNCHRONOUS.crash_stop(Bound::MINORITY)`. Defaults are the best
/// case: processes do not fail, links are reliable, no detector is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// The timing assumption.
    pub timing: Timing,
    /// How processes may fail.
    pub faults: FaultClass,
    /// How many processes may fail.
    pub bound: Bound,
    /// The guarantees of links.
    pub links: Links,
    /// The failure detector that it needs.
    pub detector: DetectorClass,
    /// How much a clock may gain or lose, in parts per million, where timing is synchronous: a
    /// timeout that is derived from the bound on delays is right only by a clock that runs right.
    pub drift_ppm: u32,
}

impl Model {
    /// Delays are unbounded.
    pub const ASYNCHRONOUS: Self = Self::of(Timing::Asynchronous);
    /// Delays are bounded from some unknown time on.
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
            drift_ppm: 0,
        }
    }

    /// This many processes may crash permanently.
    #[must_use]
    pub const fn crash_stop(self, bound: Bound) -> Self {
        Self { faults: FaultClass::CrashStop, bound, ..self }
    }

    /// This many processes may crash and restart from their stable logs.
    #[must_use]
    pub const fn crash_recovery(self, bound: Bound) -> Self {
        Self { faults: FaultClass::CrashRecovery, bound, ..self }
    }

    /// This many processes may be Byzantine.
    #[must_use]
    pub const fn byzantine(self, bound: Bound) -> Self {
        Self { faults: FaultClass::Byzantine, bound, ..self }
    }

    /// Links guarantee only this.
    #[must_use]
    pub const fn over(self, links: Links) -> Self {
        Self { links, ..self }
    }

    /// Clocks may gain or lose this many parts per million.
    #[must_use]
    pub const fn drifting(self, ppm: u32) -> Self {
        Self { drift_ppm: ppm, ..self }
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
    /// Delays are bounded from some unknown time on.
    PartiallySynchronous,
    /// Delays are unbounded.
    Asynchronous,
}

impl Timing {
    /// The name in the literature.
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
    /// A process may stop permanently. Correct: never crashes in this run.
    CrashStop,
    /// A process may restart from its stable log. Correct: up at the end of the run.
    CrashRecovery,
    /// A process may do anything. Correct: never controlled by the adversary.
    Byzantine,
}

impl FaultClass {
    /// The name in the literature.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::CrashStop => "crash-stop",
            Self::CrashRecovery => "crash-recovery",
            Self::Byzantine => "Byzantine",
        }
    }
}

/// Guarantees of links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// Messages may be lost, but not all retransmissions of one, and duplicated, but each only
    /// finitely often (Basu, Charron-Bost and Toueg 1996).
    FairLoss,
    /// Between correct processes every message arrives exactly once.
    Reliable,
    /// Also in the order of sending.
    ReliableFifo,
}

impl Links {
    /// The name in the literature.
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
    /// P: eventually suspects every crashed process, and never suspects another.
    Perfect,
    /// ◇P: eventually suspects exactly the crashed processes.
    EventuallyPerfect,
}

impl DetectorClass {
    /// The name in the literature.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Perfect => "perfect",
            Self::EventuallyPerfect => "eventually perfect",
        }
    }
}
