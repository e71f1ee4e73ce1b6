//! The parts of ftsim that its commands are made of.

mod explain;
mod kinds;
mod not_deterministic;
mod repros;
mod rooms;
mod shrinking;
mod sweep;
mod tidy;

#[path = "../shipped/mod.rs"]
mod shipped;
