//! `ftsim shrink`: reduces a failing run to a minimal scenario that fails in the same way.

use std::io::Write;
use std::ops::Range;
use std::path::PathBuf;

use clap::Args;
use ftsim_core::{Duration, Outcome, PropertyId};
use ftsim_protocols::Catalogue;
use ftsim_reports::counted;

use crate::cli::interrupt;
use crate::cli::progress::spinner;
use crate::cli::screen::Form;
use crate::cli::{Exit, Failure, Out, complain, say};
use crate::files::write_whole;
use crate::run;
use crate::run::one_run::OneRunArgs;
use crate::run::{InternalError, Repeat, RunError};
use crate::scenario::Scenario;
use crate::scenario::crash_point::{CrashPoint, NoSuchPoint};
use crate::shrink;
use crate::shrink::{Case, Effort, Shrunk, Size, Target};

/// Arguments of `ftsim shrink`.
#[derive(Debug, Args)]
pub(crate) struct ShrinkArgs {
    #[command(flatten)]
    run: OneRunArgs,
    /// Preserve the violation of property ID; default: the first one that the scenario expects,
    /// otherwise the first one in the run
    #[arg(long, value_name = "ID")]
    property: Option<String>,
    /// Write the scenario to FILE; default: standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Stop after this wall-clock time, such as 60s, with the smallest scenario so far
    #[arg(long, value_name = "TIME", default_value = "60s")]
    budget: Duration,
}

pub fn shrink(args: &ShrinkArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    let Some(scenario) = args.run.scenario(catalogue) else { return Ok(Exit::BadInput) };
    let wanted = match &args.property {
        None => scenario.expect.violated.clone(),
        Some(name) => match scenario.checked.iter().find(|property| property.id.0 == name) {
            Some(property) => vec![property.id],
            None => {
                complain(&format!("{} checks no property {name}", scenario.path));
                return Ok(Exit::BadInput);
            }
        },
    };
    let is_asked =
        |target: &Target| args.property.is_none() || wanted.iter().any(|id| id.0 == target.name());
    if let Some(missing) = missing_point(&scenario, args)? {
        complain(&missing.to_string());
        return Ok(Exit::BadInput);
    }
    let Some((outcome, target)) = failing_run(&scenario, args, &wanted, is_asked)? else {
        let what = args.property.as_deref().unwrap_or("anything");
        complain(&format!("no run of {} violates {what}", scenario.path));
        return Ok(Exit::Unexpected);
    };
    let bar = spinner(&scenario.path);
    let progress = |runs: u64, best: &Case| {
        bar.set_message(format!("{runs} runs, {} lines", best.line_count()));
        bar.tick();
    };
    let budget = std::time::Duration::from_nanos(args.budget.as_nanos());
    let effort = Effort { budget, halt: interrupt::listen(), progress: &progress };
    let shrunk = shrink::shrink(&scenario, &outcome, &target, &effort)?;
    bar.finish_and_clear();
    match &args.output {
        Some(path) => write_whole(path, shrunk.text.as_bytes())?,
        None => {
            out.begin(Form::Data)?;
            write!(out, "{}", shrunk.text)?;
        }
    }
    out.flush()?;
    tell(&shrunk, outcome.seed);
    let interrupted = effort.halt.load(std::sync::atomic::Ordering::Relaxed);
    Ok(if interrupted { Exit::Interrupted } else { Exit::Good })
}

/// The run to shrink: the selected one, or the first of the scenario's own runs that fails.
fn failing_run(
    scenario: &Scenario,
    args: &ShrinkArgs,
    wanted: &[PropertyId],
    is_asked: impl Fn(&Target) -> bool,
) -> Result<Option<(Outcome, Target)>, RunError> {
    for seed in seeds(scenario, args) {
        for point in points(scenario, seed, args.run.crash_point)? {
            let outcome = run::run_one(scenario, seed, point, Repeat::Once)?;
            if let Some(target) = Target::of(&outcome, wanted).filter(&is_asked) {
                return Ok(Some((outcome, target)));
            }
        }
    }
    Ok(None)
}

/// The seeds to search: the selected one, or the scenario's own.
fn seeds(scenario: &Scenario, args: &ShrinkArgs) -> Range<u64> {
    args.run.seed.map_or_else(|| scenario.seeds.clone(), |seed| seed..seed.saturating_add(1))
}

/// The error for a selected crash point that no seed has.
fn missing_point(
    scenario: &Scenario,
    args: &ShrinkArgs,
) -> Result<Option<NoSuchPoint>, InternalError> {
    let Some(point) = args.run.crash_point else { return Ok(None) };
    let mut missing = None;
    for seed in seeds(scenario, args) {
        match run::find_crash_point(scenario, seed, point)? {
            Ok(()) => return Ok(None),
            Err(why) => missing = missing.or(Some(why)),
        }
    }
    Ok(missing)
}

/// The candidate crash points of a seed: the selected one, if the seed has it, or all.
fn points(
    scenario: &Scenario,
    seed: u64,
    asked: Option<CrashPoint>,
) -> Result<Vec<Option<CrashPoint>>, InternalError> {
    let Some(every) = scenario.crash_points else { return Ok(vec![None]) };
    let all = run::crash_points(scenario, seed, every)?.into_iter().map(|(point, _)| point);
    Ok(all.filter(|point| asked.is_none_or(|asked| asked == *point)).map(Some).collect())
}

/// Reports the result on stderr.
fn tell(shrunk: &Shrunk, seed: u64) {
    let Shrunk { before, after, runs, target, .. } = shrunk;
    let line = |size: &Size| {
        let Size { processes, events, faults, messages, requests } = size;
        format!(
            "{}, {}, {}, {} written out, {}",
            counted(u64::from(*processes), "process"),
            counted(*requests, "request"),
            counted(*faults as u64, "fault"),
            counted(*messages as u64, "message"),
            counted(*events, "event"),
        )
    };
    let minimal = if shrunk.is_minimal {
        "nothing more can be removed"
    } else {
        "time was up: more might be removable"
    };
    let (message, runs) = (ftsim_reports::line(&shrunk.message), counted(*runs, "run"));
    let mut text = format!("seed {seed}, {}: {message}\n", target.name());
    text.push_str(&format!("  before  {}\n  after   {}\n", line(before), line(after)));
    text.push_str(&format!("  {runs}; {minimal}\n"));
    if shrunk.needs_its_seed {
        text.push_str("  the seed still decides something that matters\n");
    }
    say(&text);
}
