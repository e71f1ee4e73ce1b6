//! The protocols.

pub mod abd;
pub mod paxos;
pub mod quorum_abd;
pub mod register;
pub mod two_phase;
