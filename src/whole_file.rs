//! Files that are whole or not there: written beside their final name, which they get in the end.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::results::{FolderError, at};

/// A file that is being written. Dropped before its end, it leaves nothing.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    /// Where it is until it is whole; `None` once it is, and for what is no regular file, such as a
    /// pipe or a terminal, which is written as it is.
    beside: Option<PathBuf>,
    file: File,
}

impl WholeFile {
    /// Begins a file that will have this name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(path: &Path) -> Result<Self, FolderError> {
        let path = path.to_owned();
        if path.metadata().is_ok_and(|there| !there.is_file()) {
            let file = at(&path, File::options().write(true).open(&path))?;
            return Ok(Self { path, beside: None, file });
        }
        let mut beside = path.as_os_str().to_owned();
        beside.push(".part");
        let beside = PathBuf::from(beside);
        let file = at(&beside, File::create(&beside))?;
        Ok(Self { path, beside: Some(beside), file })
    }

    /// Gives the file its name: it is whole.
    ///
    /// # Errors
    /// When it cannot have it.
    pub fn finish(mut self) -> Result<(), FolderError> {
        match self.beside.take() {
            Some(beside) => at(&self.path, fs::rename(&beside, &self.path)),
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

impl Drop for WholeFile {
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            // There is nobody left to be told.
            let _ = fs::remove_file(beside);
        }
    }
}

/// Writes a whole file at once.
///
/// # Errors
/// When it cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FolderError> {
    let mut file = WholeFile::create(path)?;
    at(path, file.write_all(bytes))?;
    file.finish()
}
