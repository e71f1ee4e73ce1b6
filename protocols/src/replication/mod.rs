//! Replication: several servers that provide one service.

mod abd;
mod primary_backup;
mod state_transfer;

pub use abd::Abd;
pub use primary_backup::PrimaryBackup;
pub use state_transfer::StateTransfer;
