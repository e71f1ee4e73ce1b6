//! `ftsim replay`: one seed, shown from its settings to its verdicts.

use std::io::Write;

use clap::Args;
use ftsim_core::{Outcome, Trace};
use ftsim_protocols::Catalogue;
use ftsim_reports::{write_trace, write_trace_jsonl};

use crate::audited_run::{self, Audit};
use crate::cli::{Exit, Failure, Out, TraceFormat, complain};
use crate::divergence::event_text;
use crate::one_run::OneRunArgs;
use crate::repro::Repro;
use crate::run_report::RunReport;

/// What `ftsim replay` is told.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    run: OneRunArgs,
    /// Write the run as FORMAT
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: TraceFormat,
    /// Audit the trace; what is found is a defect of ftsim (status 70)
    #[arg(long)]
    audit: bool,
}

pub fn replay(args: &ReplayArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    let Some(run) = args.run.open(catalogue)? else { return Ok(Exit::BadInput) };
    let (outcome, trace) = run.record()?;
    let report = RunReport::of(&run, &outcome, trace.truncated)?;
    out.begin(args.format.form())?;
    report.write(args.format, out, |out| match args.format {
        TraceFormat::Text => write_trace(out, &trace),
        TraceFormat::Jsonl => write_trace_jsonl(out, &trace),
    })?;
    if args.audit {
        let audit = Audit::of(&run.scenario, run.point, &outcome, &trace);
        out.flush()?;
        if !audited_run::tell(&run.scenario.path, &audit) {
            return Ok(Exit::Internal);
        }
    }
    if let Some(differs) = run.repro().and_then(|repro| difference(repro, &outcome, &trace)) {
        out.flush()?;
        complain(&format!("{} is not reproduced: {differs}", run.scenario.path));
        return Ok(Exit::NotDeterministic);
    }
    Ok(Exit::Good)
}

/// How a run differs from the one that a repro stands for, if it does.
pub(crate) fn difference(repro: &Repro, outcome: &Outcome, trace: &Trace) -> Option<String> {
    let (found, digest) = (outcome.digest.to_string(), &repro.digest);
    if found == *digest {
        return None;
    }
    let engine = match repro.engine.as_str() {
        env!("CARGO_PKG_VERSION") => String::new(),
        other => format!(" (it is of ftsim {other}, this is {})", env!("CARGO_PKG_VERSION")),
    };
    let marks = repro.marks.as_ref().and_then(|marks| marks.first_difference(trace));
    let place = marks.map_or_else(
        || "nothing tells in which event they begin to differ".to_owned(),
        |events| first_event(trace, &events),
    );
    Some(format!("its digest is {digest}, this run has {found}{engine}\n{place}"))
}

/// The event that is the first to differ, as this run has it.
fn first_event(trace: &Trace, events: &std::ops::Range<u64>) -> String {
    let (first, last) = (events.start + 1, events.end);
    let index = usize::try_from(events.start).unwrap_or(usize::MAX);
    let shown = trace.entries.get(index).map_or("the run has ended".into(), event_text);
    if first == last {
        format!("they differ from event {first} on, here: {shown}")
    } else {
        format!("they differ from one of the events {first} to {last} on, the first here: {shown}")
    }
}
