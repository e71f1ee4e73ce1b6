//! Fair liveness: when faults end, and for which processes, so that obligations can be enforced.

use std::fmt;

use crate::time::Instant;

/// The time and the scope of the end of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liveness {
    /// The part of the system that becomes well.
    pub mode: LivenessMode,
    /// The time from which on no fault strikes.
    pub at: Instant,
}

/// The parts of the system that can become well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LivenessMode {
    /// Everything, and the network is synchronous from then on (Dwork, Lynch and Stockmeyer 1988).
    Gst,
    /// Everything. The links no longer lose messages; their delays are unchanged.
    HealAll,
    /// As many processes, drawn from the seed, as the protocol needs, and the links among them,
    /// which become synchronous. Everything else remains as it is permanently.
    Core,
}

impl fmt::Display for LivenessMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gst => "all is well and the network is synchronous",
            Self::HealAll => "all is well",
            Self::Core => "a core is well and all else stays as it is",
        })
    }
}
