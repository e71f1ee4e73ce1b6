//! A trace in the Trace Event Format of Chrome, which Perfetto (ui.perfetto.dev) and speedscope
//! open.
//!
//! A process is a thread; a step is a slice, a message a flow from slice to slice, a fault that
//! lasts an asynchronous slice, an announcement, a crash or a violation an instant. Times are in
//! microseconds. Slices of a thread may nest but not overlap, and flows need slices that last, so a
//! slice lasts a microsecond, or less if the next one begins earlier; of steps at one instant, each
//! begins where the one before ends. The exact time is the argument `at`.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::diagram::{Diagram, DiagramStep};
use crate::foreign::line;

use super::{part_text, step_text};

/// The length of a slice, in nanoseconds.
const SLICE_NANOS: u64 = 1_000;
/// The length of a slice among many at one instant, in nanoseconds.
const BRIEF_NANOS: u64 = 10;

/// Writes the run as one JSON object, an event on each line.
///
/// # Errors
/// Errors of `out`.
pub fn write_chrome_trace(out: &mut impl Write, diagram: &Diagram) -> io::Result<()> {
    let about = &diagram.about;
    let (name, seed) = (line(&about.scenario), about.seed);
    let head = json!({ "scenario": name, "seed": seed.to_string(), "digest": about.digest });
    write!(out, "{{\"displayTimeUnit\":\"ns\",\"otherData\":{head},\"traceEvents\":[")?;
    let mut events = Events { out, count: 0 };
    events.put(&metadata("process_name", 0, &json!({ "name": format!("{name}, seed {seed}") })))?;
    let names = std::iter::once(("network", None));
    let lanes = diagram.lanes.iter().map(|lane| (lane.name.as_str(), lane.role.as_deref()));
    for (thread, (name, role)) in names.chain(lanes).enumerate() {
        let name = role.map_or_else(|| name.to_owned(), |role| format!("{name} ({role})"));
        events.put(&metadata("thread_name", thread, &json!({ "name": line(&name) })))?;
        events.put(&metadata("thread_sort_index", thread, &json!({ "sort_index": thread })))?;
    }
    let slices = slices(diagram);
    for (step, (start, length)) in diagram.steps.iter().zip(&slices) {
        events.put(&slice(diagram, step, (*start, *length)))?;
        for part in step.parts.iter().filter(|part| is_instant(part.event)) {
            events.put(&json!({
                "ph": "i", "s": "t", "pid": 1, "tid": thread(step), "ts": micros(*start),
                "cat": part.event, "name": line(diagram.text(part.text)),
            }))?;
        }
    }
    write_flows(&mut events, diagram, &slices)?;
    write_bands(&mut events, diagram, &slices)?;
    writeln!(events.out, "\n]}}")
}

/// The events of a trace, separated by commas.
struct Events<'o, W> {
    out: &'o mut W,
    count: u64,
}

impl<W: Write> Events<'_, W> {
    fn put(&mut self, event: &Value) -> io::Result<()> {
        let comma = if self.count > 0 { "," } else { "" };
        self.count += 1;
        write!(self.out, "{comma}\n{event}")
    }
}

fn metadata(name: &str, thread: usize, args: &Value) -> Value {
    json!({ "ph": "M", "pid": 1, "tid": thread, "name": name, "args": args })
}

/// The start and the length of each step's slice, in nanoseconds: on each thread, none overlaps
/// with the next.
fn slices(diagram: &Diagram) -> Vec<(u64, u64)> {
    let mut made: Vec<(u64, u64)> = Vec::with_capacity(diagram.steps.len());
    let mut last: Vec<Option<usize>> = vec![None; diagram.lanes.len() + 1];
    for (index, step) in diagram.steps.iter().enumerate() {
        let mut start = step.at;
        let before = last.get_mut(thread(step)).and_then(|last| last.replace(index));
        if let Some((began, length)) = before.and_then(|before| made.get_mut(before)) {
            *length = start.saturating_sub(*began).clamp(BRIEF_NANOS, SLICE_NANOS);
            start = start.max(*began + *length);
        }
        made.push((start, SLICE_NANOS));
    }
    made
}

fn slice(diagram: &Diagram, step: &DiagramStep, (start, length): (u64, u64)) -> Value {
    let name = step.parts.first().map_or_else(String::new, |part| part_text(diagram, part));
    json!({
        "ph": "X", "pid": 1, "tid": thread(step), "ts": micros(start), "dur": micros(length),
        "cat": "step", "name": name,
        "args": { "step": step.number, "at": step.at, "what": step_text(diagram, step) },
    })
}

fn write_flows<W: Write>(
    events: &mut Events<'_, W>,
    diagram: &Diagram,
    slices: &[(u64, u64)],
) -> io::Result<()> {
    let mut id = 0;
    for message in &diagram.messages {
        let Some(sent) = message.sent else { continue };
        for heard in &message.heard {
            let name = line(diagram.text(message.kind));
            let end = |phase: &str, step: usize| {
                let (thread, start) = (thread(&diagram.steps[step]), slices[step].0);
                json!({
                    "ph": phase, "pid": 1, "tid": thread, "ts": micros(start),
                    "cat": "message", "name": name, "id": id,
                })
            };
            events.put(&end("s", sent))?;
            let mut received = end("f", *heard);
            received["bp"] = "e".into();
            events.put(&received)?;
            id += 1;
        }
    }
    Ok(())
}

fn write_bands<W: Write>(
    events: &mut Events<'_, W>,
    diagram: &Diagram,
    slices: &[(u64, u64)],
) -> io::Result<()> {
    let end_of_run = slices.iter().map(|(start, length)| start + length).max().unwrap_or(0);
    for (id, band) in diagram.bands.iter().enumerate() {
        let (lane, at) = (band.lanes.first().map_or(0, |lane| lane + 1), slices[band.from].0);
        let until = band.until.map_or(end_of_run, |until| slices[until].0);
        for (phase, at) in [("b", at), ("e", until)] {
            events.put(&json!({
                "ph": phase, "pid": 1, "tid": lane, "ts": micros(at), "id": id,
                "cat": band.what, "name": line(diagram.text(band.text)),
            }))?;
        }
    }
    Ok(())
}

fn is_instant(event: &str) -> bool {
    matches!(event, "indicate" | "crash" | "recover" | "violation" | "panic" | "reach")
}

/// The thread of a step: 0 for the network, and then one for each process.
fn thread(step: &DiagramStep) -> usize {
    step.lane.map_or(0, |lane| lane as usize + 1)
}

/// Nanoseconds in microseconds. Exact up to three months.
#[expect(clippy::cast_precision_loss, reason = "JSON has no other numbers with a fraction")]
fn micros(nanos: u64) -> f64 {
    nanos as f64 / 1_000.0
}
