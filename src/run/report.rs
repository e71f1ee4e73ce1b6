//! The report of a run: the parts before and after its trace.

use std::io::{self, Write};

use ftsim_core::Outcome;
use ftsim_core::fault::Fault;
use ftsim_reports::{line, outcome_json, write_figures, write_outcome};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::cli::TraceFormat;
use crate::run::figures;
use crate::run::one_run::OneRun;
use crate::scenario::{Scenario, effective};

/// The report of a run, as text and as JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RunReport {
    text: Around<String>,
    jsonl: Around<Value>,
}

/// The parts before and after the trace.
#[derive(Debug, Serialize, Deserialize)]
struct Around<T> {
    before: T,
    after: T,
}

impl RunReport {
    /// The report of a run, whose trace may be incomplete.
    ///
    /// # Errors
    /// None: writing to memory cannot fail.
    pub fn of(run: &OneRun, outcome: &Outcome, truncated: bool) -> io::Result<Self> {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        write_before(&mut before, run, outcome)?;
        write_after(&mut after, run, outcome)?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let last = json!({
            "truncated": truncated,
            "outcome": outcome_json(outcome),
            "figures": figures::of_run(outcome),
        });
        Ok(Self {
            text: Around { before: text(before), after: text(after) },
            jsonl: Around { before: header_json(&run.scenario, outcome), after: last },
        })
    }

    /// Writes the report around the trace.
    ///
    /// # Errors
    /// Errors of `out` and of `trace`.
    pub fn write<W: Write, E: From<io::Error>>(
        &self,
        format: TraceFormat,
        out: &mut W,
        trace: impl FnOnce(&mut W) -> Result<(), E>,
    ) -> Result<(), E> {
        match format {
            TraceFormat::Text => {
                writeln!(out, "{}", self.text.before)?;
                trace(out)?;
                write!(out, "\n{}", self.text.after)?;
            }
            TraceFormat::Jsonl => {
                writeln!(out, "{}", self.jsonl.before)?;
                trace(out)?;
                writeln!(out, "{}", self.jsonl.after)?;
            }
        }
        Ok(())
    }

    /// The parts before and after the trace, as JSON.
    pub const fn json(&self) -> (&Value, &Value) {
        (&self.jsonl.before, &self.jsonl.after)
    }

    /// Writes the report alone, as text.
    ///
    /// # Errors
    /// Errors of `out`.
    pub fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        write!(out, "{}\n{}", self.text.before, self.text.after)
    }
}

fn write_before(out: &mut impl Write, run: &OneRun, outcome: &Outcome) -> io::Result<()> {
    write_header(out, &run.scenario, run.seed)?;
    for fault in drawn(&run.scenario, outcome) {
        let name = if run.point.is_some() { "crash" } else { "drawn" };
        writeln!(out, "{name:9}  {}", line(&fault.to_string()))?;
    }
    Ok(())
}

fn write_after(out: &mut impl Write, run: &OneRun, outcome: &Outcome) -> io::Result<()> {
    write_outcome(out, outcome)?;
    for fault in outcome.unfired.iter().filter_map(|index| outcome.plan.faults.get(*index)) {
        writeln!(out, "{:9}  {}", "unfired", line(&fault.to_string()))?;
    }
    let experiment = &run.scenario.experiment;
    for rule in outcome.unused.iter().filter_map(|index| experiment.overrides.get(*index)) {
        writeln!(out, "{:9}  {}", "unused", line(&rule.to_string()))?;
    }
    let unused = &outcome.unused_requests;
    for rule in unused.iter().filter_map(|index| experiment.requests.get(*index)) {
        writeln!(out, "{:9}  {}", "unused", line(&rule.to_string()))?;
    }
    for mask in outcome.unused_masks.iter().filter_map(|index| experiment.masks.get(*index)) {
        writeln!(out, "{:9}  mask of {}", "unused", mask)?;
    }
    writeln!(out)?;
    write_figures(out, &figures::of_run(outcome))?;
    if run.repro().is_some_and(|repro| repro.digest == outcome.digest.to_string()) {
        writeln!(out, "{:9}  the run matches it", "repro")?;
    }
    Ok(())
}

fn write_header(out: &mut impl Write, scenario: &Scenario, seed: u64) -> io::Result<()> {
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
        let value = value.trim_end().replace('\n', " ");
        writeln!(out, "{name:9}  {}", line(&value))?;
    }
    Ok(())
}

/// The faults that this seed drew; the faults of the file come first in every plan.
fn drawn<'o>(scenario: &Scenario, outcome: &'o Outcome) -> impl Iterator<Item = &'o Fault> {
    outcome.plan.faults.iter().skip(scenario.experiment.plan.faults.len())
}

fn header_json(scenario: &Scenario, outcome: &Outcome) -> Value {
    let mut settings: Map<String, Value> = Map::new();
    for (name, value) in effective(scenario) {
        match settings.get_mut(name) {
            Some(Value::Array(several)) => several.push(value.into()),
            _ if matches!(name, "fault" | "link" | "message" | "request" | "mask" | "draw") => {
                settings.insert(name.to_owned(), json!([value]));
            }
            _ => {
                settings.insert(name.to_owned(), value.into());
            }
        }
    }
    settings.insert("params".to_owned(), scenario.resolved.params.clone());
    settings.insert("workload".to_owned(), scenario.resolved.workload.clone());
    json!({
        "schema": 1,
        "ftsim": env!("CARGO_PKG_VERSION"),
        "scenario": scenario.path,
        "seed": outcome.seed,
        "settings": settings,
        "drawn": drawn(scenario, outcome).map(ToString::to_string).collect::<Vec<_>>(),
    })
}
