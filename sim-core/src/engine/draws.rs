//! The engine's streams of randomness: one per purpose, all from one seed.

use crate::rng::{Rng, Stream};

/// The streams of one run that do not belong to a single process.
#[derive(Clone, Debug)]
pub(crate) struct Draws {
    /// Delay, loss and duplication.
    pub network: Rng,
    /// The effects of conditions on messages.
    pub conditions: Rng,
    /// The latency of disks, and the effects of crashes on them.
    pub storage: Rng,
    /// The clients' requests.
    pub workload: Rng,
    /// The corruption of processes' states.
    pub state: Rng,
    /// The delays of the failure detector.
    pub detector: Rng,
}

impl Draws {
    pub fn of(seed: u64) -> Self {
        let stream = |stream| Rng::new(seed, stream);
        Self {
            network: stream(Stream::Network),
            conditions: stream(Stream::ActiveConditions),
            storage: stream(Stream::Storage),
            workload: stream(Stream::Workload),
            state: stream(Stream::StateCorruption),
            detector: stream(Stream::Detector),
        }
    }
}
