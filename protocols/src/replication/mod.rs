//! Replication: several servers that provide one service.

mod abd;
mod primary_backup;
mod raft;
mod state_transfer;

pub use abd::Abd;
pub use primary_backup::PrimaryBackup;
pub use raft::Raft;
pub use state_transfer::StateTransfer;
