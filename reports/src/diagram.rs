//! A run as a picture needs it: lanes, steps, messages between them, bands of faults, and the story
//! of a violation. It is plain data that a viewer reads as JSON.

mod bands;
mod messages;
mod packed;
mod state;
mod texts;

use ftsim_core::outcome::trace::{Entry, Trace, TraceEvent};
use ftsim_core::{Duration, Outcome, ProcessId, PropertyKind, Verdict};
use serde::Serialize;

use crate::causality::{Causality, Step};
use crate::outcome::kind_text;
use crate::step_text::{rounded, sending};
use crate::story::{Standing, Story};
use crate::trace::happening;
pub use bands::Band;
pub use messages::{DiagramMessage, Lost};
pub(crate) use packed::{Names, PackedRun, VERSION};
pub use state::{Change, StateAfter};
use texts::{TextId, Texts};

/// A run, drawn. As JSON, it is in columns.
#[derive(Clone, Debug)]
pub struct Diagram {
    /// The run, in words.
    pub about: About,
    /// The lanes, in the order of the processes' ids.
    pub lanes: Vec<Lane>,
    /// The verdicts, in the order of the spec's table.
    pub verdicts: Vec<DiagramVerdict>,
    /// The steps, in the order of the run.
    pub steps: Vec<DiagramStep>,
    /// The messages between processes, in the order of their sending.
    pub messages: Vec<DiagramMessage>,
    /// What lasts: faults, and leading.
    pub bands: Vec<Band>,
    /// The story of the violation that is told, if any.
    pub story: Option<DiagramStory>,
    /// The bound on delays, in nanoseconds.
    pub bound: Option<u64>,
    /// All texts: every field of type `TextId` is an index into them.
    texts: Texts,
}

/// The run, in words.
#[derive(Clone, Debug, Default, Serialize)]
pub struct About {
    /// The file of the scenario.
    pub scenario: String,
    /// Its summary.
    pub summary: Option<String>,
    /// The protocol.
    pub protocol: String,
    /// The problem.
    pub problem: String,
    /// The mutant, if any.
    pub mutant: Option<String>,
    /// The seed.
    pub seed: u64,
    /// The number of events.
    pub events: u64,
    /// How it ended.
    pub ended: String,
    /// The digest.
    pub digest: String,
    /// The command that shows the run again.
    pub command: String,
    /// Whether the trace ends before the run.
    pub truncated: bool,
    /// What the page does not show, and why; a sentence each.
    pub notices: Vec<String>,
    /// The number of the first step whose states are left out, if any are.
    pub states_end: Option<u64>,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lane {
    /// Its name.
    pub name: String,
    /// Its role, in protocols with several.
    pub role: Option<String>,
}

/// A property, and whether it holds in the run.
#[derive(Clone, Debug, Serialize)]
pub struct DiagramVerdict {
    /// The property.
    pub property: String,
    /// `safety` or `liveness`.
    pub kind: &'static str,
    /// Its requirement.
    pub text: String,
    /// `held`, `vacuous`, `undecided` or `violated`.
    pub verdict: &'static str,
    /// The violation, or why it is undecided.
    pub message: Option<String>,
}

/// A step of a process, or of the network.
#[derive(Clone, Debug)]
pub struct DiagramStep {
    /// Its number in the run, as in traces.
    pub number: u64,
    /// The number of its last entry: recovering is two steps in a trace.
    last: u64,
    /// The time, in nanoseconds.
    pub at: u64,
    /// The lane; `None` for the network as a whole.
    pub lane: Option<u32>,
    /// The previous step of the lane.
    pub before: Option<usize>,
    /// The step that caused it.
    pub cause: Option<usize>,
    /// What happened in it, in order.
    pub parts: Vec<Part>,
    /// What it changed in the state of its process.
    pub state: Vec<Change>,
}

/// A part of a step.
#[derive(Clone, Debug)]
pub struct Part {
    /// The kind of event, as in a trace's JSON.
    pub event: &'static str,
    /// A description.
    pub text: TextId,
    /// The message that it sends, delivers or loses, by index.
    pub message: Option<usize>,
}

/// The story of a violation.
#[derive(Clone, Debug, Serialize)]
pub struct DiagramStory {
    /// The property.
    pub property: String,
    /// What happened, in one sentence.
    pub message: String,
    /// The steps that show it.
    pub roots: Vec<usize>,
    /// The rows that are nearest to it, in order.
    pub rows: Vec<DiagramRow>,
    /// The number of rows that are left out.
    pub left_out: usize,
    /// What the violation needs, in sentences.
    pub needs: Vec<String>,
}

/// A row of a story.
#[derive(Clone, Debug, Serialize)]
pub struct DiagramRow {
    /// Its steps; all alike.
    pub steps: Vec<usize>,
    /// The lane.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lane: Option<u32>,
    /// The time of its first step, rounded.
    pub at: String,
    /// A description.
    pub text: String,
    /// `past`, `fault` or `missing`.
    pub standing: &'static str,
}

/// The maximum number of rows of a story.
const ROW_COUNT_MAX: usize = 60;

impl Diagram {
    /// The diagram of a recorded run. A message that takes longer than `bound` is late.
    pub fn of(about: About, lanes: Vec<Lane>, trace: &Trace, bound: Option<Duration>) -> Self {
        let causality = Causality::of(trace);
        let mut texts = Texts::default();
        let (messages, of_entry) = messages::messages(trace, &causality, bound, &mut texts);
        let steps = causality.steps.iter();
        let steps = steps.map(|step| {
            let parts = step.entries.iter().map(|index| {
                let entry = &trace.entries[*index];
                let text = texts.intern(&described(entry));
                Part { event: event_name(&entry.what), text, message: of_entry[*index] }
            });
            let Step { number, at, process, before, cause, .. } = *step;
            let (at, lane) = (at.as_nanos(), process.map(lane));
            let last = step.entries.last().map_or(number, |entry| trace.entries[*entry].step);
            let (parts, state) = (parts.collect(), Vec::new());
            DiagramStep { number, last, at, lane, before, cause, parts, state }
        });
        let steps = steps.collect();
        let bands = bands::bands(trace, &causality, lanes.len(), &mut texts);
        let (verdicts, story) = (Vec::new(), None);
        let bound = bound.map(Duration::as_nanos);
        Self { about, lanes, verdicts, steps, messages, bands, story, bound, texts }
    }

    /// The text with this index.
    pub(crate) fn text(&self, id: TextId) -> &str {
        self.texts.get(id)
    }

    /// With the verdicts of the run; `text_of` knows the requirement of a property.
    #[must_use]
    pub fn with_verdicts(self, outcome: &Outcome, text_of: impl Fn(&str) -> String) -> Self {
        let verdicts = outcome.judged.iter().map(|judged| {
            let (verdict, message) = match &judged.verdict {
                Verdict::Held => ("held", None),
                Verdict::HeldVacuously => ("vacuous", None),
                Verdict::Undecided(reason) => ("undecided", Some(reason.clone())),
                Verdict::Violated(violation) => ("violated", Some(violation.text())),
            };
            let kind = kind_text(judged.kind);
            let (property, text) = (judged.id.to_string(), text_of(judged.id.0));
            DiagramVerdict { property, kind, text, verdict, message }
        });
        let panicked = outcome.panicked.iter().map(|panic| DiagramVerdict {
            property: "panicked".to_owned(),
            kind: kind_text(PropertyKind::Safety),
            text: "No handler panics.".to_owned(),
            verdict: "violated",
            message: Some(panic.message.clone()),
        });
        Self { verdicts: panicked.chain(verdicts).collect(), ..self }
    }

    /// With the story of a violation in the same run, and what it needs.
    #[must_use]
    pub fn with_story(self, story: &Story<'_>, needs: Vec<String>) -> Self {
        let nearest = story.nearest(ROW_COUNT_MAX);
        let left_out = story.rows.len() - nearest.len();
        let rows = nearest.into_iter().map(|index| {
            let row = &story.rows[index];
            DiagramRow {
                steps: row.steps.clone(),
                lane: row.process.map(lane),
                at: rounded(story.causality.steps[row.steps[0]].at).to_string(),
                text: row.text.clone(),
                standing: match row.standing {
                    Standing::Past => "past",
                    Standing::Fault => "fault",
                    Standing::Missing => "missing",
                },
            }
        });
        let told = DiagramStory {
            property: story.violated.property.clone(),
            message: story.violated.message.clone(),
            roots: story.roots.values().copied().collect(),
            rows: rows.collect(),
            left_out,
            needs,
        };
        Self { story: Some(told), ..self }
    }

    /// With the states of processes, in the order of the run: what each step changed.
    #[must_use]
    pub fn with_states(mut self, states: &[StateAfter]) -> Self {
        state::changes(&mut self.steps, states, self.lanes.len(), &mut self.texts);
        self
    }
}

/// A description of an entry.
fn described(entry: &Entry) -> String {
    match &entry.what {
        TraceEvent::Deliver { from, message, .. } => format!("{message} from {from}"),
        TraceEvent::Garble { to, message, .. } => {
            format!("changed in transit to {to}: {message}")
        }
        TraceEvent::Replay { to, message, .. } => format!("replayed to {to}: {message}"),
        TraceEvent::Indicate { phrase: Some(phrase), .. } => phrase.clone(),
        what => match sending(entry) {
            Some(sending) => format!("{} to {}", sending.message, sending.to),
            None => happening(what).0,
        },
    }
}

/// The name of an event in a trace's JSON.
pub(crate) const fn event_name(what: &TraceEvent) -> &'static str {
    match what {
        TraceEvent::Start => "start",
        TraceEvent::Request { .. } => "request",
        TraceEvent::RequestLost { .. } => "request-lost",
        TraceEvent::RequestMasked { .. } => "request-masked",
        TraceEvent::Deliver { .. } => "deliver",
        TraceEvent::Timer { .. } => "timer",
        TraceEvent::Suspect { .. } => "suspect",
        TraceEvent::Trust { .. } => "trust",
        TraceEvent::Send { .. } => "send",
        TraceEvent::Drop { .. } => "drop",
        TraceEvent::SetTimer { .. } => "set-timer",
        TraceEvent::CancelTimer { .. } => "cancel-timer",
        TraceEvent::Indicate { .. } => "indicate",
        TraceEvent::Append { .. } => "append",
        TraceEvent::Rewrite { .. } => "rewrite",
        TraceEvent::StorageError { .. } => "storage-error",
        TraceEvent::Damage { .. } => "damage",
        TraceEvent::SyncBegins => "sync-begins",
        TraceEvent::Synced => "synced",
        TraceEvent::Reach { .. } => "reach",
        TraceEvent::Note { .. } => "note",
        TraceEvent::Crash { .. } => "crash",
        TraceEvent::Carry { .. } => "carry",
        TraceEvent::Doubled { .. } => "doubled",
        TraceEvent::Abort => "abort",
        TraceEvent::StateCorrupted => "state-corrupted",
        TraceEvent::ClockJump { .. } => "clock-jump",
        TraceEvent::Garble { .. } => "garble",
        TraceEvent::Replay { .. } => "replay",
        TraceEvent::Recover { .. } => "recover",
        TraceEvent::Pause => "pause",
        TraceEvent::Resume => "resume",
        TraceEvent::Begins { .. } => "begins",
        TraceEvent::Ends { .. } => "ends",
        TraceEvent::Corrupt { .. } => "corrupt",
        TraceEvent::Heal => "heal",
        TraceEvent::Stabilise => "stabilise",
        TraceEvent::Well { .. } => "well",
        TraceEvent::Unavailable => "unavailable",
        TraceEvent::Violation { .. } => "violation",
        TraceEvent::Panic { .. } => "panic",
    }
}

/// The lane of a process.
const fn lane(p: ProcessId) -> u32 {
    p.0
}

#[cfg(test)]
mod tests;
