//! `ftsim diff`: the first difference between two runs, and the states of the processes involved.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use ftsim_core::outcome::trace::{Entry, Trace};
use ftsim_core::{Outcome, ProcessId, RunRequest};
use ftsim_protocols::Catalogue;
use ftsim_reports::{counted, line, write_trace};

use crate::cli::{Exit, Failure, Out, complain, load_all};
use crate::run;
use crate::run::divergence::{Differs, event_text, first_divergence};
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
}

pub fn diff(args: &DiffArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    let (scenarios, bad_input) = load_all(&[args.one.clone(), args.other.clone()], catalogue);
    let ([one, other], false) = (scenarios.as_slice(), bad_input) else {
        return Ok(Exit::BadInput);
    };
    let seed = args.seed.or(one.only_seed());
    let other_seed = args.other_seed.or(args.seed).or(other.only_seed()).or(seed);
    let (Some(seed), Some(other_seed)) = (seed, other_seed) else {
        complain(&format!("{} is not a repro and has many seeds: add --seed S", one.path));
        return Ok(Exit::BadInput);
    };
    if let Some(point) = args.crash_point
        && !scenarios.iter().any(|scenario| scenario.has_crash_point(point))
    {
        complain(&format!("neither {} nor {} has a crash point {point}", one.path, other.path));
        return Ok(Exit::BadInput);
    }
    for (scenario, seed) in [(one, seed), (other, other_seed)] {
        if let Some(point) = args.crash_point.filter(|point| scenario.has_crash_point(*point))
            && let Err(missing) = run::find_crash_point(scenario, seed, point)?
        {
            complain(&missing.to_string());
            return Ok(Exit::BadInput);
        }
    }
    let sides = [(one, seed), (other, other_seed)].map(|(scenario, seed)| {
        let point = args.crash_point.filter(|point| scenario.has_crash_point(*point));
        let recorded = run::record_either(scenario, seed, point)?;
        Ok::<_, InternalError>(Side { scenario, recorded })
    });
    let [one, other] = sides;
    let sides = [one?, other?];
    for (name, Side { scenario, recorded }) in ["A", "B"].iter().zip(&sides) {
        let Outcome { seed, digest, .. } = recorded.0;
        let path = line(&scenario.path);
        writeln!(out, "{name}  {path}, seed {seed}, digest {digest}")?;
    }
    writeln!(out)?;
    let [a, b] = &sides;
    match first_divergence(&a.recorded, &b.recorded) {
        None => {
            let events = counted(a.recorded.1.entries.len() as u64, "event");
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

/// One of the two runs.
struct Side<'s> {
    scenario: &'s Scenario,
    recorded: (Outcome, Trace),
}

impl Side<'_> {
    /// The states of all processes after this step.
    fn states(&self, step: u64) -> Result<Vec<String>, InternalError> {
        let Outcome { seed, plan, .. } = &self.recorded.0;
        guarded(self.scenario, *seed, || {
            let mut runner = prepare(self.scenario, *seed)?;
            Ok(runner.states(RunRequest::under(*seed, Arc::clone(plan)), step))
        })
    }

    /// The step of this event, or the last step of the run.
    fn step(&self, index: usize) -> u64 {
        let entries = &self.recorded.1.entries;
        entries.get(index).or(entries.last()).map_or(0, |entry| entry.step)
    }
}

/// Writes the last common events and the first events that differ.
fn write_event(
    out: &mut impl Write,
    sides: &[Side<'_>; 2],
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
    sides: &[Side<'_>; 2],
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
