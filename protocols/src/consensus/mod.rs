//! Consensus under crashes.

mod all_to_all_consensus;
pub(crate) mod any_consensus;
pub(crate) mod ben_or;
mod flooding_consensus;
mod floodset;
mod hierarchical_consensus;
mod paxos;

pub use all_to_all_consensus::AllToAllConsensus;
pub use ben_or::BenOr;
pub use flooding_consensus::FloodingConsensus;
pub use floodset::FloodSet;
pub use hierarchical_consensus::HierarchicalConsensus;
pub use paxos::Paxos;
