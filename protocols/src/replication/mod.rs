//! Replication: several servers that provide one service.

mod primary_backup;

pub use primary_backup::PrimaryBackup;
