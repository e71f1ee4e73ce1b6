//! Reads results block by block, and validates each line.

use crate::files::at;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{BlockLine, FolderError, Header, Line, RegressionLine, soundness};
use crate::run::failing_run::FailingRun;
use crate::scenario::Scenario;

/// The maximum length of a line that ftsim writes.
const LINE_LENGTH_MAX: u64 = 1 << 28;

/// A block of a file, with its failing runs.
pub struct Written {
    /// The failing runs, in order.
    pub failing: Vec<FailingRun>,
    /// The counts.
    pub block: BlockLine,
}

/// A reader of a results file, up to a truncated last line.
pub struct Reader {
    path: PathBuf,
    input: BufReader<File>,
    /// The header.
    pub header: Header,
    /// The results of the regression seeds; complete once a block or the end was read.
    pub regressions: Vec<RegressionLine>,
    /// The length of the complete part of the file: the header, and blocks with all their lines.
    pub whole: u64,
    /// The number of bytes and of lines read.
    read: u64,
    line: u64,
    /// The first seed of the next block.
    next: u64,
    /// The number of runs in all blocks so far.
    runs: u64,
}

impl Reader {
    /// Reads the header; `None` if it is truncated.
    ///
    /// # Errors
    /// If the file cannot be read, or does not begin with the header of a sweep.
    pub fn open(path: &Path) -> Result<Option<Self>, FolderError> {
        let mut input = BufReader::new(at(path, File::open(path))?);
        let (mut read, mut line) = (0, 0);
        let Some(bytes) = next_line(path, &mut input, &mut read, &mut line)? else {
            return Ok(None);
        };
        let damaged = |why| FolderError::Damaged { path: path.display().to_string(), line, why };
        let header = match parse_line(&bytes) {
            Ok(Line::Sweep(header)) => *header,
            parsed => {
                // Another version may use other lines.
                let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
                let theirs = value["sweep"]["ftsim"].as_str().unwrap_or(soundness::VERSION);
                return Err(damaged(match parsed {
                    _ if theirs != soundness::VERSION => soundness::other_version(theirs),
                    Err(why) => format!("this is not the header of a sweep: {why}"),
                    Ok(_) => "this is not the header of a sweep".to_owned(),
                }));
            }
        };
        soundness::header(&header).map_err(damaged)?;
        let next = header.part().start;
        let regressions = Vec::new();
        let path = path.to_owned();
        Ok(Some(Self { path, input, header, regressions, whole: read, read, line, next, runs: 0 }))
    }

    /// The next block, checked against the header and this scenario; `None` after the last complete
    /// one.
    ///
    /// # Errors
    /// If the file cannot be read, or contains a line that such a sweep does not write.
    pub fn next_block(&mut self, scenario: &Scenario) -> Result<Option<Written>, FolderError> {
        let mut failing: Vec<FailingRun> = Vec::new();
        loop {
            let read = next_line(&self.path, &mut self.input, &mut self.read, &mut self.line)?;
            let Some(bytes) = read else { return Ok(None) };
            match parse_line(&bytes).map_err(|why| self.damaged(why))? {
                Line::Sweep(_) => {
                    return Err(self.damaged("a second header".to_owned()));
                }
                Line::Regression(line) => {
                    let is_first = self.next == self.header.part().start && failing.is_empty();
                    let checked = soundness::regression(&self.header, scenario, is_first, &line);
                    checked.map_err(|why| self.damaged(why))?;
                    self.regressions.push(line);
                }
                Line::Failing(run) => {
                    let checked = soundness::failing(scenario, failing.last(), &run);
                    checked.map_err(|why| self.damaged(why))?;
                    failing.push(run);
                }
                Line::Block(block) => {
                    self.take(scenario, &failing, &block).map_err(|why| self.damaged(why))?;
                    return Ok(Some(Written { failing, block }));
                }
            }
        }
    }

    /// Accepts a block if it is the next one and valid.
    fn take(
        &mut self,
        scenario: &Scenario,
        failing: &[FailingRun],
        block: &BlockLine,
    ) -> Result<(), String> {
        let (from, expected) = (block.seeds.from, self.next);
        if from != expected {
            return Err(format!("the next block starts at seed {from}, not at {expected}"));
        }
        soundness::block(&self.header, scenario, failing, block)?;
        // All other counts of a block are at most its runs: their sums cannot overflow either.
        self.runs = self.runs.checked_add(block.runs).ok_or("more runs than can be counted")?;
        self.next = block.seeds.until;
        self.whole = self.read;
        Ok(())
    }

    fn damaged(&self, why: String) -> FolderError {
        FolderError::Damaged { path: self.path.display().to_string(), line: self.line, why }
    }
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
