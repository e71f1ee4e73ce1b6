//! What a run shows of itself to whoever watches it from another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::id::ProcessId;

/// Bits of a step that are shown beside its process; a run has at most 10^9 steps.
const STEP_BITS: u32 = 40;
const STEP_MASK: u64 = (1 << STEP_BITS) - 1;

/// Shows which step a run is in, and can end the run between two steps.
///
/// Nothing in a run depends on it unless it is asked to stop.
#[derive(Clone, Debug, Default)]
pub struct Beacon(Arc<Signals>);

#[derive(Debug, Default)]
struct Signals {
    /// The process in the upper bits, the step in the lower [`STEP_BITS`].
    step: AtomicU64,
    stop: AtomicBool,
}

impl Beacon {
    /// The step that the run is in, and the process that takes it; step 0 before the first one.
    pub fn step(&self) -> (u64, ProcessId) {
        let shown = self.0.step.load(Ordering::Relaxed);
        let process = u32::try_from(shown >> STEP_BITS).expect("24 bits are left");
        (shown & STEP_MASK, ProcessId(process))
    }

    /// Asks the run to end. It looks from time to time, and never inside a handler.
    pub fn stop(&self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }

    /// Makes it ready for the next run.
    pub fn reset(&self) {
        self.0.step.store(0, Ordering::Relaxed);
        self.0.stop.store(false, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn show(&self, step: u64, process: ProcessId) {
        self.0.step.store(u64::from(process.0) << STEP_BITS | step, Ordering::Relaxed);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.0.stop.load(Ordering::Relaxed)
    }
}
