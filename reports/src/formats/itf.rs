//! The states of a run in the Informal Trace Format of Apalache (ADR 15), which Quint and other
//! tools for TLA+ read.
//!
//! A state follows each step of a process. Its variables are the time in nanoseconds, what happened
//! in the step, and for each process a record of the fields of its state, each as text in the form
//! of Rust's `Debug`; the variable of a process that has not started is an empty record.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use crate::diagram::Diagram;

use super::step_text;

/// Writes the states. The diagram must have the states of processes.
///
/// # Errors
/// Errors of `out`.
pub fn write_itf(out: &mut impl Write, diagram: &Diagram) -> io::Result<()> {
    let about = &diagram.about;
    let names: Vec<&str> = diagram.lanes.iter().map(|lane| lane.name.as_str()).collect();
    let vars: Vec<&str> = ["at", "what"].into_iter().chain(names.iter().copied()).collect();
    let meta = json!({
        "format": "ITF",
        "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
        "source": about.scenario,
        "description": format!("{}, seed {}, digest {}", about.protocol, about.seed, about.digest),
    });
    write!(out, "{{\"#meta\":{meta},\"params\":[],\"vars\":{},\"states\":[", json!(vars))?;
    let mut states: Vec<Map<String, Value>> = vec![Map::new(); names.len()];
    let steps = diagram.steps.iter().filter(|step| step.lane.is_some());
    for (index, step) in steps.enumerate() {
        if let Some(own) = step.lane.and_then(|lane| states.get_mut(lane as usize)) {
            for change in &step.state {
                let (name, value) = (diagram.text(change.0), diagram.text(change.1));
                let name = if name.is_empty() { "state" } else { name };
                own.insert(name.to_owned(), value.into());
            }
        }
        let mut state = json!({
            "#meta": { "index": index, "step": step.number.to_string() },
            "at": { "#bigint": step.at.to_string() },
            "what": step_text(diagram, step),
        });
        for (name, own) in names.iter().zip(&states) {
            state[*name] = Value::Object(own.clone());
        }
        let comma = if index > 0 { "," } else { "" };
        write!(out, "{comma}\n{state}")?;
    }
    writeln!(out, "\n]}}")
}
