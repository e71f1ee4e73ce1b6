//! Describes a step: the event, its cause, and its effects.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::environment::network::DropReason;
use ftsim_core::outcome::trace::{Entry, Trace, TraceEvent};
use ftsim_core::{Instant, MessageId, ProcessId};

use crate::causality::{Causality, Step};
use crate::foreign::line;
use crate::trace::{announcement, happening};

/// The maximum length of content that is shown.
const CONTENT_LENGTH_MAX: usize = 80;

/// Describes the steps of a run.
pub struct StepText<'a> {
    /// The run.
    pub trace: &'a Trace,
    /// The causal relations of its steps.
    pub causality: &'a Causality,
    /// Whether each step is in the past that is described.
    pub past: &'a [bool],
    /// The step of each witness whose past it is.
    pub roots: &'a BTreeMap<ProcessId, usize>,
}

/// Who does what in the step with this number, in words, and when; `None` if the trace has no such
/// step.
pub fn step_in_words(trace: &Trace, number: u64) -> Option<(String, Instant)> {
    let causality = Causality::of(trace);
    let (past, roots) = (vec![true; causality.steps.len()], BTreeMap::new());
    let index = causality.steps.iter().position(|step| step.number == number)?;
    let step = &causality.steps[index];
    let text = StepText { trace, causality: &causality, past: &past, roots: &roots };
    let who = step.process.map_or_else(|| "the network".to_owned(), |p| p.to_string());
    let does = text.step(index);
    let does = if does.is_empty() { "starts" } else { &does };
    Some((format!("{who} {does}"), rounded(step.at)))
}

impl StepText<'_> {
    /// The description of this step; empty if there is nothing to report.
    pub fn step(&self, index: usize) -> String {
        let step = &self.causality.steps[index];
        let mut parts: Vec<String> = self.event(step).into_iter().collect();
        parts.extend(self.effects(step));
        parts.join("; ")
    }

    /// Whether the step is only a delivery of a process's own message, without effects.
    pub fn is_silent(&self, index: usize) -> bool {
        let step = &self.causality.steps[index];
        let is_own = |entry: &Entry| match &entry.what {
            TraceEvent::Deliver { from, .. } => step.process == Some(*from),
            _ => false,
        };
        self.entries(step).next().is_some_and(is_own) && self.effects(step).is_empty()
    }

    /// Describes only those messages to witnesses that did not arrive, or arrived too late.
    pub fn missing(&self, index: usize) -> String {
        let step = &self.causality.steps[index];
        let sendings = self.entries(step).filter_map(sending);
        self.sendings(sendings.filter(|sending| self.is_missing(sending))).join("; ")
    }

    /// Whether this step sent a message to a witness that did not arrive, or arrived too late.
    pub fn has_missing(&self, index: usize) -> bool {
        let step = &self.causality.steps[index];
        self.entries(step).filter_map(sending).any(|sending| self.is_missing(&sending))
    }

    /// Whether a witness could have received this in time, but did not.
    fn is_missing(&self, sending: &Sending<'_>) -> bool {
        let sent = self.causality.voyages.get(&sending.id).and_then(|voyage| voyage.sent);
        let in_time =
            self.roots.get(&sending.to).zip(sent).is_some_and(|(root, sent)| sent < *root);
        in_time && self.misses(sending.id).is_some()
    }

    fn entries<'s>(&'s self, step: &'s Step) -> impl DoubleEndedIterator<Item = &'s Entry> {
        step.entries.iter().map(|index| &self.trace.entries[*index])
    }

    /// The event that began the step, and its cause.
    fn event(&self, step: &Step) -> Option<String> {
        let first = self.entries(step).next()?;
        let cause = step.cause.map(|cause| &self.causality.steps[cause]);
        let when = |cause: &Step| format!("in step {} at {}", cause.number, rounded(cause.at));
        Some(match (&first.what, cause) {
            (TraceEvent::Start, _) => return None,
            (TraceEvent::Request { request }, _) => {
                format!("is asked for {} by a client", content(request))
            }
            (TraceEvent::Deliver { from, message, .. }, Some(cause)) => {
                let liar = if self.is_liar(*from, step) { ", Byzantine," } else { "" };
                format!("hears {}, because {from}{liar} sent it {}", content(message), when(cause))
            }
            (TraceEvent::Deliver { from, message, .. }, None) if step.process == Some(*from) => {
                format!("hears its own {}", content(message))
            }
            (TraceEvent::Deliver { from, message, .. }, None) => {
                format!("hears {} from {from}", content(message))
            }
            (TraceEvent::Timer { timer }, Some(cause)) => {
                format!("its timer {}, set {}, fires", content(timer), when(cause))
            }
            (TraceEvent::Suspect { subject }, Some(cause)) => format!(
                "suspects {subject}, because its detector says so: {subject} crashed {}",
                when(cause)
            ),
            (TraceEvent::Suspect { subject }, None) => {
                format!("suspects {subject}, MISTAKENLY: its detector says so, but {subject} is up")
            }
            (TraceEvent::Trust { subject }, Some(cause)) => {
                format!("trusts {subject}, because it recovered {}", when(cause))
            }
            (TraceEvent::Trust { subject }, None) => {
                format!("trusts {subject}, because its detector says so")
            }
            (what @ (TraceEvent::Recover { .. } | TraceEvent::Resume), _) => happening(what).0,
            (what @ (TraceEvent::RequestLost { .. } | TraceEvent::StorageError { .. }), _) => {
                happening(what).0
            }
            (TraceEvent::Synced, _) => "its log is durable now".to_owned(),
            _ => return None,
        })
    }

    /// Whether a process had become Byzantine before this step.
    fn is_liar(&self, p: ProcessId, step: &Step) -> bool {
        let turns = |entry: &Entry| {
            let turned =
                matches!(entry.what, TraceEvent::Corrupt { .. } | TraceEvent::Doubled { .. });
            turned && entry.process == Some(p)
        };
        self.trace.entries[..step.entries[0]].iter().any(turns)
    }

    /// The effects of the step.
    fn effects(&self, step: &Step) -> Vec<String> {
        let mut parts = Vec::new();
        let mut sent = Vec::new();
        for entry in self.entries(step) {
            if let Some(sending) = sending(entry) {
                sent.push(sending);
                continue;
            }
            let part = match &entry.what {
                TraceEvent::Append { record } => format!("logs {}", content(record)),
                TraceEvent::Indicate { what, phrase, .. } => {
                    content(&announcement(what, phrase.as_deref()))
                }
                TraceEvent::Crash { effects_lost } => self.crash(step, *effects_lost),
                TraceEvent::Violation { property, .. } => format!("VIOLATES {property}"),
                TraceEvent::Reach { .. }
                | TraceEvent::Note { .. }
                | TraceEvent::Pause
                | TraceEvent::Damage { .. }
                | TraceEvent::Corrupt { .. }
                | TraceEvent::Begins { .. }
                | TraceEvent::Ends { .. }
                | TraceEvent::Heal
                | TraceEvent::Stabilise
                | TraceEvent::Panic { .. }
                | TraceEvent::Well { .. }
                | TraceEvent::Unavailable
                | TraceEvent::Doubled { .. }
                | TraceEvent::Abort
                | TraceEvent::Garble { .. }
                | TraceEvent::StateCorrupted
                | TraceEvent::ClockJump { .. } => effect(entry),
                _ => continue,
            };
            parts.extend(self.sendings(std::mem::take(&mut sent).into_iter()));
            parts.push(part);
        }
        parts.extend(self.sendings(sent.into_iter()));
        parts
    }

    /// A crash, and the processes that therefore missed a message that others received.
    fn crash(&self, step: &Step, effects_lost: usize) -> String {
        let lost = match effects_lost {
            0 => return "CRASHES".to_owned(),
            1 => "the last effect of this handler is".to_owned(),
            count => format!("the last {count} effects of this handler are"),
        };
        let sent: Vec<Sending<'_>> = self.entries(step).filter_map(sending).collect();
        let Some(last) = sent.last() else { return format!("CRASHES: {lost} lost") };
        let to: BTreeSet<ProcessId> =
            sent.iter().filter(|s| s.kind() == last.kind()).map(|s| s.to).collect();
        let not_to: Vec<ProcessId> =
            self.audience(step, last).into_iter().filter(|p| !to.contains(p)).collect();
        if not_to.is_empty() || not_to.len() > effects_lost {
            return format!("CRASHES: {lost} lost");
        }
        let (to, not_to): (Vec<_>, _) = (to.into_iter().collect(), list(&not_to));
        format!("CRASHES: {lost} lost; {} went to {}, none to {not_to}", last.kind(), list(&to))
    }

    /// The receivers of the same kind of message in the latest earlier step with several of them;
    /// if there is no such step, of any kind.
    fn audience(&self, step: &Step, like: &Sending<'_>) -> BTreeSet<ProcessId> {
        let mut best = BTreeSet::new();
        let mut before = step.before;
        while let Some(index) = before {
            let earlier = &self.causality.steps[index];
            before = earlier.before;
            let sent: Vec<Sending<'_>> = self.entries(earlier).filter_map(sending).collect();
            let same: BTreeSet<ProcessId> =
                sent.iter().filter(|s| s.kind() == like.kind()).map(|s| s.to).collect();
            if same.len() > 1 {
                return same;
            }
            if best.is_empty() && sent.len() > 1 {
                best = sent.iter().map(|s| s.to).collect();
            }
        }
        best
    }

    /// Messages sent in one step: one part for each content, with the receivers that missed it.
    fn sendings<'s>(&self, sendings: impl Iterator<Item = Sending<'s>>) -> Vec<String> {
        let mut parts: Vec<(&str, Receivers)> = Vec::new();
        for sending in sendings {
            let fate = self.fate(&sending);
            let known = parts.iter().position(|(message, _)| *message == sending.message);
            let index = known.unwrap_or_else(|| {
                parts.push((sending.message, Receivers::default()));
                parts.len() - 1
            });
            parts[index].1.entry(fate).or_default().insert(sending.to);
        }
        let told = parts.into_iter().map(|(message, receivers)| {
            let all = |set: &BTreeSet<ProcessId>| list(&set.iter().copied().collect::<Vec<_>>());
            let mut told = format!("sends {}", content(message));
            let mut fates = Vec::new();
            for (fate, to) in &receivers {
                match fate {
                    Fate::Heard => told.push_str(&format!(" to {}", all(to))),
                    Fate::Late(at) => fates.push(format!("reaches {} only at {at}", all(to))),
                    Fate::UnderWay => {
                        fates.push(format!("still under way to {} at the end", all(to)));
                    }
                    Fate::Lost(reason) => fates.push(format!("LOST to {}: {reason}", all(to))),
                }
            }
            if fates.is_empty() { told } else { format!("{told} ({})", fates.join("; ")) }
        });
        told.collect()
    }

    /// The fate of a message, with regard to the violation.
    fn fate(&self, sending: &Sending<'_>) -> Fate {
        match self.misses(sending.id) {
            Some(Fate::Late(_)) if !self.is_missing(sending) => Fate::Heard,
            Some(fate) => fate,
            None => Fate::Heard,
        }
    }

    /// The reason why a message is not in the described past, if it is not.
    fn misses(&self, id: MessageId) -> Option<Fate> {
        let voyage = self.causality.voyages.get(&id)?;
        if let Some(heard) = voyage.heard {
            let at = rounded(self.causality.steps[heard].at);
            return (!self.past[heard]).then_some(Fate::Late(at));
        }
        Some(match voyage.lost.map(|lost| &self.trace.entries[lost].what) {
            Some(TraceEvent::Drop { reason: DropReason::Loss, .. }) => Fate::Lost("by the link"),
            Some(TraceEvent::Drop { reason, .. }) => Fate::Lost(reason.text()),
            _ => Fate::UnderWay,
        })
    }
}

/// The receivers of a message, by fate.
type Receivers = BTreeMap<Fate, BTreeSet<ProcessId>>;

/// The fates of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// Delivered in time, or when it no longer mattered.
    Heard,
    /// Delivered too late.
    Late(Instant),
    /// Lost.
    Lost(&'static str),
    /// Still under way at the end of the run.
    UnderWay,
}

/// A message that is sent, whatever its fate.
#[derive(Clone, Copy)]
pub struct Sending<'e> {
    /// The message.
    pub id: MessageId,
    /// The receiver.
    pub to: ProcessId,
    /// Its content.
    pub message: &'e str,
}

impl<'e> Sending<'e> {
    /// The name of its kind: its content up to the first bracket.
    pub fn kind(&self) -> &'e str {
        kind(self.message)
    }
}

/// The name of a content's kind: the content up to its first bracket.
pub fn kind(content: &str) -> &str {
    let end = content.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(content.len());
    &content[..end]
}

/// The message that an entry sends, if any.
pub fn sending(entry: &Entry) -> Option<Sending<'_>> {
    match &entry.what {
        TraceEvent::Send { id, to, message, .. }
        | TraceEvent::Carry { id, to, message }
        | TraceEvent::Drop { id, to, message, .. } => Some(Sending { id: *id, to: *to, message }),
        _ => None,
    }
}

fn effect(entry: &Entry) -> String {
    match &entry.what {
        TraceEvent::Garble { id, to, message } => {
            format!("{id} to {to} is garbled in transit: {}", content(message))
        }
        what => happening(what).0,
    }
}

/// Content on one line, shortened if it is long.
pub fn content(text: &str) -> String {
    shortened(text, CONTENT_LENGTH_MAX)
}

/// A text on one line of at most this many characters.
pub fn shortened(text: &str, length_max: usize) -> String {
    let text = line(text);
    match text.char_indices().nth(length_max) {
        None => text.into_owned(),
        Some(_) => text.chars().take(length_max - 1).chain(['…']).collect(),
    }
}

/// A time rounded to four significant digits; the number of the step identifies it exactly.
pub fn rounded(at: Instant) -> Instant {
    let nanos = at.as_nanos();
    let unit = 10_u64.pow(nanos.checked_ilog10().unwrap_or(0).saturating_sub(3));
    Instant::from_nanos(nanos.saturating_add(unit / 2) / unit * unit)
}

/// `p0, p1 and p2`.
pub fn list(processes: &[ProcessId]) -> String {
    words(&processes.iter().map(ToString::to_string).collect::<Vec<_>>())
}

/// `a, b and c`.
pub fn words(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
