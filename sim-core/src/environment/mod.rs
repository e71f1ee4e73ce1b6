//! What surrounds processes: links, clocks, disks, failure detectors, transports; what a scenario
//! says of them, and how they behave.

pub mod clock;
pub mod delay;
pub mod detector;
mod link;
pub mod liveness;
pub(crate) mod mask;
pub mod message_rule;
pub mod network;
pub mod request_override;
pub mod storage;
pub mod transport;
