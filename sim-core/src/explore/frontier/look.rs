//! What a strategy that learns sees of a state.

use super::Frontier;
use crate::digest::Digest;
use crate::id::ProcessId;

impl Frontier {
    /// The state of this process and whether it is up, whatever it has drawn and done before.
    pub(in crate::explore) fn class_of(&self, p: ProcessId) -> Digest {
        self.runner.stepper_ref().class_of(p)
    }

    /// The labels reached so far, in the order in which they were first reached.
    pub(in crate::explore) fn reached(&self) -> &[&'static str] {
        &self.runner.world_ref().reached
    }
}
