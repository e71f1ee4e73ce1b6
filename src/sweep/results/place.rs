//! The folders that a sweep may make, replace and remove, and how they are told from those that are
//! somebody else's.

use crate::files::at;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{FolderError, LATEST, REPROS, RESULTS, SCENARIO, SHRUNK, SUMMARY};

/// A longer line is no header.
const HEADER_LENGTH_MAX: u64 = 1 << 20;
/// A longer name is refused: endings are added to it, and file systems take 255 bytes.
const NAME_LENGTH_MAX: usize = 200;

/// The folders of one scenario's results in the folder of all results: `OUT/NAME`, and beside it
/// that of a sweep that is not over, and for an instant that of the sweep before.
#[derive(Clone, Debug)]
pub struct Place {
    out: PathBuf,
    name: String,
}

/// What is under a path.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    /// A sweep over the scenario, finished or interrupted, and nothing else.
    Sweep,
    /// Something else: why.
    Foreign(String),
}

/// Refuses names that are no plain names of files, or that would be those of other folders.
///
/// # Errors
/// Why no folder of results can have this name.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\\']) {
        return Err("it is no plain file name");
    }
    if name.chars().any(char::is_control) {
        return Err("it has control characters");
    }
    if name.len() > NAME_LENGTH_MAX {
        return Err("it is longer than 200 bytes");
    }
    if name == LATEST {
        return Err("a link has this name");
    }
    if name.ends_with(".part") || name.ends_with(".old") {
        return Err("sweeps that are not over have folders with this ending");
    }
    Ok(())
}

impl Place {
    /// The place of a scenario's results.
    ///
    /// # Errors
    /// When no folder can have the name of the scenario.
    pub fn new(out: &Path, name: &str) -> Result<Self, FolderError> {
        match check_name(name) {
            Ok(()) => Ok(Self { out: out.to_owned(), name: name.to_owned() }),
            Err(why) => Err(FolderError::Name { name: name.to_owned(), why }),
        }
    }

    /// The folder of all results.
    pub fn out(&self) -> &Path {
        &self.out
    }

    /// The name of the scenario.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The folder of a sweep that is over.
    pub fn done(&self) -> PathBuf {
        self.out.join(&self.name)
    }

    /// That of a sweep that is not over.
    pub fn part(&self) -> PathBuf {
        self.out.join(format!("{}.part", self.name))
    }

    /// That of the sweep before, until the new one has its name.
    pub fn old(&self) -> PathBuf {
        self.out.join(format!("{}.old", self.name))
    }

    /// The file that is locked by who writes here.
    pub fn lock(&self) -> PathBuf {
        self.out.join(format!(".{}.lock", self.name))
    }

    /// The link to the folder that was finished last.
    pub fn latest(&self) -> PathBuf {
        self.out.join(LATEST)
    }

    /// Refuses to go on where anything that a sweep replaces is not a sweep's.
    ///
    /// # Errors
    /// When something is in the way.
    pub fn check(&self) -> Result<(), FolderError> {
        for path in [self.done(), self.part(), self.old()] {
            if let Found::Foreign(why) = at(&path, self.found(&path))? {
                return Err(FolderError::Foreign { path: path.display().to_string(), why });
            }
        }
        let latest = self.latest();
        let why = match fs::symlink_metadata(&latest) {
            Ok(there) if !there.is_symlink() => "it is no link",
            Ok(_) if !at(&latest, leads_beside(&latest))? => "it is a link to another place",
            _ => return Ok(()),
        };
        Err(FolderError::Foreign { path: latest.display().to_string(), why: why.to_owned() })
    }

    fn found(&self, folder: &Path) -> io::Result<Found> {
        let foreign = |why: &str| Ok(Found::Foreign(why.to_owned()));
        match fs::symlink_metadata(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) => return Err(error),
            Ok(there) if !there.is_dir() => return foreign("it is no folder"),
            Ok(_) => {}
        }
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let (name, kind) = (entry.file_name(), entry.file_type()?);
            let other = match name.to_str() {
                Some(RESULTS | SUMMARY | SCENARIO) if kind.is_file() => None,
                Some(REPROS) if kind.is_dir() => other_file(&entry.path(), &["toml"])?,
                Some(SHRUNK) if kind.is_dir() => other_file(&entry.path(), &["toml", "txt"])?,
                _ => Some(entry.path()),
            };
            if let Some(other) = other {
                let other = other.strip_prefix(folder).unwrap_or(&other).display();
                return foreign(&format!("no sweep has written {other} in it"));
            }
            names.push(name);
        }
        if names.is_empty() {
            // It was made and not filled any more.
            return Ok(Found::Sweep);
        }
        if !names.iter().any(|name| name == RESULTS) {
            return foreign("it has no results.jsonl");
        }
        let mut line = Vec::new();
        let file = BufReader::new(File::open(folder.join(RESULTS))?);
        file.take(HEADER_LENGTH_MAX).read_until(b'\n', &mut line)?;
        Ok(match scenario_of(&line) {
            Header::Of(name) if name == self.name => Found::Sweep,
            Header::Of(name) => Found::Foreign(format!("it has the results of {name:?}")),
            // The header is written first: what was cut there has nothing else.
            Header::Cut if names.iter().all(|name| name == RESULTS || name == SCENARIO) => {
                Found::Sweep
            }
            _ => Found::Foreign("its results.jsonl is not that of a sweep".to_owned()),
        })
    }
}

/// A file in a folder that has none of the endings, and any folder in it.
fn other_file(folder: &Path, endings: &[&str]) -> io::Result<Option<PathBuf>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let is_seed = entry.file_name().to_str().is_some_and(|name| name.starts_with("seed-"));
        let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        if !entry.file_type()?.is_file() || !is_seed || !endings.contains(&ending) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Whether a link leads to something in its own folder.
fn leads_beside(link: &Path) -> io::Result<bool> {
    let to = fs::read_link(link)?;
    Ok(to.to_str().is_some_and(|to| check_name(to).is_ok()))
}

/// What the first line of results is.
enum Header {
    /// The header of a sweep over this scenario, by whatever version of ftsim.
    Of(String),
    /// The beginning of a header, or nothing.
    Cut,
    /// Something else.
    Other,
}

fn scenario_of(line: &[u8]) -> Header {
    const BEGINNING: &[u8] = b"{\"sweep\":{\"schema\":";
    if line.last() != Some(&b'\n') {
        let known = line.len().min(BEGINNING.len());
        let is_cut = line[..known] == BEGINNING[..known];
        return if is_cut { Header::Cut } else { Header::Other };
    }
    let header: Value = serde_json::from_slice(line).unwrap_or_default();
    let header = &header["sweep"];
    match (header["schema"].as_u64(), header["ftsim"].as_str(), header["scenario"].as_str()) {
        (Some(_), Some(_), Some(name)) => Header::Of(name.to_owned()),
        _ => Header::Other,
    }
}

/// Removes a folder of a sweep, so that what a kill leaves of it is still known as one: what says
/// so goes last.
pub fn remove(folder: &Path) -> io::Result<()> {
    let gone = |result: io::Result<()>| match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    };
    for name in [REPROS, SHRUNK] {
        gone(fs::remove_dir_all(folder.join(name)))?;
    }
    for name in [SUMMARY, SCENARIO, RESULTS] {
        gone(fs::remove_file(folder.join(name)))?;
    }
    gone(fs::remove_dir(folder))
}
