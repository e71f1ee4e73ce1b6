//! A trace as text, one line an entry, to be read aloud; and as JSON, one object a line.

use std::io::{self, Write};

use ftsim_core::outcome::trace::{Entry, Trace, TraceEvent};
use ftsim_core::{Instant, ProcessId};

use crate::foreign::line;
use crate::layout::counted;
use crate::style::{BAD, FAINT, GOOD, STRONG, UNKNOWN};

/// The trace as text.
///
/// A line is a step, a time, who, and what: `0007  12.3ms  p0 -> p1  Prepare(1)`. No line starts
/// with a space, none ends with one.
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
        writeln!(out, "… the run goes on, the record ends here; `ftsim record` writes all of it")?;
    }
    Ok(())
}

/// How wide the columns are: times and names are aligned.
#[derive(Clone, Copy, Debug, Default)]
pub struct Columns {
    at: usize,
    who: usize,
}

impl Columns {
    /// Makes them as wide as this entry needs them.
    pub fn make_room_for(&mut self, entry: &Entry) {
        let Line { at, who, .. } = Line::of(entry);
        self.at = self.at.max(at.to_string().len());
        self.who = self.who.max(who.len());
    }
}

/// One line of a trace as text.
///
/// # Errors
/// Errors of `out`.
pub fn write_entry(out: &mut impl Write, entry: &Entry, columns: Columns) -> io::Result<()> {
    let Line { step, at, who, what, style } = Line::of(entry);
    let Columns { at: at_width, who: who_width } = columns;
    // Times are aligned by their last character; `Instant` shows the unit that suits each.
    writeln!(
        out,
        "{FAINT}{step:04}  {at:>at_width$}{FAINT:#}  {who:who_width$}  {style}{what}{style:#}"
    )
}

/// The trace as JSON, one object a line.
///
/// # Errors
/// Errors of `out`.
pub fn write_trace_jsonl(out: &mut impl Write, trace: &Trace) -> io::Result<()> {
    trace.entries.iter().try_for_each(|entry| write_entry_jsonl(out, entry))
}

/// One entry of a trace as JSON, and the end of the line.
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
                (link(&me, "-?", *to), format!("{message}  [{id} garbled on the way]"), UNKNOWN)
            }
            TraceEvent::Replay { id, to, message } => {
                (link(&me, "->", *to), format!("{message}  [{id} comes again]"), UNKNOWN)
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

/// What happens at a process, or in the network, in words.
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
        TraceEvent::Timer { timer } => (format!("timer {timer} runs out"), PLAIN),
        TraceEvent::Suspect { subject } => (format!("suspects {subject}"), UNKNOWN),
        TraceEvent::Trust { subject } => (format!("trusts {subject} again"), UNKNOWN),
        TraceEvent::SetTimer { timer, due } => (format!("sets timer {timer} for {due}"), FAINT),
        TraceEvent::CancelTimer { timer } => (format!("cancels timer {timer}"), FAINT),
        TraceEvent::Indicate { what } => (format!("ANNOUNCES {what}"), GOOD),
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
            (format!("hears that its disk failed: {error:?}"), BAD)
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
        TraceEvent::Doubled { second } => (format!("IS TWO: the second is {second} here"), BAD),
        TraceEvent::Abort => ("ABORTS: the others will be told".into(), BAD),
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
