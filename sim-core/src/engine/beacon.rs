//! Publishes the progress of a run to a watching thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::id::ProcessId;

/// The number of bits for the step, beside the process; a run has at most 10^9 steps.
const STEP_BITS: u32 = 40;
const STEP_MASK: u64 = (1 << STEP_BITS) - 1;

/// Publishes the current step of a run, and can end the run between two steps.
///
/// It does not affect a run unless it is asked to stop.
#[derive(Clone, Debug, Default)]
pub struct Beacon(Arc<Signals>);

#[derive(Debug, Default)]
struct Signals {
    /// The process in the upper bits, the step in the lower [`STEP_BITS`].
    step: AtomicU64,
    stop: AtomicBool,
}

impl Beacon {
    /// The current step of the run and its process; step 0 before the first one.
    pub fn step(&self) -> (u64, ProcessId) {
        let shown = self.0.step.load(Ordering::Relaxed);
        let process = u32::try_from(shown >> STEP_BITS).expect("24 bits are left");
        (shown & STEP_MASK, ProcessId(process))
    }

    /// Asks the run to end. The run checks this from time to time, but never inside a handler.
    pub fn stop(&self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }

    /// Prepares for the next run.
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
