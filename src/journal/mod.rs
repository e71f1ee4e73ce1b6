//! Files of lines that a command appends to, and goes on from after an interruption.

mod lock;

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use serde::de::DeserializeOwned;

pub use lock::FileLock;

use crate::cli::Failure;
use crate::files::{FileError, at};

/// The maximum length of a line that ftsim writes.
const LINE_LENGTH_MAX: u64 = 1 << 28;

/// The version of this ftsim.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The error about results of another version.
pub fn other_version(theirs: &str) -> String {
    format!("written by ftsim {theirs}, this is {VERSION}")
}

/// The reason why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process writes to it.
    #[error("{0}: another sweep is writing to this folder")]
    Busy(String),
    /// It contains the results of another sweep.
    #[error("{path} holds another sweep: {difference}")]
    Other {
        /// The file.
        path: String,
        /// The difference.
        difference: String,
    },
    /// Something in the way that no sweep wrote.
    #[error("{path} is in the way and is left untouched: {why}")]
    Foreign {
        /// The file or folder.
        path: String,
        /// The reason why it is not replaced.
        why: String,
    },
    /// No folder can have this name.
    #[error("a results folder cannot be called {name:?}: {why}")]
    Name {
        /// The name of the scenario.
        name: String,
        /// The reason.
        why: &'static str,
    },
    /// A line of results that no sweep writes.
    #[error("{path}:{line}: {why}")]
    Damaged {
        /// The file.
        path: String,
        /// The line, from 1.
        line: u64,
        /// The error.
        why: String,
    },
    /// An error of the file system.
    #[error(transparent)]
    File(#[from] FileError),
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        Self::BadFile(error.to_string())
    }
}

/// The digest of a scenario's text.
pub fn digest_of(text: &str) -> String {
    use std::hash::Hasher as _;
    let mut digest = ftsim_core::Digest::EMPTY;
    digest.write(text.as_bytes());
    digest.write_usize(text.len());
    digest.to_string()
}

/// The next line without its line end; `None` at the end of the file, or if the line is truncated.
///
/// # Errors
/// If the file cannot be read, or the line is longer than any that ftsim writes.
pub fn next_line(
    path: &Path,
    input: &mut BufReader<File>,
    read: &mut u64,
    line: &mut u64,
) -> Result<Option<Vec<u8>>, FolderError> {
    let mut bytes = Vec::new();
    let length = at(path, input.by_ref().take(LINE_LENGTH_MAX).read_until(b'\n', &mut bytes))?;
    *read += length as u64;
    *line += 1;
    if bytes.pop() == Some(b'\n') {
        return Ok(Some(bytes));
    }
    if length as u64 == LINE_LENGTH_MAX {
        let (path, line) = (path.display().to_string(), *line);
        return Err(FolderError::Damaged { path, line, why: "this line is too long".to_owned() });
    }
    Ok(None)
}

/// A parsed line.
///
/// # Errors
/// The error and its column.
pub fn parse_line<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| {
        let text = error.to_string();
        let message = text.split(" at line ").next().unwrap_or(&text);
        format!("{message} (column {})", error.column())
    })
}
