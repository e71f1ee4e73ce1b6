//! The command line of ftsim, as a library: bring your own protocols and get all of it.
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     ftsim::main(ftsim::Catalogue::builtin())
//! }
//! ```
//!
//! Reading order: [`scenario::file`] is a file word for word, [`scenario`] what it means; [`run`]
//! runs a seed, [`sweep`] many of them, and [`sweep::judge`] compares with what was expected;
//! `commands` is the program's table of contents.

pub mod audit;
pub mod cli;
mod commands;
pub mod files;
pub mod prelude;
pub mod run;
pub mod scenario;
pub mod shrink;
pub mod stress;
pub mod sweep;

pub use commands::{main, main_with};
pub use ftsim_protocols::{Catalogue, spec};
