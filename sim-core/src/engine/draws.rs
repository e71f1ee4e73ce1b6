//! What the engine draws from: a stream for each purpose, all of one seed.

use crate::rng::{Rng, Stream};

/// The streams of one run that belong to no single process.
#[derive(Clone, Debug)]
pub(crate) struct Draws {
    /// Delay, loss and duplication.
    pub network: Rng,
    /// What conditions do to messages.
    pub conditions: Rng,
    /// Latency of the disks, and what a crash leaves on them.
    pub storage: Rng,
    /// The clients' requests.
    pub workload: Rng,
    /// How the state of processes is corrupted.
    pub state: Rng,
    /// Delays of the failure detector.
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
