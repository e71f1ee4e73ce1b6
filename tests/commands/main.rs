//! The commands, as somebody types them.

mod branch;
mod check_history;
mod ci;
mod classify;
mod command_line;
mod compare;
mod drawings;
mod explore;
mod explore_resume;
mod explore_table;
mod hostile;
mod kill;
mod lanes;
mod notes;
mod numbers;
mod pages;
mod record;
mod reports;
mod results;
mod skeletons;
mod strategies;
mod stress;
mod textbook;

#[path = "../shipped/mod.rs"]
#[expect(dead_code, reason = "other tests need the rest of it")]
mod shipped;
