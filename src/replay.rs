//! `ftsim replay`: one seed, shown from its settings to its verdicts.

use std::io::Write;

use ftsim_core::Outcome;
use ftsim_core::fault::Fault;
use ftsim_protocols::Catalogue;
use ftsim_reports::{outcome_json, write_figures, write_outcome, write_trace, write_trace_jsonl};
use serde_json::{Map, Value, json};

use crate::cli::{Exit, Failure, Out, ReplayArgs, TraceFormat, complain, load, show};
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
    let record = || match scenario.crash_points.zip(args.crash_point) {
        Some((every, point)) => sweep::record_crash_point(&scenario, args.seed, every, point),
        None => sweep::record(&scenario, args.seed),
    };
    match args.format {
        TraceFormat::Text => {
            write_header(out, &scenario, args.seed)?;
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
            writeln!(out)?;
            write_figures(out, &figures::of_run(&outcome))?;
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
        }
    }
    Ok(Exit::Good)
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
            _ if matches!(name, "fault" | "link" | "message") => {
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
