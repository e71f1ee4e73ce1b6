//! Replication: several servers, one service.

mod primary_backup;

pub use primary_backup::PrimaryBackup;
