//! A trace as text, one line an entry, to be read aloud; and as JSON, one object a line.

use std::io::{self, Write};

use ftsim_core::outcome::trace::{Entry, Happening, Trace};
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
/// Those of `out`.
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
/// Those of `out`.
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
/// Those of `out`.
pub fn write_trace_jsonl(out: &mut impl Write, trace: &Trace) -> io::Result<()> {
    trace.entries.iter().try_for_each(|entry| write_entry_jsonl(out, entry))
}

/// One entry of a trace as JSON, and the end of the line.
///
/// # Errors
/// Those of `out`.
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
            Happening::Deliver { id, from, message } => {
                (link(&me, "<-", *from), format!("{message}  [{id}]"), PLAIN)
            }
            Happening::Send { id, to, message, arrives, .. } => {
                (link(&me, "->", *to), format!("{message}  [{id} arrives {arrives}]"), PLAIN)
            }
            Happening::Drop { id, to, message, reason } => {
                (link(&me, "-x", *to), format!("{message}  [{id} {}]", reason.text()), UNKNOWN)
            }
            Happening::Carry { id, to, message } => {
                (link(&me, "=>", *to), format!("{message}  [{id} is carried]"), PLAIN)
            }
            Happening::Garble { id, to, message } => {
                (link(&me, "-?", *to), format!("{message}  [{id} garbled on the way]"), UNKNOWN)
            }
            Happening::Replay { id, to, message } => {
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
pub(crate) fn happening(what: &Happening) -> (String, anstyle::Style) {
    match what {
        Happening::Start => ("starts".into(), FAINT),
        Happening::Request { request } => (format!("is asked for {request}"), STRONG),
        Happening::RequestLost { request } => {
            (format!("is down and not asked for {request}"), UNKNOWN)
        }
        Happening::RequestMasked { request } => {
            (format!("is not asked for {request}, which is masked"), FAINT)
        }
        Happening::Timer { timer } => (format!("timer {timer} runs out"), PLAIN),
        Happening::Suspect { subject } => (format!("suspects {subject}"), UNKNOWN),
        Happening::Trust { subject } => (format!("trusts {subject} again"), UNKNOWN),
        Happening::SetTimer { timer, due } => (format!("sets timer {timer} for {due}"), FAINT),
        Happening::CancelTimer { timer } => (format!("cancels timer {timer}"), FAINT),
        Happening::Indicate { what } => (format!("ANNOUNCES {what}"), GOOD),
        Happening::Append { record } => (format!("logs {record}"), FAINT),
        Happening::Rewrite { count } => {
            (format!("rewrites its log: {}", counted(*count as u64, "record")), FAINT)
        }
        Happening::SyncBegins => ("syncs its log and waits".into(), FAINT),
        Happening::Synced => ("log is synced".into(), FAINT),
        Happening::Reach { label } => (format!("reaches \"{label}\""), STRONG),
        Happening::Note { remark } => (format!("notes: {remark}"), FAINT),
        Happening::Crash { effects_lost } => match effects_lost {
            0 => ("CRASHES".into(), BAD),
            1 => ("CRASHES (the last effect of this handler is lost)".into(), BAD),
            n => (format!("CRASHES (the last {n} effects of this handler are lost)"), BAD),
        },
        Happening::Recover { records } => {
            (format!("RECOVERS with {}", counted(*records as u64, "record")), BAD)
        }
        Happening::Pause => ("PAUSES".into(), BAD),
        Happening::Resume => ("RESUMES".into(), BAD),
        Happening::Begins { condition } => (format!("BEGINS {condition}"), BAD),
        Happening::Ends { condition } => (format!("ENDS {condition}"), BAD),
        Happening::Damage { fault } => (format!("DISK DAMAGED {fault}"), BAD),
        Happening::StorageError { error } => {
            (format!("hears that its disk failed: {error:?}"), BAD)
        }
        Happening::Corrupt { behaviour } => (format!("TURNS BYZANTINE: {behaviour}"), BAD),
        Happening::Heal => ("HEALS".into(), BAD),
        Happening::Stabilise => ("IS STABLE from now on".into(), BAD),
        Happening::Violation { property, message } => {
            (format!("VIOLATES {property}: {message}"), BAD)
        }
        Happening::Panic { message } => (format!("PANICS: {message}"), BAD),
        Happening::Well { mode, processes } => (format!("{processes}: {mode}"), BAD),
        Happening::Unavailable => {
            ("IS CORRECTLY UNAVAILABLE: too few processes can be well".into(), BAD)
        }
        Happening::Doubled { second } => (format!("IS TWO: the second is {second} here"), BAD),
        Happening::Abort => ("ABORTS: the others will be told".into(), BAD),
        Happening::StateCorrupted => ("ITS STATE CHANGES".into(), BAD),
        Happening::ClockJump { shift } => (format!("ITS CLOCK JUMPS, {shift}"), BAD),
        Happening::Deliver { .. }
        | Happening::Send { .. }
        | Happening::Drop { .. }
        | Happening::Garble { .. }
        | Happening::Carry { .. }
        | Happening::Replay { .. } => {
            unreachable!("links are told apart before")
        }
    }
}
