//! Problems: one file each.

pub mod broadcast;
pub mod consensus;
#[cfg(test)]
mod history;
