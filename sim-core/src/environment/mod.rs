//! The environment of the processes, as configuration and as behaviour: links, clocks, disks,
//! failure detectors, transports.

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
