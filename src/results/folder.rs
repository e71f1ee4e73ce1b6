//! Where a sweep writes. `OUT/NAME.part` is the folder of a sweep that is not over; once it is, the
//! folder gets its final name `OUT/NAME`, so that nothing under a final name is ever half-written.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::{BlockLine, Header, Line, Reader, RegressionLine, Written};
use crate::failing_run::FailingRun;
use crate::whole_file::write_whole;

/// The lines of a sweep.
pub const RESULTS: &str = "results.jsonl";
/// What they come to.
const SUMMARY: &str = "summary.json";
/// The scenario as it was read.
pub const SCENARIO: &str = "scenario.toml";
/// The folder of the repro files.
pub const REPROS: &str = "repros";
/// What the first of each group of failures shrinks to.
pub const SHRUNK: &str = "shrunk";

/// The link to the folder that was finished last; no scenario can have this name.
pub const LATEST: &str = "latest";

/// The folder of a sweep that is not over.
pub struct Folder {
    /// The folder of all results.
    out: PathBuf,
    /// The name of the scenario.
    name: String,
    lines: File,
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process writes to it.
    #[error("{0}: another sweep is writing to this folder")]
    Busy(String),
    /// It holds the results of another sweep.
    #[error("{path} holds another sweep: {difference}")]
    Other {
        /// The file.
        path: String,
        /// What differs.
        difference: String,
    },
    /// The file system refuses.
    #[error("{path}: {error}")]
    Io {
        /// The file or folder.
        path: String,
        /// Why.
        error: io::Error,
    },
}

/// Names the file that an error is about.
pub fn at<T>(path: &Path, result: io::Result<T>) -> Result<T, FolderError> {
    result.map_err(|error| FolderError::Io { path: path.display().to_string(), error })
}

impl Folder {
    /// Begins anew; what an interrupted sweep left is thrown away.
    ///
    /// # Errors
    /// When the folder is in use, or cannot be written.
    pub fn begin(out: &Path, header: &Header, scenario: &str) -> Result<Self, FolderError> {
        let mut folder = Self::open(out, &header.scenario)?;
        folder.restart(header, scenario)?;
        Ok(folder)
    }

    /// Goes on where an earlier sweep ended: `each` gets the blocks that are there, in their order.
    /// Returns what became of the regression seeds, if that is there too.
    ///
    /// # Errors
    /// As [`Folder::begin`], and when it holds the results of another sweep.
    pub fn resume(
        out: &Path,
        header: &Header,
        scenario: &str,
        mut each: impl FnMut(Written),
    ) -> Result<(Self, Vec<RegressionLine>), FolderError> {
        let (part, done) = (part(out, &header.scenario), out.join(&header.scenario));
        let place = if part.exists() { &part } else { &done };
        let lines = place.join(RESULTS);
        if lines.exists() {
            let file = at(&lines, File::open(&lines))?;
            if let Some(reader) = at(&lines, Reader::new(BufReader::new(file)))?
                && let Some(difference) = difference(&reader.header, header)
            {
                return Err(FolderError::Other { path: lines.display().to_string(), difference });
            }
            if place == &done {
                at(&done, fs::rename(&done, &part))?;
            }
        }
        let mut folder = Self::open(out, &header.scenario)?;
        let path = folder.part().join(RESULTS);
        let file = at(&path, folder.lines.try_clone())?;
        let Some(mut reader) = at(&path, Reader::new(BufReader::new(file)))? else {
            folder.restart(header, scenario)?;
            return Ok((folder, Vec::new()));
        };
        let mut any = false;
        while let Some(written) = at(&path, reader.next_block())? {
            any = true;
            each(written);
        }
        at(&path, folder.lines.set_len(reader.whole))?;
        at(&path, folder.lines.seek(SeekFrom::Start(reader.whole)))?;
        // Before the first block it is not known whether they are all there.
        let regressions = if any { reader.regressions } else { Vec::new() };
        Ok((folder, regressions))
    }

    fn open(out: &Path, name: &str) -> Result<Self, FolderError> {
        let part = part(out, name);
        at(&part, fs::create_dir_all(&part))?;
        let path = part.join(RESULTS);
        let mut options = File::options();
        let opened = options.read(true).write(true).create(true).truncate(false).open(&path);
        let lines = at(&path, opened)?;
        match lines.try_lock() {
            Ok(()) => Ok(Self { out: out.to_owned(), name: name.to_owned(), lines }),
            Err(TryLockError::WouldBlock) => Err(FolderError::Busy(part.display().to_string())),
            Err(TryLockError::Error(error)) => at(&path, Err(error)),
        }
    }

    fn restart(&mut self, header: &Header, scenario: &str) -> Result<(), FolderError> {
        let path = self.part().join(RESULTS);
        at(&path, self.lines.set_len(0))?;
        at(&path, self.lines.rewind())?;
        self.write(SCENARIO, scenario.as_bytes())?;
        self.append(&[Line::Sweep(Box::new(header.clone()))])
    }

    /// The folder as long as the sweep is not over.
    pub fn part(&self) -> PathBuf {
        part(&self.out, &self.name)
    }

    /// Adds what became of the regression seeds.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn append_regressions(&mut self, lines: &[RegressionLine]) -> Result<(), FolderError> {
        self.append(&lines.iter().cloned().map(Line::Regression).collect::<Vec<_>>())
    }

    /// Adds a block and its failing runs.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn append_block(
        &mut self,
        failing: Vec<FailingRun>,
        block: BlockLine,
    ) -> Result<(), FolderError> {
        let mut lines: Vec<Line> = failing.into_iter().map(Line::Failing).collect();
        lines.push(Line::Block(block));
        self.append(&lines)
    }

    fn append(&mut self, lines: &[Line]) -> Result<(), FolderError> {
        let mut bytes = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut bytes, line).expect("a line has only text as its keys");
            bytes.push(b'\n');
        }
        // One write, and no buffer that a kill could take away.
        at(&self.part().join(RESULTS), self.lines.write_all(&bytes))
    }

    /// Writes what the lines come to, and the repros and the shrunk scenarios by their names, for
    /// those of before.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn conclude(
        &mut self,
        summary: &[u8],
        repros: &[(String, String)],
        shrunk: &[(String, String)],
    ) -> Result<(), FolderError> {
        for (folder, files) in [(REPROS, repros), (SHRUNK, shrunk)] {
            let folder = self.part().join(folder);
            if folder.exists() {
                at(&folder, fs::remove_dir_all(&folder))?;
            }
            if !files.is_empty() {
                at(&folder, fs::create_dir(&folder))?;
            }
            for (name, text) in files {
                let path = folder.join(name);
                at(&path, fs::write(&path, text))?;
            }
        }
        self.write(SUMMARY, summary)
    }

    /// Gives the folder its final name; what had it before is thrown away. Returns it.
    ///
    /// # Errors
    /// When it cannot be renamed.
    pub fn publish(self) -> Result<PathBuf, FolderError> {
        let part = self.part();
        let done = self.out.join(&self.name);
        let old = self.out.join(format!("{}.old", self.name));
        at(&part, self.lines.sync_all())?;
        drop(self.lines);
        if old.exists() {
            at(&old, fs::remove_dir_all(&old))?;
        }
        if done.exists() {
            at(&done, fs::rename(&done, &old))?;
        }
        at(&done, fs::rename(&part, &done))?;
        if old.exists() {
            at(&old, fs::remove_dir_all(&old))?;
        }
        link_latest(&self.out, &self.name)?;
        Ok(done)
    }

    /// Writes a file beside, and renames it.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        write_whole(&self.part().join(name), bytes)
    }
}

fn part(out: &Path, name: &str) -> PathBuf {
    out.join(format!("{name}.part"))
}

/// `latest` leads to the folder that was finished last.
#[cfg(unix)]
fn link_latest(out: &Path, name: &str) -> Result<(), FolderError> {
    let (link, beside) = (out.join(LATEST), out.join("latest.part"));
    if beside.is_symlink() {
        at(&beside, fs::remove_file(&beside))?;
    }
    at(&beside, std::os::unix::fs::symlink(name, &beside))?;
    at(&link, fs::rename(&beside, &link))
}

#[cfg(not(unix))]
fn link_latest(_: &Path, _: &str) -> Result<(), FolderError> {
    Ok(())
}

/// What two sweeps were asked that is not the same.
pub fn difference(found: &Header, asked: &Header) -> Option<String> {
    let object = |header| serde_json::to_value(header).unwrap_or_default();
    let (found, asked) = (object(found), object(asked));
    let named = [
        ("schema", "format"),
        ("ftsim", "version of ftsim"),
        ("digest", "digest of the scenario"),
        ("seeds", "range of seeds"),
        ("block", "number of seeds in a block"),
        ("shard", "shard"),
        ("stop", "end"),
    ];
    let differs = named.into_iter().find(|(key, _)| found[key] != asked[key]);
    differs.map(|(key, name)| format!("its {name} is {}, not {}", found[key], asked[key]))
}
