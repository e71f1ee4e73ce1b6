//! The world that a protocol is correct in.

/// The world that a protocol is correct in.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    /// What it knows of time.
    pub timing: Timing,
    /// How processes may fail.
    pub faults: FaultClass,
    /// How many may, as the literature writes it: `f < n/2`.
    pub bound: &'static str,
    /// What links must guarantee.
    pub links: Links,
    /// The failure detector that it needs.
    pub detector: DetectorClass,
    /// Where it comes from: author and year, comma, title.
    pub literature: &'static str,
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

/// Classes of failure detector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DetectorClass {
    /// None is needed.
    None,
    /// P: suspects every crashed process in the end, and no other ever.
    Perfect,
}
