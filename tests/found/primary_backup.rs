//! Defects of primary-backup.
