//! The parts of ftsim that its commands are made of.

mod explain;
mod kinds;
mod lineage;
mod not_deterministic;
mod pictures;
mod readme;
mod repros;
mod rooms;
mod shrinking;
mod stress;
mod sweep;
mod tidy;

#[path = "../../sim-core/tests/explore/brute.rs"]
mod brute;
#[path = "../shipped/mod.rs"]
mod shipped;
