//! A process that is down, absent, paused or blocked does nothing.

use ftsim_core::outcome::trace::{Entry, TraceEvent};

use super::known::{Host, Known, is_deed};
use super::{Check, Report, Rule};

pub(super) struct Acting;

impl<'a> Check<'a> for Acting {
    fn see(&mut self, entry: &'a Entry, known: &Known<'a>, report: &mut Report) {
        let Some(p) = entry.process else { return };
        if let TraceEvent::RequestLost { .. } = entry.what
            && known.host(p).up
        {
            report.add(Rule::Down, "a request is lost although the process is up");
        }
        if !is_deed(&entry.what) || known.is_replay(entry) {
            return;
        }
        // Its second copy sends under the same name.
        let speaks = matches!(entry.what, TraceEvent::Send { .. } | TraceEvent::Carry { .. });
        let first = broken(entry, known.host(p));
        let excused = speaks && known.copies(p).any(|host| broken(entry, host).is_none());
        if let Some((rule, message)) = first
            && !excused
        {
            report.add(rule, format!("{message}, but {}", name(&entry.what)));
        }
    }
}

/// The rule that the process breaks by acting in this state.
fn broken(entry: &Entry, host: &Host) -> Option<(Rule, &'static str)> {
    let starts = entry.what == TraceEvent::Start;
    let disk = matches!(entry.what, TraceEvent::Synced | TraceEvent::StorageError { .. });
    let lies = matches!(entry.what, TraceEvent::Send { .. } | TraceEvent::Carry { .. });
    if starts && host.started {
        return Some((Rule::Absent, "the process had already started"));
    }
    if !starts && !host.started {
        return Some((Rule::Absent, "the process has not started"));
    }
    if !host.up && !host.absent {
        return Some((Rule::Down, "the process is down"));
    }
    if host.blocked && !disk && !(host.corrupt && lies) {
        return Some((Rule::Blocked, "the process waits for a sync"));
    }
    // An adversary may send at any time what it has held back.
    if host.paused && entry.what != TraceEvent::Synced && !(host.corrupt && lies) {
        return Some((Rule::Paused, "the process is paused"));
    }
    None
}

/// A short description of the action.
fn name(what: &TraceEvent) -> String {
    match what {
        TraceEvent::Start => "it starts".to_owned(),
        TraceEvent::Request { request } => format!("it receives the request {request}"),
        TraceEvent::Deliver { id, from, message } => {
            format!("{message} of {from} is delivered (m{})", id.0)
        }
        TraceEvent::Timer { timer } => format!("its timer {timer} fires"),
        TraceEvent::Suspect { subject } => format!("it suspects {subject}"),
        TraceEvent::Trust { subject } => format!("it trusts {subject}"),
        TraceEvent::Send { to, message, .. } => format!("it sends {message} to {to}"),
        TraceEvent::Carry { to, message, .. } => {
            format!("it passes {message} for {to} to the transport")
        }
        TraceEvent::SetTimer { timer, .. } => format!("it sets the timer {timer}"),
        TraceEvent::CancelTimer { timer } => format!("it cancels the timer {timer}"),
        TraceEvent::Indicate { what, .. } => format!("it announces {what}"),
        TraceEvent::Append { record } => format!("it logs {record}"),
        TraceEvent::Rewrite { .. } => "it rewrites its log".to_owned(),
        TraceEvent::SyncBegins | TraceEvent::Synced => "its log is synced".to_owned(),
        TraceEvent::StorageError { .. } => "it is notified of a disk error".to_owned(),
        _ => "it continues".to_owned(),
    }
}
