//! Atomic commitment: a transaction takes effect everywhere or nowhere.

mod item;
mod paxos_commit;
mod storage_server;
mod three_phase;
mod two_phase;

pub use paxos_commit::PaxosCommit;
pub use storage_server::StorageServer;
pub use three_phase::ThreePhaseCommit;
pub use two_phase::TwoPhaseCommit;
