//! Exit statuses and failures of commands.

use std::io;

use crate::files::FileError;

/// The exit status of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Every expectation is met.
    Good = 0,
    /// Some expectation is not met.
    Unexpected = 1,
    /// Usage error or unusable input.
    BadInput = 2,
    /// A limit was reached before some verdict.
    Undecided = 3,
    /// A run was not deterministic.
    NotDeterministic = 4,
    /// ftsim itself failed.
    Internal = 70,
    /// Interrupted by a signal.
    Interrupted = 130,
}

/// The reason why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The output cannot be written.
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
    /// A bug in ftsim.
    #[error("{0}")]
    Internal(String),
    /// A run was not deterministic.
    #[error("{0}")]
    Diverged(String),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file other than a scenario is unusable.
    #[error("{0}")]
    BadFile(String),
}
