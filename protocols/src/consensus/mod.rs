//! Consensus under crashes.

mod all_to_all_consensus;
pub(crate) mod any_consensus;
pub(crate) mod ben_or;
mod chandra_toueg;
mod flooding_consensus;
mod flooding_uniform;
mod floodset;
mod hierarchical_consensus;
mod hierarchical_uniform;
mod paxos;

pub use all_to_all_consensus::AllToAllConsensus;
pub use ben_or::BenOr;
pub use chandra_toueg::ChandraToueg;
pub use flooding_consensus::FloodingConsensus;
pub use flooding_uniform::FloodingUniform;
pub use floodset::FloodSet;
pub use hierarchical_consensus::HierarchicalConsensus;
pub use hierarchical_uniform::HierarchicalUniform;
pub use paxos::Paxos;
