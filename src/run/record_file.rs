//! A record as a file: an identifying line, the tape (see `ftsim_core`), and the report of the run
//! as a line of JSON.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Write};
use std::path::Path;

use ftsim_core::Outcome;
use ftsim_core::outcome::tape::{TapeError, TapeReader};
use ftsim_core::outcome::trace::Entry;

use crate::cli::Failure;
use crate::files::at;
use crate::run::one_run::OneRun;
use crate::run::report::RunReport;
use crate::run::{InternalError, guarded, prepare};

/// The first line of a record.
const FIRST_LINE: &str = "ftsim record 2\n";

/// Executes the run and writes its record at the same time.
///
/// # Errors
/// Inside: errors of `out`, which end the run. Outside: if ftsim itself fails.
pub fn write(
    run: &OneRun,
    out: &mut dyn Write,
) -> Result<io::Result<(Outcome, RunReport)>, InternalError> {
    let OneRun { scenario, seed, .. } = run;
    let request = run.request()?;
    guarded(scenario, *seed, || {
        let mut runner = prepare(scenario, *seed)?;
        let mut write = || {
            out.write_all(FIRST_LINE.as_bytes())?;
            let outcome = runner.record_to(request.clone(), out)?;
            let report = RunReport::of(run, &outcome, false)?;
            writeln!(out, "{}", serde_json::to_string(&report)?)?;
            Ok((outcome, report))
        };
        Ok(write())
    })
}

/// A record file that is being read.
pub struct Reader<'p> {
    path: &'p Path,
    tape: TapeReader<BufReader<File>>,
}

impl<'p> Reader<'p> {
    /// Opens a record.
    ///
    /// # Errors
    /// If the file cannot be read, or is not a record.
    pub fn open(path: &'p Path) -> Result<Self, Failure> {
        let mut file = BufReader::new(at(path, File::open(path))?);
        let mut first = Vec::new();
        let limit = FIRST_LINE.len() as u64;
        at(path, (&mut file).take(limit).read_to_end(&mut first))?;
        if first != FIRST_LINE.as_bytes() {
            let what = if first.starts_with(b"ftsim record ") {
                "a record of another version of ftsim"
            } else {
                "not a record written by `ftsim record`"
            };
            return Err(Failure::BadFile(format!("{}: this is {what}", path.display())));
        }
        Ok(Self { path, tape: TapeReader::new(file) })
    }

    /// The next entry; `None` after the last.
    ///
    /// # Errors
    /// If the record is damaged or cut short.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, Failure> {
        self.tape.next_entry().map_err(|error: TapeError| self.damaged(&error))
    }

    /// The report before and after the trace. All entries must have been read.
    ///
    /// # Errors
    /// If the record is damaged or cut short.
    pub fn report(self) -> Result<RunReport, Failure> {
        let path = self.path;
        let damaged = |what: &str| Failure::BadFile(format!("{}: {what}", path.display()));
        let mut line = Vec::new();
        at(path, self.tape.into_rest().read_until(b'\n', &mut line))?;
        if line.last() != Some(&b'\n') {
            return Err(damaged("the record is cut short after its last entry"));
        }
        serde_json::from_slice(&line)
            .map_err(|error| damaged(&format!("the record is damaged: {error}")))
    }

    fn damaged(&self, error: &TapeError) -> Failure {
        Failure::BadFile(format!("{}: {error}", self.path.display()))
    }
}
