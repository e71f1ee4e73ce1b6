//! A log for ShiViz (Beschastnikh, Wang, Brun and Ernst 2016), which draws it with vector clocks.
//!
//! The first line is the regular expression by which ShiViz reads events, the second the one that
//! separates executions. An event is a step: its process, its vector clock, its time and what
//! happened. ShiViz demands that a process's own entry is in each of its clocks and rises by one
//! from event to event, and infers messages from the clocks. Steps of the network as a whole have
//! no process and are left out.

use std::io::{self, Write};

use crate::diagram::Diagram;
use crate::foreign::line;

use super::{lane_name, step_text};

/// How ShiViz reads an event. A clock ends at the first brace: the text may have more.
const EVENT: &str = r"(?<host>\S+) (?<clock>\{[^}]*\}) (?<time>\S+) (?<event>.*)";
/// How ShiViz reads the head of an execution.
const EXECUTION: &str = r"^=== (?<trace>.*) ===$";

/// Writes the steps of the run.
///
/// # Errors
/// Errors of `out`.
pub fn write_shiviz(out: &mut impl Write, diagram: &Diagram) -> io::Result<()> {
    writeln!(out, "{EVENT}")?;
    writeln!(out, "{EXECUTION}")?;
    let about = &diagram.about;
    writeln!(out, "=== {} seed {} ===", line(&about.scenario), about.seed)?;
    let mut clocks: Vec<Vec<u64>> = Vec::with_capacity(diagram.steps.len());
    for step in &diagram.steps {
        let mut clock = vec![0; diagram.lanes.len()];
        for earlier in [step.before, step.cause].into_iter().flatten() {
            join(&mut clock, clocks.get(earlier).map_or(&[], Vec::as_slice));
        }
        let own = step.lane.and_then(|lane| clock.get_mut(lane as usize));
        if let Some(own) = own {
            *own += 1;
            write!(out, "{} {{", lane_name(diagram, step))?;
            let entries = diagram.lanes.iter().zip(&clock).filter(|(_, time)| **time > 0);
            for (index, (lane, time)) in entries.enumerate() {
                let comma = if index > 0 { "," } else { "" };
                write!(out, "{comma}\"{}\":{time}", lane.name)?;
            }
            writeln!(out, "}} {} {}", seconds(step.at), step_text(diagram, step))?;
        }
        clocks.push(clock);
    }
    Ok(())
}

/// Raises each entry to that of the other clock.
fn join(clock: &mut [u64], other: &[u64]) {
    for (own, other) in clock.iter_mut().zip(other) {
        *own = (*own).max(*other);
    }
}

/// A time in seconds, with all its digits.
fn seconds(nanos: u64) -> String {
    format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
}
