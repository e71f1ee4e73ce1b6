//! Code shared by the commands: exit statuses, output, loading of files.

mod clock;
mod console;
mod exit;
mod format;
pub(crate) mod interrupt;
mod jobs;
mod load;
pub(crate) mod progress;
pub(crate) mod screen;
mod terminal;

pub use clock::clock;
pub(crate) use console::{Out, complain, say, tell};
pub(crate) use exit::{Exit, Failure};
pub(crate) use format::{Format, RunFormat, TraceFormat};
pub(crate) use jobs::jobs;
pub(crate) use load::{REGRESSIONS, load, load_all, scenario_files};
pub(crate) use terminal::{has_unicode, page};
