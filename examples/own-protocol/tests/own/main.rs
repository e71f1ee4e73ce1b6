//! The tests of this crate: its numbers, its checkers, and its scenarios.

mod numbers;
mod scenarios;
mod skeleton;
