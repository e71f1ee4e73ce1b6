//! The results folder of a sweep: `OUT/NAME.part` while the sweep is unfinished, and then
//! `OUT/NAME`, so that a folder with its final name is always complete.

use crate::files::{FileError, at};
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::place::{Place, remove};
use super::{BlockLine, Header, Line, Reader, RegressionLine, Written};
use crate::journal::{FileLock, FolderError};
use crate::run::failing_run::FailingRun;
use crate::scenario::Scenario;

/// The file with the lines of a sweep.
pub const RESULTS: &str = "results.jsonl";
/// The file with the totals.
pub const SUMMARY: &str = "summary.json";
/// The file with the scenario as it was read.
pub const SCENARIO: &str = "scenario.toml";
/// The folder of the repro files.
pub const REPROS: &str = "repros";
/// The folder of the shrunk scenarios.
pub const SHRUNK: &str = "shrunk";

/// The link to the folder of the scenario that finished last; no scenario can have this name.
pub const LATEST: &str = "latest";

/// The folder of an unfinished sweep.
pub struct Folder {
    place: Place,
    lines: File,
    /// Held from before the first check until after the final renaming.
    _lock: FileLock,
}

impl Folder {
    /// Refuses a place where a sweep would replace something that no sweep wrote. Writes nothing.
    ///
    /// # Errors
    /// If something is in the way.
    pub fn check(out: &Path, name: &str) -> Result<(), FolderError> {
        match Place::new(out, name)?.check() {
            // Another sweep may be changing it; the check is repeated once the lock is held.
            Err(FolderError::File(_)) => Ok(()),
            checked => checked,
        }
    }

    /// Starts over; deletes the results of an interrupted sweep.
    ///
    /// # Errors
    /// If the folder is in use, contains something that no sweep wrote, or cannot be written.
    pub fn begin(out: &Path, header: &Header, scenario: &str) -> Result<Self, FolderError> {
        let (place, lock) = take(out, &header.scenario)?;
        Self::fresh(place, lock, header, scenario)
    }

    /// Continues an earlier sweep: `each` is called for the existing blocks, in order. Returns the
    /// results of the regression seeds, if they exist.
    ///
    /// # Errors
    /// Like [`Folder::begin`], and if it contains damaged results or those of another sweep.
    pub fn resume(
        out: &Path,
        header: &Header,
        scenario: &Scenario,
        mut each: impl FnMut(Written),
    ) -> Result<(Self, Vec<RegressionLine>), FolderError> {
        let (place, lock) = take(out, &header.scenario)?;
        let (part, done) = (place.part(), place.done());
        let found = if part.exists() { &part } else { &done };
        let path = found.join(RESULTS);
        let reader = if path.exists() { Reader::open(&path)? } else { None };
        let Some(mut reader) = reader else {
            let folder = Self::fresh(place, lock, header, &scenario.text)?;
            return Ok((folder, Vec::new()));
        };
        if let Some(difference) = difference(&reader.header, header) {
            return Err(FolderError::Other { path: path.display().to_string(), difference });
        }
        let mut any = false;
        while let Some(written) = reader.next_block(scenario)? {
            any = true;
            each(written);
        }
        // Nothing is moved before everything has been read.
        if found == &done {
            at(&done, fs::rename(&done, &part))?;
        }
        let path = part.join(RESULTS);
        let mut lines = at(&path, File::options().read(true).write(true).open(&path))?;
        at(&path, lines.set_len(reader.whole))?;
        at(&path, lines.seek(SeekFrom::Start(reader.whole)))?;
        let folder = Self { place, lines, _lock: lock };
        folder.write(SCENARIO, scenario.text.as_bytes())?;
        // Before the first block, they may be incomplete.
        let regressions = if any { reader.regressions } else { Vec::new() };
        Ok((folder, regressions))
    }

    fn fresh(
        place: Place,
        lock: FileLock,
        header: &Header,
        scenario: &str,
    ) -> Result<Self, FolderError> {
        let part = place.part();
        at(&part, remove(&part))?;
        at(&part, fs::create_dir(&part))?;
        let path = part.join(RESULTS);
        let lines = at(&path, File::create(&path))?;
        let mut folder = Self { place, lines, _lock: lock };
        // The header comes first, because it identifies the folder.
        folder.append(&[Line::Sweep(Box::new(header.clone()))])?;
        folder.write(SCENARIO, scenario.as_bytes())?;
        Ok(folder)
    }

    /// Adds the results of the regression seeds.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn append_regressions(&mut self, lines: &[RegressionLine]) -> Result<(), FileError> {
        self.append(&lines.iter().cloned().map(Line::Regression).collect::<Vec<_>>())
    }

    /// Adds a block and its failing runs.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn append_block(
        &mut self,
        failing: Vec<FailingRun>,
        block: BlockLine,
    ) -> Result<(), FileError> {
        let mut lines: Vec<Line> = failing.into_iter().map(Line::Failing).collect();
        lines.push(Line::Block(block));
        self.append(&lines)
    }

    fn append(&mut self, lines: &[Line]) -> Result<(), FileError> {
        let mut bytes = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut bytes, line).expect("a line has only text as its keys");
            bytes.push(b'\n');
        }
        // A single unbuffered write, so that a kill loses nothing.
        at(&self.place.part().join(RESULTS), self.lines.write_all(&bytes))
    }

    /// Writes the summary, the repros and the shrunk scenarios, replacing earlier ones.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn conclude(
        &mut self,
        summary: &[u8],
        repros: &[(String, String)],
        shrunk: &[(String, String)],
    ) -> Result<(), FileError> {
        for (folder, files) in [(REPROS, repros), (SHRUNK, shrunk)] {
            let folder = self.place.part().join(folder);
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

    /// Gives the folder its final name, deletes the previous sweep of that name, and returns the
    /// path.
    ///
    /// # Errors
    /// If something is in the way by now, or if the folder cannot be renamed.
    pub fn publish(self) -> Result<PathBuf, FolderError> {
        let (part, done, old) = (self.place.part(), self.place.done(), self.place.old());
        at(&part, self.lines.sync_all())?;
        self.place.check()?;
        at(&old, remove(&old))?;
        if done.exists() {
            at(&done, fs::rename(&done, &old))?;
        }
        at(&done, fs::rename(&part, &done))?;
        at(&old, remove(&old))?;
        link_latest(&self.place)?;
        Ok(done)
    }

    /// Writes a file of the folder. It need not be complete before the folder has its final name.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let path = self.place.part().join(name);
        at(&path, fs::write(&path, bytes))
    }
}

/// Locks the place of a scenario and checks that it contains only sweeps.
fn take(out: &Path, name: &str) -> Result<(Place, FileLock), FolderError> {
    let place = Place::new(out, name)?;
    at(out, fs::create_dir_all(out))?;
    let Some(lock) = FileLock::try_take(place.lock())? else {
        return Err(FolderError::Busy(place.part().display().to_string()));
    };
    place.check()?;
    let (done, old) = (place.done(), place.old());
    if old.exists() && !done.exists() {
        // The process was killed between the two renames.
        at(&old, fs::rename(&old, &done))?;
    }
    Ok((place, lock))
}

/// Points `latest` to the folder that finished last.
#[cfg(unix)]
fn link_latest(place: &Place) -> Result<(), FileError> {
    let latest = place.latest();
    let link = |beside: &Path| std::os::unix::fs::symlink(place.name(), beside);
    let beside = tempfile::Builder::new().prefix(".latest.").make_in(place.out(), link);
    let beside = at(&latest, beside)?.into_temp_path();
    at(&latest, beside.persist(&latest).map_err(|error| error.error))
}

#[cfg(not(unix))]
fn link_latest(_: &Place) -> Result<(), FileError> {
    Ok(())
}

/// The first difference between the headers of two sweeps.
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
        ("strategy", "strategy"),
    ];
    let differs = named.into_iter().find(|(key, _)| found[key] != asked[key]);
    differs.map(|(key, name)| format!("its {name} is {}, not {}", found[key], asked[key]))
}
