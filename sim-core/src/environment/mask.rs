//! Requests that are not made: what leaves clients alive and takes single operations out of a run.

use std::fmt;

use crate::id::ProcessId;

/// One request of a client that no process hears of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mask {
    /// For whom it is.
    pub process: ProcessId,
    /// Which of the requests for that process, counted from 1; those that are masked count too.
    pub request: u64,
}

impl fmt::Display for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request {} for {}", self.request, self.process)
    }
}
