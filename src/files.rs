//! Atomic writing of files: a file is written under a temporary name and renamed when complete.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::TempPath;

/// An error of the file system.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {error}")]
pub struct FileError {
    /// The file or folder.
    pub path: String,
    /// The reason.
    pub error: io::Error,
}

/// Adds the path to an error.
///
/// # Errors
/// If the result is an error.
pub fn at<T>(path: &Path, result: io::Result<T>) -> Result<T, FileError> {
    result.map_err(|error| FileError { path: path.display().to_string(), error })
}

/// A file that is being written. It leaves nothing behind if it is dropped before it is finished.
///
/// Until it is complete it has a unique name, `.ftsim-XXXXXX.part`: two processes that write the
/// same file do not interfere, and the one that finishes last wins. A process that is killed leaves
/// such a file, which is never read.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    /// The temporary file; `None` if the target is not a regular file, such as a pipe or a
    /// terminal, which is written directly.
    beside: Option<TempPath>,
    file: File,
}

impl WholeFile {
    /// Creates a file that will be given this name.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn create(path: &Path) -> Result<Self, FileError> {
        let path = path.to_owned();
        if path.metadata().is_ok_and(|there| !there.is_file()) {
            let file = at(&path, File::options().write(true).open(&path))?;
            return Ok(Self { path, beside: None, file });
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut builder = tempfile::Builder::new();
        builder.prefix(".ftsim-").suffix(".part");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // Normal permissions: readable by others if the user's umask allows.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let beside = builder.tempfile_in(folder.unwrap_or(Path::new(".")));
        let beside = beside.map_err(|error| without_path(&error));
        let (file, beside) = at(&path, beside)?.into_parts();
        Ok(Self { path, beside: Some(beside), file })
    }

    /// Gives the complete file its name.
    ///
    /// # Errors
    /// If it cannot be renamed.
    pub fn finish(self) -> Result<(), FileError> {
        match self.beside {
            Some(beside) => at(&self.path, beside.persist(&self.path).map_err(|e| e.error)),
            None => Ok(()),
        }
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The error without the temporary file name, which means nothing to the user.
fn without_path(error: &io::Error) -> io::Error {
    let text = error.to_string();
    let why = text.split(" at path ").next().unwrap_or(&text);
    io::Error::new(error.kind(), why.to_owned())
}

/// Writes a whole file at once.
///
/// # Errors
/// If it cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut file = WholeFile::create(path)?;
    at(path, file.write_all(bytes))?;
    file.finish()
}
