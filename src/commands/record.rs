//! `ftsim record`: writes one run of any length to a file as it executes.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use ftsim_protocols::Catalogue;
use indicatif::{DecimalBytes, ProgressBar};

use crate::cli::interrupt;
use crate::cli::progress::spinner;
use crate::cli::{Exit, Failure, Out, complain};
use crate::files::WholeFile;
use crate::files::at;
use crate::run::one_run::OneRunArgs;
use crate::run::record_file;

/// Arguments of `ftsim record`.
#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    #[command(flatten)]
    run: OneRunArgs,
    /// Write the record to RECORD
    #[arg(long, short, value_name = "RECORD")]
    output: PathBuf,
}

pub fn record(args: &RecordArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    let Some(run) = args.run.open(catalogue)? else { return Ok(Exit::BadInput) };
    let mut file = WholeFile::create(&args.output)?;
    let (halt, bar) = (interrupt::listen(), spinner(&run.scenario.path));
    let mut watched = Watched { file: &mut file, halt, bar: &bar, written: 0 };
    let written = record_file::write(&run, &mut watched)?;
    bar.finish_and_clear();
    if halt.load(Ordering::Relaxed) {
        complain("interrupted; no record is written");
        return Ok(Exit::Interrupted);
    }
    let (outcome, report) = at(&args.output, written)?;
    file.finish()?;
    report.write_text(out)?;
    match run.repro() {
        Some(repro) if repro.digest != outcome.digest.to_string() => {
            out.flush()?;
            complain(&format!(
                "{} is not reproduced: its digest is {}, this run has {}; `ftsim replay` shows \
                 where they differ",
                run.scenario.path, repro.digest, outcome.digest
            ));
            Ok(Exit::NotDeterministic)
        }
        _ => Ok(Exit::Good),
    }
}

/// A writer that counts the bytes it passes on, shows progress, and fails once interrupted.
struct Watched<'a> {
    file: &'a mut WholeFile,
    halt: &'a AtomicBool,
    bar: &'a ProgressBar,
    written: u64,
}

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.halt.load(Ordering::Relaxed) {
            return Err(io::Error::other("interrupted"));
        }
        let count = self.file.write(bytes)?;
        self.written += count as u64;
        self.bar.set_message(format!("{}", DecimalBytes(self.written)));
        self.bar.tick();
        Ok(count)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
