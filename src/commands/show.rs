//! `ftsim show`: shows a record as `ftsim replay` shows a run.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use ftsim_core::outcome::trace::Entry;
use ftsim_protocols::Catalogue;
use ftsim_reports::{Columns, write_entry, write_entry_jsonl};

use crate::cli::{Exit, Failure, Out, TraceFormat};
use crate::run::record_file::Reader;
use crate::run::record_picture::write_record_page;

/// Arguments of `ftsim show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// A file written by `ftsim record`
    #[arg(value_name = "RECORD")]
    record: PathBuf,
    /// Show steps A to B excluding B; either may be omitted
    #[arg(long, value_name = "A..B", default_value = "..", hide_default_value = true)]
    steps: Steps,
    /// Write the run as FORMAT
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: TraceFormat,
    /// Draw the run on OUT, a page for a browser, instead of writing its trace
    #[arg(long, value_name = "OUT", conflicts_with_all = ["format", "steps"])]
    html: Option<PathBuf>,
}

/// A half-open range of steps.
#[derive(Clone, Copy, Debug)]
struct Steps {
    from: u64,
    until: u64,
}

impl FromStr for Steps {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |part: &str, absent: u64| match part {
            "" => Some(absent),
            part => part.replace('_', "").parse().ok(),
        };
        let range = text.split_once("..").and_then(|(from, until)| {
            Some(Self { from: number(from, 0)?, until: number(until, u64::MAX)? })
        });
        range.ok_or("expected A..B, A.. or ..B, such as 100..200")
    }
}

impl Steps {
    const fn contains(self, entry: &Entry) -> bool {
        self.from <= entry.step && entry.step < self.until
    }
}

/// Reads the record twice, because the column widths and the report, which is at its end, are
/// needed first.
pub fn show(args: &ShowArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    if let Some(page) = &args.html {
        write_record_page(page, &args.record, catalogue)?;
        return Ok(Exit::Good);
    }
    let mut columns = Columns::default();
    let mut reader = Reader::open(&args.record)?;
    while let Some(entry) = reader.next_entry()? {
        if args.steps.contains(&entry) {
            columns.make_room_for(&entry);
        }
    }
    let report = reader.report()?;
    out.begin(args.format.form())?;
    report.write(args.format, out, |out| {
        let mut reader = Reader::open(&args.record)?;
        while let Some(entry) = reader.next_entry()?.filter(|entry| entry.step < args.steps.until) {
            if out.is_closed() {
                break;
            }
            if args.steps.contains(&entry) {
                match args.format {
                    TraceFormat::Text => write_entry(out, &entry, columns)?,
                    TraceFormat::Jsonl => write_entry_jsonl(out, &entry)?,
                }
            }
        }
        Ok::<(), Failure>(())
    })?;
    Ok(Exit::Good)
}
