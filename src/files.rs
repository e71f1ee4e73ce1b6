//! Files that are whole or not there: written beside their final name, which they get in the end.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::TempPath;

/// The file system refuses.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {error}")]
pub struct FileError {
    /// The file or folder.
    pub path: String,
    /// Why.
    pub error: io::Error,
}

/// Names the file that an error is about.
///
/// # Errors
/// When the result is one.
pub fn at<T>(path: &Path, result: io::Result<T>) -> Result<T, FileError> {
    result.map_err(|error| FileError { path: path.display().to_string(), error })
}

/// A file that is being written. Dropped before its end, it leaves nothing.
///
/// Until it is whole it has a name that no other file has, `.ftsim-XXXXXX.part`: two processes that
/// write one file do not get in each other's way, and the last one that is done wins. A process
/// that is killed leaves such a file, which nobody ever reads.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    /// Where it is until it is whole; `None` for what is no regular file, such as a pipe or a
    /// terminal, which is written as it is.
    beside: Option<TempPath>,
    file: File,
}

impl WholeFile {
    /// Begins a file that will have this name.
    ///
    /// # Errors
    /// When it cannot be written.
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
            // As any other file: others may read it if the user lets them.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let beside = builder.tempfile_in(folder.unwrap_or(Path::new(".")));
        let beside = beside.map_err(|error| without_path(&error));
        let (file, beside) = at(&path, beside)?.into_parts();
        Ok(Self { path, beside: Some(beside), file })
    }

    /// Gives the file its name: it is whole.
    ///
    /// # Errors
    /// When it cannot have it.
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

/// The error without the name of a file that nobody has heard of.
fn without_path(error: &io::Error) -> io::Error {
    let text = error.to_string();
    let why = text.split(" at path ").next().unwrap_or(&text);
    io::Error::new(error.kind(), why.to_owned())
}

/// Writes a whole file at once.
///
/// # Errors
/// When it cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut file = WholeFile::create(path)?;
    at(path, file.write_all(bytes))?;
    file.finish()
}
