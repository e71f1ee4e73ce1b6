//! Reads results block by block, and validates each line.

use crate::files::at;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{BlockLine, Header, Line, RegressionLine, soundness};
use crate::journal::{FolderError, VERSION, next_line, other_version, parse_line};
use crate::run::failing_run::FailingRun;
use crate::scenario::Scenario;

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
                let theirs = value["sweep"]["ftsim"].as_str().unwrap_or(VERSION);
                return Err(damaged(match parsed {
                    _ if theirs != VERSION => other_version(theirs),
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
