//! Locks between processes, based on a locked file.

use crate::files::at;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::FolderError;

/// A lock held by this process. It is released when the process ends, however that happens.
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
    /// Takes the lock; `None` if another process holds it.
    ///
    /// # Errors
    /// If the file cannot be locked, or is not a lock file.
    pub fn try_take(path: PathBuf) -> Result<Option<Self>, FolderError> {
        Self::open(path, Patience::Leave)
    }

    /// Takes the lock; waits while another process holds it.
    ///
    /// # Errors
    /// Like [`FileLock::try_take`].
    pub fn take(path: PathBuf) -> Result<Self, FolderError> {
        let lock = Self::open(path, Patience::Wait)?;
        Ok(lock.expect("it was waited for"))
    }

    fn open(path: PathBuf, patience: Patience) -> Result<Option<Self>, FolderError> {
        loop {
            match fs::symlink_metadata(&path) {
                Ok(there) if !there.is_file() || there.len() > 0 => {
                    let (path, why) =
                        (path.display().to_string(), "it is not a lock file of ftsim");
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
            // The previous holder may have removed the file; then nobody else would see our lock.
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
            // If it remains, the next process just locks it.
            let _ = fs::remove_file(&self.path);
        }
        let _ = self.file.unlock();
    }
}

/// Whether this path still leads to this file.
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

/// On other systems the file is never removed.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}
