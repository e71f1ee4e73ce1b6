//! The story of a violation as a Mermaid sequence diagram.
//!
//! Time goes down. An arrow is drawn at the delivery of a message, with the time of its sending; an
//! arrow that ends in a cross is drawn at the sending of a lost message.

use std::collections::BTreeSet;
use std::io::{self, Write};

use ftsim_core::ProcessId;
use ftsim_core::outcome::trace::{Entry, TraceEvent};

use crate::causality::Step;
use crate::foreign::{Medium, foreign};
use crate::layout::counted;
use crate::step_text::{rounded, sending, shortened};
use crate::story::{Standing, Story, is_fault};
use crate::trace::happening;

/// The maximum number of rows; the others are counted in notes.
const ROW_COUNT_MAX: usize = 60;
/// The maximum length of a label.
const LABEL_LENGTH_MAX: usize = 60;

/// Writes the story as a sequence diagram.
///
/// # Errors
/// Errors of `out`.
pub fn write_mermaid(out: &mut impl Write, story: &Story<'_>) -> io::Result<()> {
    let told = story.nearest(ROW_COUNT_MAX);
    writeln!(out, "sequenceDiagram")?;
    let participants = participants(story, &told);
    for p in &participants {
        writeln!(out, "    participant {p}")?;
    }
    let Some((first, last)) = participants.first().zip(participants.last()) else { return Ok(()) };
    let all = format!("{first},{last}");
    let mut next = 0;
    for index in told {
        let folded: usize = story.rows[next..index].iter().map(|row| row.steps.len()).sum();
        if folded > 0 {
            let folded = counted(folded as u64, "more step");
            writeln!(out, "    Note over {all}: … {folded}")?;
        }
        next = index + 1;
        let row = &story.rows[index];
        let step = &story.causality.steps[row.steps[0]];
        write_step(out, story, step, row.standing, &all)?;
        if let [_, again @ ..] = row.steps.as_slice()
            && !again.is_empty()
        {
            let over = row.process.map_or_else(|| all.clone(), |p| p.to_string());
            let again = match again.len() {
                1 => "once more".to_owned(),
                count => format!("{count} times more"),
            };
            writeln!(out, "    Note over {over}: and {again}")?;
        }
    }
    writeln!(out, "    Note over {all}: {}", label(&story.violated.message))
}

/// All processes in the diagram.
fn participants(story: &Story<'_>, told: &[usize]) -> BTreeSet<ProcessId> {
    let mut participants: BTreeSet<ProcessId> = story.violated.witnesses.iter().copied().collect();
    for index in told {
        let step = &story.causality.steps[story.rows[*index].steps[0]];
        participants.extend(step.process);
        for entry in step.entries.iter().map(|entry| &story.trace.entries[*entry]) {
            participants.extend(sending(entry).filter(|_| is_lost(story, entry)).map(|s| s.to));
            if let TraceEvent::Deliver { from, .. } = entry.what {
                participants.insert(from);
            }
        }
    }
    participants
}

fn write_step(
    out: &mut impl Write,
    story: &Story<'_>,
    step: &Step,
    standing: Standing,
    all: &str,
) -> io::Result<()> {
    let over = step.process.map_or_else(|| all.to_owned(), |p| p.to_string());
    for entry in step.entries.iter().map(|entry| &story.trace.entries[*entry]) {
        match (&entry.what, step.process) {
            (TraceEvent::Deliver { from, message, .. }, Some(p)) if *from != p => {
                let sent = step.cause.map(|cause| rounded(story.causality.steps[cause].at));
                let sent = sent.map_or_else(String::new, |at| format!(" (sent {at})"));
                writeln!(out, "    {from}->>{p}: {}{sent}", label(message))?;
            }
            (_, Some(p)) if is_lost(story, entry) => {
                let Some(sending) = sending(entry) else { continue };
                writeln!(out, "    {p}-x{}: {}", sending.to, label(sending.message))?;
            }
            (what, _) if is_noted(what) && standing != Standing::Missing => {
                let (text, _) = happening(what);
                writeln!(out, "    Note over {over}: {} {}", rounded(entry.at), label(&text))?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_lost(story: &Story<'_>, entry: &Entry) -> bool {
    let voyage = sending(entry).and_then(|sending| story.causality.voyages.get(&sending.id));
    voyage.is_some_and(|voyage| voyage.lost.is_some())
}

const fn is_noted(what: &TraceEvent) -> bool {
    is_fault(what)
        || matches!(
            what,
            TraceEvent::Request { .. }
                | TraceEvent::Timer { .. }
                | TraceEvent::Suspect { .. }
                | TraceEvent::Trust { .. }
                | TraceEvent::Indicate { .. }
        )
}

/// A text, escaped for Mermaid.
fn label(text: &str) -> String {
    shortened(&foreign(text, Medium::Mermaid), LABEL_LENGTH_MAX)
}
