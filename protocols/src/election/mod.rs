//! Leader election: the process with the greatest id becomes the leader, and all learn it; or all
//! trust the same one eventually.

pub(crate) mod any_election;
mod bully;
mod chang_roberts;
mod omega;
mod omega_lower_epoch;
mod ring_election;

pub use bully::Bully;
pub use chang_roberts::ChangRoberts;
pub use omega::Omega;
pub use omega_lower_epoch::OmegaLowerEpoch;
pub use ring_election::RingElection;
