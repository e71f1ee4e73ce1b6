//! `ftsim replay`: shows one run: settings, trace and verdicts.

use std::io::Write;
use std::ops::Range;
use std::path::PathBuf;

use clap::Args;
use ftsim_protocols::Catalogue;
use ftsim_reports::{
    LaneSteps, write_chrome_trace, write_dot, write_edn, write_itf, write_shiviz, write_trace,
    write_trace_jsonl,
};

use crate::cli::screen::Form;
use crate::cli::{Exit, Failure, Out, RunFormat, TraceFormat, complain};
use crate::run;
use crate::run::audited;
use crate::run::audited::Audit;
use crate::run::lanes::{LanesArgs, step_range};
use crate::run::one_run::OneRunArgs;
use crate::run::picture::{plain_diagram, write_drawing, write_page};
use crate::run::report::RunReport;
use crate::run::repro;
use crate::run::story::{first, violations};

/// Arguments of `ftsim replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    run: OneRunArgs,
    /// Write the run as FORMAT
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: RunFormat,
    /// Draw the run on OUT, a page for a browser, instead of writing its trace
    #[arg(long, value_name = "OUT", conflicts_with_all = ["format", "lanes"])]
    html: Option<PathBuf>,
    /// Draw the steps that led to a violation on OUT, a static picture (SVG); without a violation,
    /// faults, requests, indications and the first steps
    #[arg(long, value_name = "OUT", conflicts_with_all = ["format", "html", "lanes"])]
    svg: Option<PathBuf>,
    #[command(flatten)]
    lanes: LanesArgs,
    /// Draw steps A to B - 1 only; default: about 200 steps, those nearest to a violation first
    #[arg(long, value_name = "A..B", requires = "lanes", value_parser = step_range)]
    steps: Option<Range<u64>>,
    /// Audit the trace; a finding is a defect of ftsim (status 70)
    #[arg(long)]
    audit: bool,
}

pub fn replay(args: &ReplayArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    let Some(run) = args.run.open(catalogue)? else { return Ok(Exit::BadInput) };
    let (outcome, trace) = run.record()?;
    if let Some(path) = args.html.as_ref().or(args.svg.as_ref()) {
        let violations = violations(&run.scenario, &outcome);
        let write = if args.html.is_some() { write_page } else { write_drawing };
        write(path, &run, (&outcome, &trace), first(&run.scenario, &violations))?;
    } else if let Some(format) = args.format.of_trace() {
        let report = RunReport::of(&run, &outcome, trace.truncated)?;
        out.begin(format.form())?;
        report.write(format, out, |out| match format {
            TraceFormat::Text if args.lanes.lanes => {
                let violations = violations(&run.scenario, &outcome);
                let told = first(&run.scenario, &violations);
                let steps = args.steps.clone().map_or(LaneSteps::All, LaneSteps::Numbers);
                args.lanes.write(out, &run, (&outcome, &trace), told, steps)
            }
            TraceFormat::Text => Ok(write_trace(out, &trace)?),
            TraceFormat::Jsonl => Ok(write_trace_jsonl(out, &trace)?),
        })?;
    } else if args.format == RunFormat::Edn {
        let (_, operations) = run::operations(&run.scenario, run.request()?)?;
        out.begin(Form::Data)?;
        write_edn(out, run.scenario.experiment.setting.n, &operations, &trace)?;
    } else {
        let diagram = plain_diagram(&run, (&outcome, &trace))?;
        out.begin(Form::Data)?;
        match args.format {
            RunFormat::Shiviz => write_shiviz(out, &diagram)?,
            RunFormat::ChromeTrace => write_chrome_trace(out, &diagram)?,
            RunFormat::Dot => write_dot(out, &diagram)?,
            RunFormat::Itf => write_itf(out, &diagram)?,
            RunFormat::Text | RunFormat::Jsonl | RunFormat::Edn => {}
        }
    }
    if args.audit {
        let audit = Audit::of(&run.scenario, run.point, &outcome, &trace);
        out.flush()?;
        if !audited::tell(&run.scenario.path, &audit) {
            return Ok(Exit::Internal);
        }
    }
    if let Some(differs) = run.repro().and_then(|repro| repro::difference(repro, &outcome, &trace))
    {
        out.flush()?;
        complain(&format!("{} is not reproduced: {differs}", run.scenario.path));
        return Ok(Exit::NotDeterministic);
    }
    Ok(Exit::Good)
}
