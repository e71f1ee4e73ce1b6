//! Replication: several servers that provide one service.

mod abd;
mod chain_replication;
mod ha_nfs;
mod leader_client;
mod multi_paxos;
mod naive_replication;
mod primary_backup;
mod raft;
mod smr;
mod state_transfer;
mod vr;
mod weighted_voting;

pub use abd::Abd;
pub use chain_replication::ChainReplication;
pub use ha_nfs::HaNfs;
pub use multi_paxos::MultiPaxos;
pub use naive_replication::NaiveReplication;
pub use primary_backup::PrimaryBackup;
pub use raft::Raft;
pub use smr::Smr;
pub use state_transfer::StateTransfer;
pub use vr::Vr;
pub use weighted_voting::WeightedVoting;
