//! Atomic commitment: a transaction takes effect everywhere or nowhere.

mod item;
mod storage_server;
mod two_phase;

pub use storage_server::StorageServer;
pub use two_phase::TwoPhaseCommit;
