//! `ftsim record`: one run of any length, written to a file while it goes on.
//!
//! The file is a line that says what it is, the tape (`ftsim_core::tape`), and the account of the
//! run as a line of JSON.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use ftsim_core::Outcome;
use ftsim_core::tape::{TapeError, TapeReader};
use ftsim_core::trace::Entry;
use ftsim_protocols::Catalogue;

use crate::account::Account;
use crate::cli::{Exit, Failure, Out, complain};
use crate::one_run::{OneRun, OneRunArgs};
use crate::results::at;
use crate::sweep::{guarded, prepare};
use crate::whole_file::WholeFile;

/// The first line of a record.
const FIRST_LINE: &str = "ftsim record 1\n";

/// What `ftsim record` is told.
#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    #[command(flatten)]
    run: OneRunArgs,
    /// Write the record to RECORD
    #[arg(long, short, value_name = "RECORD")]
    output: PathBuf,
}

pub fn record(args: &RecordArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    let Some(run) = args.run.open(catalogue) else { return Ok(Exit::BadInput) };
    let (outcome, account) = write(&run, &args.output)?;
    account.write_text(out)?;
    match run.repro() {
        Some(repro) if repro.digest != outcome.digest.to_string() => {
            out.flush()?;
            complain(&format!(
                "{} is not reproduced: its digest is {}, this run has {}; `ftsim replay` tells \
                 where they begin to differ",
                run.scenario.path, repro.digest, outcome.digest
            ));
            Ok(Exit::NotDeterministic)
        }
        _ => Ok(Exit::Good),
    }
}

/// Makes the run, and writes its record.
fn write(run: &OneRun, path: &Path) -> Result<(Outcome, Account), Failure> {
    let mut file = WholeFile::create(path)?;
    at(path, file.write_all(FIRST_LINE.as_bytes()))?;
    let OneRun { scenario, seed, .. } = run;
    let outcome = guarded(scenario, *seed, || {
        Ok(prepare(scenario, *seed)?.record_to(*seed, run.plan(), &mut file))
    })?;
    let outcome = at(path, outcome)?;
    let account = Account::of(run, &outcome, false)?;
    let line = serde_json::to_string(&account).map_err(io::Error::from);
    at(path, line.and_then(|line| writeln!(file, "{line}")))?;
    file.finish()?;
    Ok((outcome, account))
}

/// A record that is being read.
pub(crate) struct Reader<'p> {
    path: &'p Path,
    tape: TapeReader<BufReader<File>>,
}

impl<'p> Reader<'p> {
    /// Opens a record.
    ///
    /// # Errors
    /// When it cannot be read, or is none.
    pub fn open(path: &'p Path) -> Result<Self, Failure> {
        let mut file = BufReader::new(at(path, File::open(path))?);
        let mut first = Vec::new();
        let limit = FIRST_LINE.len() as u64;
        at(path, (&mut file).take(limit).read_to_end(&mut first))?;
        if first != FIRST_LINE.as_bytes() {
            let what = if first.starts_with(b"ftsim record ") {
                "a record of another version of ftsim"
            } else {
                "not a record that `ftsim record` has written"
            };
            return Err(Failure::BadFile(format!("{}: this is {what}", path.display())));
        }
        Ok(Self { path, tape: TapeReader::new(file) })
    }

    /// The next entry; `None` behind the last.
    ///
    /// # Errors
    /// When the record is damaged or cut short.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, Failure> {
        self.tape.next_entry().map_err(|error: TapeError| self.damaged(&error))
    }

    /// What is told around the trace. All entries have been read.
    ///
    /// # Errors
    /// When the record is damaged or cut short.
    pub fn account(self) -> Result<Account, Failure> {
        let path = self.path;
        let damaged = |what: &str| Failure::BadFile(format!("{}: {what}", path.display()));
        let mut line = Vec::new();
        at(path, self.tape.into_rest().read_until(b'\n', &mut line))?;
        if line.last() != Some(&b'\n') {
            return Err(damaged("the record is cut short behind its last entry"));
        }
        serde_json::from_slice(&line)
            .map_err(|error| damaged(&format!("the record is damaged: {error}")))
    }

    fn damaged(&self, error: &TapeError) -> Failure {
        Failure::BadFile(format!("{}: {error}", self.path.display()))
    }
}
