//! `ftsim replay`: one seed, shown from its settings to its verdicts.

use std::io::Write;

use ftsim_core::fault::Fault;
use ftsim_core::{Outcome, Trace};
use ftsim_protocols::Catalogue;
use ftsim_reports::{outcome_json, write_figures, write_outcome, write_trace, write_trace_jsonl};
use serde_json::{Map, Value, json};

use crate::cli::{Exit, Failure, Out, ReplayArgs, TraceFormat, complain, load, show};
use crate::divergence::event_text;
use crate::repro::Repro;
use crate::scenario::{Scenario, effective};
use crate::{figures, sweep};

pub fn replay(args: &ReplayArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    let scenario = match load(&args.file, catalogue) {
        Ok(scenario) => scenario,
        Err(diagnostics) => {
            show(&diagnostics);
            return Ok(Exit::BadInput);
        }
    };
    if let Some(point) = args.crash_point
        && (scenario.crash_points.is_none() || point.process.0 >= scenario.experiment.setting.n)
    {
        complain(&format!("{} has no crash point {point}", scenario.path));
        return Ok(Exit::BadInput);
    }
    let repro = scenario.repro.as_ref();
    let Some(seed) = args.seed.or(scenario.only_seed()) else {
        complain(&format!("{} is no repro and has many seeds: write --seed S", scenario.path));
        return Ok(Exit::BadInput);
    };
    let repro = repro.filter(|repro| repro.seed == seed && args.crash_point.is_none());
    let record = || sweep::record_either(&scenario, seed, args.crash_point);
    let differs;
    match args.format {
        TraceFormat::Text => {
            write_header(out, &scenario, seed)?;
            let (outcome, trace) = record()?;
            for fault in drawn(&scenario, &outcome) {
                let name = if args.crash_point.is_some() { "crash" } else { "drawn" };
                writeln!(out, "{name:9}  {fault}")?;
            }
            writeln!(out)?;
            write_trace(out, &trace)?;
            writeln!(out)?;
            write_outcome(out, &outcome)?;
            for fault in outcome.unfired.iter().filter_map(|index| outcome.plan.faults.get(*index))
            {
                writeln!(out, "{:9}  {}", "unfired", fault)?;
            }
            let rules = &scenario.experiment.overrides;
            for rule in outcome.unused.iter().filter_map(|index| rules.get(*index)) {
                writeln!(out, "{:9}  {}", "unused", rule)?;
            }
            let masks = &scenario.experiment.masks;
            for mask in outcome.unused_masks.iter().filter_map(|index| masks.get(*index)) {
                writeln!(out, "{:9}  mask of {}", "unused", mask)?;
            }
            writeln!(out)?;
            write_figures(out, &figures::of_run(&outcome))?;
            differs = repro.and_then(|repro| difference(repro, &outcome, &trace));
            if repro.is_some() && differs.is_none() {
                writeln!(out, "{:9}  the run that it stands for", "repro")?;
            }
        }
        TraceFormat::Jsonl => {
            let (outcome, trace) = record()?;
            writeln!(out, "{}", header_json(&scenario, &outcome))?;
            write_trace_jsonl(out, &trace)?;
            writeln!(
                out,
                "{}",
                json!({
                    "truncated": trace.truncated,
                    "outcome": outcome_json(&outcome),
                    "figures": figures::of_run(&outcome),
                })
            )?;
            differs = repro.and_then(|repro| difference(repro, &outcome, &trace));
        }
    }
    if let Some(differs) = differs {
        out.flush()?;
        complain(&format!("{} is not reproduced: {differs}", scenario.path));
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

fn write_header(out: &mut impl Write, scenario: &Scenario, seed: u64) -> std::io::Result<()> {
    let Scenario { path, summary, reference, .. } = scenario;
    let mut lines = vec![
        ("ftsim", env!("CARGO_PKG_VERSION").to_owned()),
        ("scenario", path.clone()),
        ("seed", seed.to_string()),
    ];
    lines.extend(summary.clone().map(|summary| ("summary", summary)));
    lines.extend(reference.clone().map(|reference| ("reference", reference)));
    lines.extend(effective(scenario));
    for (name, value) in lines {
        writeln!(out, "{name:9}  {}", value.replace('\n', " ").trim_end())?;
    }
    Ok(())
}

/// The faults that this seed drew for itself; those of the file come first in every plan.
fn drawn<'o>(scenario: &Scenario, outcome: &'o Outcome) -> impl Iterator<Item = &'o Fault> {
    outcome.plan.faults.iter().skip(scenario.experiment.plan.faults.len())
}

fn header_json(scenario: &Scenario, outcome: &Outcome) -> Value {
    let mut settings: Map<String, Value> = Map::new();
    for (name, value) in effective(scenario) {
        match settings.get_mut(name) {
            Some(Value::Array(several)) => several.push(value.into()),
            _ if matches!(name, "fault" | "link" | "message" | "mask") => {
                settings.insert(name.to_owned(), json!([value]));
            }
            _ => {
                settings.insert(name.to_owned(), value.into());
            }
        }
    }
    settings.insert("params".to_owned(), scenario.settled.params.clone());
    settings.insert("workload".to_owned(), scenario.settled.workload.clone());
    json!({
        "schema": 1,
        "ftsim": env!("CARGO_PKG_VERSION"),
        "scenario": scenario.path,
        "seed": outcome.seed,
        "settings": settings,
        "drawn": drawn(scenario, outcome).map(ToString::to_string).collect::<Vec<_>>(),
    })
}
