//! How a command ends.

use std::io;

use crate::files::FileError;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Every expectation is met.
    Good = 0,
    /// Some is not.
    Unexpected = 1,
    /// Bad usage or bad input.
    BadInput = 2,
    /// A limit came before a verdict.
    Undecided = 3,
    /// A run was not deterministic.
    NotDeterministic = 4,
    /// ftsim itself has failed.
    Internal = 70,
    /// Interrupted by a signal.
    Interrupted = 130,
}

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The output cannot be written.
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
    /// A bug of ours.
    #[error("{0}")]
    Internal(String),
    /// A run was not deterministic.
    #[error("{0}")]
    Diverged(String),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file that is no scenario cannot be used.
    #[error("{0}")]
    BadFile(String),
}
