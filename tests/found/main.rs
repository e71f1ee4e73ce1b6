//! Guards what was once wrong: each test is a defect that somebody found, and fails without its
//! fix.

mod audit;
mod checkers;
mod command_line;
mod commit_and_broadcast;
mod engine;
mod primary_backup;
mod results;
#[path = "../shipped/mod.rs"]
mod shipped;
mod terminal;
