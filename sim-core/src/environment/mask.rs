//! Masked requests: a way to remove single operations from a run without changing its clients.

use std::fmt;

use crate::id::ProcessId;

/// A client's request that does not reach its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mask {
    /// The process that would receive it.
    pub process: ProcessId,
    /// The number of the request to that process, counted from 1, including masked ones.
    pub request: u64,
}

impl fmt::Display for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request {} for {}", self.request, self.process)
    }
}
