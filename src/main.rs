//! The `ftsim` binary.
fn main() {}
