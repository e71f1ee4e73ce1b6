//! For a liveness property: which processes wait for what, and since when, as far as the trace
//! shows.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use ftsim_core::outcome::trace::{Entry, TraceEvent};
use ftsim_core::{Instant, ProcessId};

use crate::layout::Page;
use crate::step_text::{content, rounded, sending, words};
use crate::story::Story;
use crate::style::STRONG;

/// The maximum number of unanswered messages that are listed for a process.
const UNANSWERED_COUNT_MAX: usize = 8;

/// Writes what each process waits for.
///
/// # Errors
/// Errors of `out`.
pub fn write_waiting(out: &mut impl Write, story: &Story<'_>, page: Page) -> io::Result<()> {
    let at = rounded(story.violated.at);
    writeln!(out, "{STRONG}Who waits for what, at {at}{STRONG:#}")?;
    let mut told: BTreeSet<ProcessId> = story.violated.witnesses.iter().copied().collect();
    let mut asked = BTreeSet::new();
    for p in told.clone() {
        let state = State::of(story, p);
        asked.extend(state.unanswered.keys().map(|(to, _, _)| *to));
        for line in page.wrapped(&format!("  {p:3} "), &state.text()) {
            writeln!(out, "{line}")?;
        }
    }
    told.append(&mut asked.clone());
    for p in asked.difference(&story.violated.witnesses.iter().copied().collect()) {
        let state = State::of(story, *p);
        let text = format!("{}; {}", state.standing(), state.last_words());
        for line in page.wrapped(&format!("  {p:3} "), &text) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

/// The state of a process at the end.
#[derive(Default)]
struct State<'a> {
    /// Its last fault, if it has not ended, with the step and the time.
    trouble: Option<(&'static str, u64, Instant)>,
    announced: Option<&'a Entry>,
    heard: Option<&'a Entry>,
    acted: Option<&'a Entry>,
    /// The timers that are set, and when they are due.
    timers: BTreeMap<&'a str, Instant>,
    /// How many times each timer has fired since the process last received a message.
    ran_out: BTreeMap<&'a str, u64>,
    /// The messages sent to each process since the last message from it, by receiver, kind, and
    /// fate.
    unanswered: BTreeMap<(ProcessId, &'a str, &'static str), u64>,
}

impl<'a> State<'a> {
    fn of(story: &Story<'a>, p: ProcessId) -> Self {
        let mut state = Self::default();
        let trace = story.trace;
        let steps: Vec<usize> = story.causality.of_process(p).map(|(index, _)| index).collect();
        let entries = steps.iter().flat_map(|step| &story.causality.steps[*step].entries);
        for entry in entries.map(|index| &trace.entries[*index]) {
            state.note(story, p, entry);
        }
        state
    }

    fn note(&mut self, story: &Story<'a>, p: ProcessId, entry: &'a Entry) {
        let is = |what| Some((what, entry.step, entry.at));
        match &entry.what {
            TraceEvent::Crash { .. } => {
                self.trouble = is("is down");
                self.timers.clear();
            }
            TraceEvent::Pause => self.trouble = is("is paused"),
            TraceEvent::SyncBegins => self.trouble = is("waits for its disk"),
            TraceEvent::Corrupt { .. } | TraceEvent::Doubled { .. } => {
                self.trouble = is("is Byzantine");
            }
            TraceEvent::Recover { .. } | TraceEvent::Resume | TraceEvent::Synced => {
                self.trouble = None;
            }
            TraceEvent::Indicate { .. } => self.announced = Some(entry),
            TraceEvent::Deliver { from, .. } if *from != p => {
                self.heard = Some(entry);
                self.unanswered.retain(|(to, _, _), _| to != from);
                self.ran_out.clear();
            }
            TraceEvent::SetTimer { timer, due } => drop(self.timers.insert(timer, *due)),
            TraceEvent::CancelTimer { timer } => drop(self.timers.remove(timer.as_str())),
            TraceEvent::Timer { timer } => {
                self.timers.remove(timer.as_str());
                *self.ran_out.entry(timer).or_default() += 1;
            }
            _ => {}
        }
        if let Some(sending) = sending(entry) {
            let voyage = story.causality.voyages.get(&sending.id).copied().unwrap_or_default();
            let fate = match (voyage.heard, voyage.lost.map(|lost| &story.trace.entries[lost].what))
            {
                (Some(_), _) => "heard",
                (None, Some(TraceEvent::Drop { reason, .. })) => reason.text(),
                (None, _) => "still under way",
            };
            *self.unanswered.entry((sending.to, sending.kind(), fate)).or_default() += 1;
        }
        self.acted = Some(entry);
    }

    fn standing(&self) -> String {
        match self.trouble {
            None => "is up".to_owned(),
            Some((what, step, at)) => format!("{what} since {} (step {step})", rounded(at)),
        }
    }

    /// Its last delivery and its last announcement.
    fn last_words(&self) -> String {
        let when = |entry: &Entry| format!("at {} (step {})", rounded(entry.at), entry.step);
        let heard = match self.heard.map(|entry| (entry, &entry.what)) {
            Some((entry, TraceEvent::Deliver { from, message, .. })) => {
                format!("last heard {} from {from} {}", content(message), when(entry))
            }
            _ => "never heard a message".to_owned(),
        };
        let announced = match self.announced.map(|entry| (entry, &entry.what)) {
            Some((entry, TraceEvent::Indicate { phrase: Some(phrase), .. })) => {
                format!("its last announcement is that it {}, {}", content(phrase), when(entry))
            }
            Some((entry, TraceEvent::Indicate { what, .. })) => {
                format!("last announced {} {}", content(what), when(entry))
            }
            _ => "never announced anything".to_owned(),
        };
        format!("{heard}; {announced}")
    }

    /// The messages to processes that have not been heard from since.
    fn unanswered_text(&self) -> Option<String> {
        let sent = self.unanswered.iter().map(|((to, kind, fate), count)| match count {
            1 => format!("{kind} to {to} ({fate})"),
            count => format!("{count} {kind} to {to} ({fate})"),
        });
        let mut sent: Vec<String> = sent.take(UNANSWERED_COUNT_MAX).collect();
        match self.unanswered.len().saturating_sub(UNANSWERED_COUNT_MAX) {
            0 => {}
            count => sent.push(format!("{count} more")),
        }
        let nothing_back = "and has heard nothing back since";
        (!sent.is_empty()).then(|| format!("it sent {}, {nothing_back}", words(&sent)))
    }

    fn text(&self) -> String {
        let mut parts = vec![self.standing(), self.last_words()];
        parts.extend(self.unanswered_text());
        for (timer, due) in &self.timers {
            let ran_out = match self.ran_out.get(timer) {
                None => String::new(),
                Some(1) => " has fired once since then, and".to_owned(),
                Some(count) => format!(" has fired {count} times since then, and"),
            };
            let due = match *due {
                Instant::MAX => "has stopped with its clock".to_owned(),
                due => format!("is set for {}", rounded(due)),
            };
            parts.push(format!("its timer {}{ran_out} {due}", content(timer)));
        }
        if self.timers.is_empty() && self.trouble.is_none() {
            parts.push("it has no timer set: only a message or a client can wake it".to_owned());
        }
        parts.join("; ")
    }
}
