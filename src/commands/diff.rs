//! `ftsim diff`: the first difference between two runs, and the states of the processes involved.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use ftsim_core::outcome::trace::{Entry, Trace};
use ftsim_core::{Outcome, ProcessId, RunRequest};
use ftsim_protocols::Catalogue;
use ftsim_reports::{Pair, counted, line, program, shell_word, write_pair_page, write_trace};

use crate::cli::{Exit, Failure, Out, complain, load_all};
use crate::files::{at, write_whole};
use crate::run;
use crate::run::divergence::{Differs, event_text, first_divergence};
use crate::run::one_run::OneRun;
use crate::run::picture;
use crate::run::{InternalError, guarded, prepare};
use crate::scenario::Scenario;
use crate::scenario::crash_point::CrashPoint;
use crate::scenario::seeds;

/// The number of common events shown before the first difference.
const CONTEXT: usize = 5;

/// Arguments of `ftsim diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// Compare a run of this scenario file or repro
    #[arg(value_name = "A")]
    pub one: PathBuf,
    /// Compare it with a run of this scenario file or repro
    #[arg(value_name = "B")]
    pub other: PathBuf,
    /// Run seed S of A, and also of B; default: the repros' seeds
    #[arg(long, value_name = "S", value_parser = seeds::seed)]
    pub seed: Option<u64>,
    /// Run seed T of B
    #[arg(long, value_name = "T", value_parser = seeds::seed)]
    pub other_seed: Option<u64>,
    /// Crash process P after its Nth effect, in A, B or both: those that run every crash point
    #[arg(long, value_name = "P:N")]
    pub crash_point: Option<CrashPoint>,
    /// Draw both runs on OUT, a page for a browser, instead of writing the difference
    #[arg(long, value_name = "OUT")]
    html: Option<PathBuf>,
}

pub fn diff(args: &DiffArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    let Some([one, other]) = open(args, catalogue)? else { return Ok(Exit::BadInput) };
    let record = |run: OneRun| {
        let recorded = run.record()?;
        Ok::<_, InternalError>(Side { run, recorded })
    };
    let sides = [record(one)?, record(other)?];
    let difference = first_divergence(&sides[0].recorded, &sides[1].recorded);
    if let Some(page) = &args.html {
        write_page(page, &sides, difference.as_ref())?;
        return Ok(if difference.is_some() { Exit::Unexpected } else { Exit::Good });
    }
    for (name, Side { run, recorded }) in ["A", "B"].iter().zip(&sides) {
        let Outcome { seed, digest, .. } = recorded.0;
        let path = line(&run.scenario.path);
        writeln!(out, "{name}  {path}, seed {seed}, digest {digest}")?;
    }
    writeln!(out)?;
    match difference {
        None => {
            let events = counted(sides[0].recorded.1.entries.len() as u64, "event");
            writeln!(out, "the two runs are identical: {events}")?;
            return Ok(Exit::Good);
        }
        Some(Differs::Event { index, one, other }) => {
            write_event(out, &sides, index, [one.as_deref(), other.as_deref()])?;
            write_states(out, &sides, index, [one.as_deref(), other.as_deref()])?;
        }
        Some(differs) => writeln!(out, "{differs}")?,
    }
    Ok(Exit::Unexpected)
}

/// The two runs; `None`, after an error message, if there are no such runs.
///
/// # Errors
/// If ftsim itself fails.
fn open(args: &DiffArgs, catalogue: &Catalogue) -> Result<Option<[OneRun; 2]>, InternalError> {
    let (scenarios, bad_input) = load_all(&[args.one.clone(), args.other.clone()], catalogue);
    let (Ok([one, other]), false) = (<[Scenario; 2]>::try_from(scenarios), bad_input) else {
        return Ok(None);
    };
    let seed = args.seed.or(one.only_seed());
    let other_seed = args.other_seed.or(args.seed).or(other.only_seed()).or(seed);
    let (Some(seed), Some(other_seed)) = (seed, other_seed) else {
        complain(&format!("{} is not a repro and has many seeds: add --seed S", one.path));
        return Ok(None);
    };
    let point_of =
        |scenario: &Scenario| args.crash_point.filter(|point| scenario.has_crash_point(*point));
    let points = [point_of(&one), point_of(&other)];
    if let Some(point) = args.crash_point
        && points == [None, None]
    {
        complain(&format!("neither {} nor {} has a crash point {point}", one.path, other.path));
        return Ok(None);
    }
    let [point, other_point] = points;
    let runs = [
        OneRun { scenario: one, seed, point },
        OneRun { scenario: other, seed: other_seed, point: other_point },
    ];
    for OneRun { scenario, seed, point } in &runs {
        if let Some(point) = *point
            && let Err(missing) = run::find_crash_point(scenario, *seed, point)?
        {
            complain(&missing.to_string());
            return Ok(None);
        }
    }
    Ok(Some(runs))
}

/// One of the two runs.
struct Side {
    run: OneRun,
    recorded: (Outcome, Trace),
}

impl Side {
    /// The states of all processes after this step.
    fn states(&self, step: u64) -> Result<Vec<String>, InternalError> {
        let Outcome { seed, plan, .. } = &self.recorded.0;
        let scenario = &self.run.scenario;
        guarded(scenario, *seed, || {
            let mut runner = prepare(scenario, *seed)?;
            Ok(runner.states(RunRequest::under(*seed, Arc::clone(plan)), step))
        })
    }

    /// The step of this event, or the last step of the run.
    fn step(&self, index: usize) -> u64 {
        let entries = &self.recorded.1.entries;
        entries.get(index).or(entries.last()).map_or(0, |entry| entry.step)
    }
}

/// Writes the page of both runs.
///
/// # Errors
/// If a run is too long or the file cannot be written, or ftsim itself fails.
fn write_page(path: &Path, sides: &[Side; 2], differs: Option<&Differs>) -> Result<(), Failure> {
    let [a, b] = sides;
    let of = |side: &Side| (side.run.seed, shell_word(&side.run.scenario.path));
    let ((seed, one), (other_seed, other)) = (of(a), of(b));
    let mut command = format!("{} diff {one} {other} --seed {seed}", program());
    if other_seed != seed {
        command.push_str(&format!(" --other-seed {other_seed}"));
    }
    if let Some(point) = a.run.point.or(b.run.point) {
        command.push_str(&format!(" --crash-point {point}"));
    }
    let index = match differs {
        Some(Differs::Event { index, .. }) => Some(*index),
        Some(Differs::Digest(..)) | None => None,
    };
    let recorded =
        |side: &'_ Side| picture::plain_diagram(&side.run, (&side.recorded.0, &side.recorded.1));
    let runs = [recorded(a)?, recorded(b)?];
    let pair = Pair::of(runs, [&a.recorded.1, &b.recorded.1], index, command);
    let mut page = Vec::new();
    at(path, write_pair_page(&mut page, &pair))?;
    write_whole(path, &page)?;
    Ok(())
}

/// Writes the last common events and the first events that differ.
fn write_event(
    out: &mut impl Write,
    sides: &[Side; 2],
    index: usize,
    events: [Option<&Entry>; 2],
) -> io::Result<()> {
    let entries = &sides[0].recorded.1.entries;
    let common = entries[index.saturating_sub(CONTEXT)..index].to_vec();
    if index > common.len() {
        let verb = if index - common.len() == 1 { "is" } else { "are" };
        let events = counted((index - common.len()) as u64, "event");
        writeln!(out, "… {events} {verb} the same")?;
    }
    write_trace(out, &Trace { entries: common, truncated: false })?;
    writeln!(out)?;
    writeln!(out, "they differ from event {} on", index + 1)?;
    for (name, event) in ["A", "B"].iter().zip(events) {
        let text = event.map_or_else(|| "the run has ended".to_owned(), event_text);
        writeln!(out, "{name}  {text}")?;
    }
    writeln!(out)
}

/// Writes the states of the two events' processes, after the events' steps.
fn write_states(
    out: &mut Out,
    sides: &[Side; 2],
    index: usize,
    events: [Option<&Entry>; 2],
) -> Result<(), Failure> {
    let concerned: BTreeSet<ProcessId> =
        events.iter().flatten().filter_map(|entry| entry.process).collect();
    let [a, b] = sides;
    let (step, other_step) = (a.step(index), b.step(index));
    let (states, others) = (a.states(step)?, b.states(other_step)?);
    for p in concerned {
        let absent = "there is no such process".to_owned();
        let state = |states: &[String]| states.get(p.index()).unwrap_or(&absent).clone();
        let (state, other) = (state(&states), state(&others));
        let (state, other) = (line(&state), line(&other));
        if state == other {
            writeln!(out, "{p} in both, after step {step}: {state}")?;
        } else {
            writeln!(out, "{p} in A, after step {step}: {state}")?;
            writeln!(out, "{p} in B, after step {other_step}: {other}")?;
        }
    }
    Ok(())
}
