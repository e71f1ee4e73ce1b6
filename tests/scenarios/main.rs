//! What the shipped scenarios come to, seed by seed.

mod byzantine;
mod contents;
mod determinism;
mod expectations;
mod fault_error_failure;
mod golden;
mod one_partition;
mod pairs;
mod slow_or_dead;
mod statistics;
mod three_failures;

#[path = "../shipped/mod.rs"]
mod shipped;
