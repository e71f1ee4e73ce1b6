//! Consensus under crashes.

mod all_to_all_consensus;
pub(crate) mod any_consensus;
mod flooding_consensus;
mod floodset;
mod hierarchical_consensus;

pub use all_to_all_consensus::AllToAllConsensus;
pub use flooding_consensus::FloodingConsensus;
pub use floodset::FloodSet;
pub use hierarchical_consensus::HierarchicalConsensus;
