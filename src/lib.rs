//! The command line of ftsim as a library, which accepts your own protocols.
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     ftsim::main(ftsim::Catalogue::builtin())
//! }
//! ```
//!
//! Reading order: [`scenario::file`] is a file as it is written, [`scenario`] the checked result;
//! [`run`] runs one seed, [`sweep`] many, and [`sweep::judge`] compares them with the expectation;
//! `commands` lists the commands.

pub mod audit;
pub mod branch;
pub mod classify;
pub mod cli;
mod commands;
pub mod compare;
pub mod explore;
pub mod files;
mod history;
mod journal;
pub mod prelude;
pub mod run;
pub mod scenario;
pub mod shrink;
pub mod stress;
pub mod sweep;

pub use commands::{main, main_with};
pub use ftsim_core::bench;
pub use ftsim_protocols::{Catalogue, parts, spec};
