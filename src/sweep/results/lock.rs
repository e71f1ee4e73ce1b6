//! Locks between processes: a file that is locked for as long as it is needed.

use crate::files::at;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::FolderError;

/// A lock that this process holds. It ends with the process, however that ends.
#[derive(Debug)]
pub struct FileLock {
    path: PathBuf,
    file: File,
}

/// Whether to wait for a lock that another process holds.
#[derive(Clone, Copy)]
enum Patience {
    Wait,
    Leave,
}

impl FileLock {
    /// Takes the lock; `None` if another process has it.
    ///
    /// # Errors
    /// When the file cannot be locked, or is a file of somebody's.
    pub fn try_take(path: PathBuf) -> Result<Option<Self>, FolderError> {
        Self::open(path, Patience::Leave)
    }

    /// Takes the lock, and waits until it can.
    ///
    /// # Errors
    /// As [`FileLock::try_take`].
    pub fn take(path: PathBuf) -> Result<Self, FolderError> {
        let lock = Self::open(path, Patience::Wait)?;
        Ok(lock.expect("it was waited for"))
    }

    fn open(path: PathBuf, patience: Patience) -> Result<Option<Self>, FolderError> {
        loop {
            match fs::symlink_metadata(&path) {
                Ok(there) if !there.is_file() || there.len() > 0 => {
                    let (path, why) = (path.display().to_string(), "it is no lock of ftsim's");
                    return Err(FolderError::Foreign { path, why: why.to_owned() });
                }
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Ok(at(&path, Err(error))?);
                }
                _ => {}
            }
            let mut options = File::options();
            let opened = options.read(true).write(true).create(true).truncate(false).open(&path);
            let file = at(&path, opened)?;
            let locked = match patience {
                Patience::Wait => file.lock().map_err(TryLockError::Error),
                Patience::Leave => file.try_lock(),
            };
            match locked {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Ok(at(&path, Err(error))?),
            }
            // Who held it before may have removed the file; then nobody else will look at ours.
            if at(&path, is_at(&file, &path))? {
                return Ok(Some(Self { path, file }));
            }
        }
    }
}

impl Drop for FileLock {
    /// Removes the file while it is still locked.
    fn drop(&mut self) {
        if cfg!(unix) {
            // If it stays, the next one locks it all the same.
            let _ = fs::remove_file(&self.path);
        }
        let _ = self.file.unlock();
    }
}

/// Whether this file is the one that has this path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let ours = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Elsewhere the file is never removed.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}
