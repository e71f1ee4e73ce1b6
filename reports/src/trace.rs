//! A trace as text, one entry per line; and as JSON, one object per line.

use std::io::{self, Write};

use ftsim_core::outcome::trace::{Entry, Trace, TraceEvent};
use ftsim_core::{Instant, ProcessId};

use crate::foreign::line;
use crate::layout::counted;
use crate::style::{BAD, FAINT, GOOD, STRONG, UNKNOWN};

/// Writes the trace as text.
///
/// A line contains step, time, process and event: `0007  12.3ms  p0 -> p1  Prepare(1)`. No line
/// starts or ends with a space.
///
/// # Errors
/// Errors of `out`.
pub fn write_trace(out: &mut impl Write, trace: &Trace) -> io::Result<()> {
    let mut columns = Columns::default();
    trace.entries.iter().for_each(|entry| columns.make_room_for(entry));
    for entry in &trace.entries {
        write_entry(out, entry, columns)?;
    }
    if trace.truncated {
        writeln!(out, "… the trace ends here, the run goes on; `ftsim record` writes all of it")?;
    }
    Ok(())
}

/// The widths of the columns: times and names are aligned.
#[derive(Clone, Copy, Debug, Default)]
pub struct Columns {
    at: usize,
    who: usize,
}

impl Columns {
    /// Widens the columns to fit this entry.
    pub fn make_room_for(&mut self, entry: &Entry) {
        let Line { at, who, .. } = Line::of(entry);
        self.at = self.at.max(at.to_string().len());
        self.who = self.who.max(who.len());
    }
}

/// Writes one line of a trace as text.
///
/// # Errors
/// Errors of `out`.
pub fn write_entry(out: &mut impl Write, entry: &Entry, columns: Columns) -> io::Result<()> {
    let Line { step, at, who, what, style } = Line::of(entry);
    let Columns { at: at_width, who: who_width } = columns;
    // Times are right-aligned; `Instant` chooses a suitable unit for each.
    writeln!(
        out,
        "{FAINT}{step:04}  {at:>at_width$}{FAINT:#}  {who:who_width$}  {style}{what}{style:#}"
    )
}

/// Writes the trace as JSON, one object per line.
///
/// # Errors
/// Errors of `out`.
pub fn write_trace_jsonl(out: &mut impl Write, trace: &Trace) -> io::Result<()> {
    trace.entries.iter().try_for_each(|entry| write_entry_jsonl(out, entry))
}

/// Writes one entry of a trace as a line of JSON.
///
/// # Errors
/// Errors of `out`.
pub fn write_entry_jsonl(out: &mut impl Write, entry: &Entry) -> io::Result<()> {
    serde_json::to_writer(&mut *out, entry)?;
    writeln!(out)
}

struct Line {
    step: u64,
    at: Instant,
    who: String,
    what: String,
    style: anstyle::Style,
}

const PLAIN: anstyle::Style = anstyle::Style::new();

impl Line {
    fn of(entry: &Entry) -> Self {
        let me = entry.process.map_or_else(|| "network".to_owned(), |p| p.to_string());
        let (who, what, style) = match &entry.what {
            TraceEvent::Deliver { id, from, message } => {
                (link(&me, "<-", *from), format!("{message}  [{id}]"), PLAIN)
            }
            TraceEvent::Send { id, to, message, arrives, .. } => {
                (link(&me, "->", *to), format!("{message}  [{id} arrives {arrives}]"), PLAIN)
            }
            TraceEvent::Drop { id, to, message, reason } => {
                (link(&me, "-x", *to), format!("{message}  [{id} {}]", reason.text()), UNKNOWN)
            }
            TraceEvent::Carry { id, to, message } => {
                (link(&me, "=>", *to), format!("{message}  [{id} is carried]"), PLAIN)
            }
            TraceEvent::Garble { id, to, message } => {
                (link(&me, "-?", *to), format!("{message}  [{id} garbled in transit]"), UNKNOWN)
            }
            TraceEvent::Replay { id, to, message } => {
                (link(&me, "->", *to), format!("{message}  [{id} replayed]"), UNKNOWN)
            }
            own => {
                let (what, style) = happening(own);
                (me, what, style)
            }
        };
        let what = line(what.trim_end()).into_owned();
        Self { step: entry.step, at: entry.at, who, what, style }
    }
}

fn link(me: &str, arrow: &str, other: ProcessId) -> String {
    format!("{me} {arrow} {other}")
}

/// What a process announces, as the rest of a sentence that begins with the process: `DECIDES 1`,
/// or `ANNOUNCES Decide(1)` if the indication has no phrase.
pub(crate) fn announcement(what: &str, phrase: Option<&str>) -> String {
    let Some(phrase) = phrase else { return format!("ANNOUNCES {what}") };
    let (verb, rest) = phrase.split_at(phrase.find(' ').unwrap_or(phrase.len()));
    format!("{}{rest}", verb.to_uppercase())
}

/// A description of an event at a process, or in the network.
pub(crate) fn happening(what: &TraceEvent) -> (String, anstyle::Style) {
    match what {
        TraceEvent::Start => ("starts".into(), FAINT),
        TraceEvent::Request { request } => (format!("is asked for {request}"), STRONG),
        TraceEvent::RequestLost { request } => {
            (format!("is down and not asked for {request}"), UNKNOWN)
        }
        TraceEvent::RequestMasked { request } => {
            (format!("is not asked for {request}, which is masked"), FAINT)
        }
        TraceEvent::Timer { timer } => (format!("timer {timer} fires"), PLAIN),
        TraceEvent::Suspect { subject } => (format!("suspects {subject}"), UNKNOWN),
        TraceEvent::Trust { subject } => (format!("trusts {subject} again"), UNKNOWN),
        TraceEvent::SetTimer { timer, due } => (format!("sets timer {timer} for {due}"), FAINT),
        TraceEvent::CancelTimer { timer } => (format!("cancels timer {timer}"), FAINT),
        TraceEvent::Indicate { what, phrase, .. } => (announcement(what, phrase.as_deref()), GOOD),
        TraceEvent::Append { record } => (format!("logs {record}"), FAINT),
        TraceEvent::Rewrite { count } => {
            (format!("rewrites its log: {}", counted(*count as u64, "record")), FAINT)
        }
        TraceEvent::SyncBegins => ("syncs its log and waits".into(), FAINT),
        TraceEvent::Synced => ("log is synced".into(), FAINT),
        TraceEvent::Reach { label } => (format!("reaches \"{label}\""), STRONG),
        TraceEvent::Note { remark } => (format!("notes: {remark}"), FAINT),
        TraceEvent::Crash { effects_lost } => match effects_lost {
            0 => ("CRASHES".into(), BAD),
            1 => ("CRASHES (the last effect of this handler is lost)".into(), BAD),
            n => (format!("CRASHES (the last {n} effects of this handler are lost)"), BAD),
        },
        TraceEvent::Recover { records } => {
            (format!("RECOVERS with {}", counted(*records as u64, "record")), BAD)
        }
        TraceEvent::Pause => ("PAUSES".into(), BAD),
        TraceEvent::Resume => ("RESUMES".into(), BAD),
        TraceEvent::Begins { condition } => (format!("BEGINS {condition}"), BAD),
        TraceEvent::Ends { condition } => (format!("ENDS {condition}"), BAD),
        TraceEvent::Damage { fault } => (format!("DISK DAMAGED {fault}"), BAD),
        TraceEvent::StorageError { error } => {
            (format!("is notified that its disk failed: {error:?}"), BAD)
        }
        TraceEvent::Corrupt { behaviour } => (format!("TURNS BYZANTINE: {behaviour}"), BAD),
        TraceEvent::Heal => ("HEALS".into(), BAD),
        TraceEvent::Stabilise => ("IS STABLE from now on".into(), BAD),
        TraceEvent::Violation { property, message } => {
            (format!("VIOLATES {property}: {message}"), BAD)
        }
        TraceEvent::Panic { message } => (format!("PANICS: {message}"), BAD),
        TraceEvent::Well { mode, processes } => (format!("{processes}: {mode}"), BAD),
        TraceEvent::Unavailable => {
            ("IS CORRECTLY UNAVAILABLE: too few processes can be well".into(), BAD)
        }
        TraceEvent::Doubled { second } => (format!("HAS A TWIN, called {second} here"), BAD),
        TraceEvent::Abort => ("ABORTS: the others will be notified".into(), BAD),
        TraceEvent::StateCorrupted => ("ITS STATE CHANGES".into(), BAD),
        TraceEvent::ClockJump { shift } => (format!("ITS CLOCK JUMPS, {shift}"), BAD),
        TraceEvent::Deliver { .. }
        | TraceEvent::Send { .. }
        | TraceEvent::Drop { .. }
        | TraceEvent::Garble { .. }
        | TraceEvent::Carry { .. }
        | TraceEvent::Replay { .. } => {
            unreachable!("links are told apart before")
        }
    }
}
