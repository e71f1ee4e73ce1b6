//! The command line of ftsim, as a library: bring your own protocols and get all of it.
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     ftsim::main(ftsim::Catalogue::builtin())
//! }
//! ```
//!
//! Reading order: [`scenario_file`] is a file word for word, [`scenario`] what it means; [`sweep`]
//! runs seeds, [`judge`] compares with what was expected; [`cli`] is the program's table of
//! contents.

pub mod audit;
pub mod audited_run;
mod ci;
pub mod cli;
pub mod crash_point;
mod describe;
pub mod diagnostic;
mod diff;
pub mod divergence;
mod explain;
pub mod failing_run;
pub mod figures;
mod interrupt;
pub mod judge;
pub mod marks;
mod merge;
pub mod necessity;
mod one_run;
pub mod plan_file;
mod progress;
mod record;
mod record_file;
mod regression;
mod replay;
pub mod repro;
pub mod results;
mod run;
mod run_report;
pub mod scenario;
pub mod scenario_file;
pub mod schema;
mod screen;
mod seeds;
mod sent;
pub mod shard;
mod show;
pub mod shrink;
mod shrink_command;
pub mod source;
pub mod sweep;
mod sweep_command;
mod sweep_report;
pub mod tally;
mod terminal;
pub mod traffic;
mod watchdog;
pub mod whole_file;

pub use cli::{main, main_with};
pub use ftsim_protocols::Catalogue;
