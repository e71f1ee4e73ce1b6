//! Fair liveness: when faults end, and for whom, so that what is owed can be asked for.

use std::fmt;

use crate::time::Instant;

/// How a run becomes one in which something good can be expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liveness {
    /// What becomes well.
    pub mode: LivenessMode,
    /// When. No fault strikes from then on.
    pub at: Instant,
}

/// What becomes well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LivenessMode {
    /// Everything, and the network is synchronous from then on (Dwork, Lynch and Stockmeyer 1988).
    Gst,
    /// Everything. The links lose nothing any more, and take as long as they did.
    HealAll,
    /// As many processes, drawn from the seed, as the protocol needs, and the links among them,
    /// which are synchronous. Everything else stays as it is, for good.
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
