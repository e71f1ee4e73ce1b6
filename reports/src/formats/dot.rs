//! The happened-before relation of a run as a graph in the DOT language, for Graphviz.
//!
//! A process is a cluster, a step a node; an edge leads from each step to the next one of its
//! process, and from a cause to its effect: a message has its kind, other causes are dashed.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::diagram::{Diagram, DiagramStep};
use crate::foreign::line;

use super::{lane_name, step_text};

/// The maximum length of a label, in characters.
const LABEL_LENGTH_MAX: usize = 60;

/// Writes the graph.
///
/// # Errors
/// Errors of `out`.
pub fn write_dot(out: &mut impl Write, diagram: &Diagram) -> io::Result<()> {
    let about = &diagram.about;
    writeln!(out, "digraph {} {{", quoted(&format!("{}, seed {}", about.scenario, about.seed)))?;
    writeln!(out, "  rankdir=LR; node [shape=box, fontname=\"sans-serif\", fontsize=10];")?;
    let mut lanes: BTreeMap<Option<u32>, Vec<usize>> = BTreeMap::new();
    for (index, step) in diagram.steps.iter().enumerate() {
        lanes.entry(step.lane).or_default().push(index);
    }
    for (cluster, steps) in lanes.values().enumerate() {
        let name = lane_name(diagram, &diagram.steps[steps[0]]);
        writeln!(out, "  subgraph cluster_{cluster} {{ label={};", quoted(name))?;
        for index in steps {
            let step = &diagram.steps[*index];
            writeln!(out, "    s{index} [label={}{}];", label(diagram, step), colour(step))?;
        }
        writeln!(out, "  }}")?;
    }
    let kinds = kinds(diagram);
    for (index, step) in diagram.steps.iter().enumerate() {
        if let Some(before) = step.before {
            writeln!(out, "  s{before} -> s{index} [color=gray, weight=8];")?;
        }
        match (step.cause, kinds.get(&index)) {
            (Some(cause), Some(kind)) => {
                writeln!(out, "  s{cause} -> s{index} [label={}];", quoted(kind))?;
            }
            (Some(cause), None) => writeln!(out, "  s{cause} -> s{index} [style=dashed];")?,
            (None, _) => {}
        }
    }
    writeln!(out, "}}")
}

fn label(diagram: &Diagram, step: &DiagramStep) -> String {
    quoted(&format!("{}  {}", step.number, step_text(diagram, step)))
}

fn colour(step: &DiagramStep) -> &'static str {
    match step.parts.iter().any(|part| matches!(part.event, "violation" | "panic")) {
        true => ", color=red, penwidth=2",
        false => "",
    }
}

/// The kind of the message that each step delivers, if it delivers one.
fn kinds(diagram: &Diagram) -> BTreeMap<usize, &str> {
    let heard = diagram
        .messages
        .iter()
        .flat_map(|message| message.heard.iter().map(|step| (*step, diagram.text(message.kind))));
    heard.collect()
}

/// A text as a quoted string of the DOT language, on one line and not too long.
fn quoted(text: &str) -> String {
    let text = line(text);
    let mut short: String = text.chars().take(LABEL_LENGTH_MAX).collect();
    if text.chars().nth(LABEL_LENGTH_MAX).is_some() {
        short.push('…');
    }
    format!("\"{}\"", short.replace('\\', "\\\\").replace('"', "\\\""))
}
