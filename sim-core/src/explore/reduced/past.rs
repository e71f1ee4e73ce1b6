//! Which steps of a run happened before which.

use crate::explore::budget::STEP_COUNT_MAX;

/// A set of steps of a run.
#[derive(Clone, Copy, Default)]
pub(super) struct Past([u64; STEP_COUNT_MAX as usize / 64]);

impl Past {
    pub const fn contains(&self, step: usize) -> bool {
        self.0[step / 64] >> (step % 64) & 1 == 1
    }
    pub const fn insert(&mut self, step: usize) {
        self.0[step / 64] |= 1 << (step % 64);
    }
    pub fn extend(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(word, more)| *word |= more);
    }
    /// Whether a step from `first` on is in both.
    pub fn meets(&self, other: &Self, first: usize) -> bool {
        let (word, bit) = (first / 64, first % 64);
        let from = |index: usize| match index {
            _ if index < word => 0,
            _ if index == word => !0 << bit,
            _ => !0,
        };
        self.0.iter().zip(other.0).enumerate().any(|(k, (a, b))| a & b & from(k) != 0)
    }
}
