//! The folders that a sweep may create, replace and remove, and the check that no other folder is
//! among them.

use crate::files::at;
use crate::journal::FolderError;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{LATEST, REPROS, RESULTS, SCENARIO, SHRUNK, SUMMARY};

/// The maximum length of a header line.
const HEADER_LENGTH_MAX: u64 = 1 << 20;
/// The maximum length of a name: endings are added to it, and file systems allow 255 bytes.
const NAME_LENGTH_MAX: usize = 200;

/// The folders of one scenario's results: `OUT/NAME`; beside it, that of an unfinished sweep and,
/// during the renaming, that of the previous sweep.
#[derive(Clone, Debug)]
pub struct Place {
    out: PathBuf,
    name: String,
}

/// The contents of a path.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    /// A finished or interrupted sweep over the scenario, and nothing else.
    Sweep,
    /// Something else: the reason why it is no such sweep.
    Foreign(String),
}

/// Refuses names that are not plain file names, or that other folders have.
///
/// # Errors
/// The reason why a results folder cannot have this name.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\\']) {
        return Err("it is not a plain file name");
    }
    if name.chars().any(char::is_control) {
        return Err("it contains control characters");
    }
    if name.len() > NAME_LENGTH_MAX {
        return Err("it is longer than 200 bytes");
    }
    if name == LATEST {
        return Err("a link has this name");
    }
    if name.ends_with(".part") || name.ends_with(".old") {
        return Err("folders of unfinished sweeps have this ending");
    }
    Ok(())
}

impl Place {
    /// The place of a scenario's results.
    ///
    /// # Errors
    /// If no folder can have the name of the scenario.
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

    /// The folder of a finished sweep.
    pub fn done(&self) -> PathBuf {
        self.out.join(&self.name)
    }

    /// The folder of an unfinished sweep.
    pub fn part(&self) -> PathBuf {
        self.out.join(format!("{}.part", self.name))
    }

    /// The folder of the previous sweep, until the new one has its name.
    pub fn old(&self) -> PathBuf {
        self.out.join(format!("{}.old", self.name))
    }

    /// The lock file for writing here.
    pub fn lock(&self) -> PathBuf {
        self.out.join(format!(".{}.lock", self.name))
    }

    /// The link to the folder that finished last.
    pub fn latest(&self) -> PathBuf {
        self.out.join(LATEST)
    }

    /// Returns an error if a sweep would replace something that no sweep wrote.
    ///
    /// # Errors
    /// If something is in the way.
    pub fn check(&self) -> Result<(), FolderError> {
        for path in [self.done(), self.part(), self.old()] {
            if let Found::Foreign(why) = at(&path, self.found(&path))? {
                return Err(FolderError::Foreign { path: path.display().to_string(), why });
            }
        }
        let latest = self.latest();
        let why = match fs::symlink_metadata(&latest) {
            Ok(there) if !there.is_symlink() => "it is not a link",
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
            Ok(there) if !there.is_dir() => return foreign("it is not a folder"),
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
                return foreign(&format!("it contains {other}, which no sweep wrote"));
            }
            names.push(name);
        }
        if names.is_empty() {
            // A folder that was created but not filled.
            return Ok(Found::Sweep);
        }
        if !names.iter().any(|name| name == RESULTS) {
            return foreign("it contains no results.jsonl");
        }
        let mut line = Vec::new();
        let file = BufReader::new(File::open(folder.join(RESULTS))?);
        file.take(HEADER_LENGTH_MAX).read_until(b'\n', &mut line)?;
        Ok(match scenario_of(&line) {
            Header::Of(name) if name == self.name => Found::Sweep,
            Header::Of(name) => Found::Foreign(format!("it contains the results of {name:?}")),
            // The header is written first: if it is incomplete, the folder contains nothing else.
            Header::Cut if names.iter().all(|name| name == RESULTS || name == SCENARIO) => {
                Found::Sweep
            }
            _ => Found::Foreign("its results.jsonl was not written by a sweep".to_owned()),
        })
    }
}

/// A file in a folder with none of the endings, or a folder in it.
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

/// The first line of a results file.
enum Header {
    /// The header of a sweep over this scenario, by any version of ftsim.
    Of(String),
    /// An incomplete header, or nothing.
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

/// Removes the folder of a sweep. The results file goes last, so that the remains after a kill are
/// still recognised as a sweep.
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
