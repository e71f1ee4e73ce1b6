//! The failure-detector oracle: it knows who is down, and tells with a delay.

use crate::id::ProcessId;
use crate::time::{DurationRange, Instant};

/// What the oracle tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DetectorConfig {
    /// Which detector.
    pub kind: DetectorKind,
    /// How long after a crash (or a recovery) each process hears of it.
    pub delay: DurationRange,
    /// Wrong suspicions: where there are any, the detector is not accurate.
    pub mistakes: Vec<Mistake>,
    /// Pairs (observer, subject): the observer is never told of the subject's crash. Where there are any,
    /// the detector is not complete.
    pub blind: Vec<(ProcessId, ProcessId)>,
}

/// Which detector the oracle is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DetectorKind {
    /// There is none.
    #[default]
    None,
    /// P: every crash is told to everybody in the end, and nothing else is (but for `mistakes`).
    Perfect,
}

/// One wrong suspicion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Who is told wrongly.
    pub observer: ProcessId,
    /// Who is suspected.
    pub suspects: ProcessId,
    /// When.
    pub at: Instant,
    /// When it is taken back; never, if `None`.
    pub until: Option<Instant>,
}
