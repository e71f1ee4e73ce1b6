//! Problems: one file each.

pub mod broadcast;
#[cfg(test)]
mod history;
