//! Problems: one file each.

pub mod atomic_commit;
pub mod broadcast;
pub mod consensus;
#[cfg(test)]
mod history;
pub mod one_copy;
pub mod primary_backup;
pub mod service;
pub mod snapshot;
