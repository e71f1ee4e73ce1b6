//! Atomic commitment: a transaction takes effect everywhere or nowhere.

mod item;
mod two_phase;

pub use two_phase::TwoPhaseCommit;
