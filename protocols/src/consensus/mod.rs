//! Consensus with crashes.

mod all_to_all_consensus;
mod flooding_consensus;
mod floodset;

pub use all_to_all_consensus::AllToAllConsensus;
pub use flooding_consensus::FloodingConsensus;
pub use floodset::FloodSet;
