//! The messages of a diagram.

use std::collections::BTreeMap;

use ftsim_core::outcome::trace::{Trace, TraceEvent};
use ftsim_core::{Duration, Instant, MessageId};

use super::lane;
use super::texts::{TextId, Texts};
use crate::causality::Causality;
use crate::step_text::{kind, sending};

/// A message between two processes.
#[derive(Clone, Debug)]
pub struct DiagramMessage {
    /// The lane of the sender.
    pub from: u32,
    /// The lane of the receiver.
    pub to: u32,
    /// The name of its kind.
    pub kind: TextId,
    /// Its content.
    pub text: TextId,
    /// The step that sent it; `None` if nobody did: the network replayed or invented it.
    pub sent: Option<usize>,
    /// The steps that delivered it, in order; several if it was duplicated.
    pub heard: Vec<usize>,
    /// Its loss.
    pub lost: Option<Lost>,
    /// The time when it was to arrive, in nanoseconds, if it did neither arrive nor get lost.
    pub arrives: Option<u64>,
    /// Whether it took longer than the bound on delays.
    pub late: bool,
    /// Whether what was delivered is not what was sent.
    pub changed: bool,
    /// Whether the network sent it again later.
    pub replayed: bool,
    sent_at: Instant,
}

/// The loss of a message.
#[derive(Clone, Debug)]
pub struct Lost {
    /// The time, in nanoseconds.
    pub at: u64,
    /// The step after which it was lost, or in which it was sent.
    pub after: usize,
    /// The reason.
    pub reason: TextId,
}

/// The messages of a run, and for each entry of the trace the message that it is about. Messages
/// of a process to itself are not among them.
pub fn messages(
    trace: &Trace,
    causality: &Causality,
    bound: Option<Duration>,
    texts: &mut Texts,
) -> (Vec<DiagramMessage>, Vec<Option<usize>>) {
    let mut step_of: Vec<Option<usize>> = vec![None; trace.entries.len()];
    for (index, step) in causality.steps.iter().enumerate() {
        step.entries.iter().for_each(|entry| step_of[*entry] = Some(index));
    }
    let (by_id, twins) = (BTreeMap::new(), BTreeMap::new());
    let mut made = Made { messages: Vec::new(), by_id, twins, texts };
    let mut of_entry = Vec::with_capacity(trace.entries.len());
    let mut latest = 0;
    for (entry, step) in trace.entries.iter().zip(&step_of) {
        latest = step.unwrap_or(latest).max(latest);
        let place = Place { at: entry.at, step: *step, latest };
        // What the second copy of a process sends bears the name of both: its step knows better.
        let process = step.map_or(entry.process, |step| causality.steps[step].process);
        of_entry.push(made.read(process.map(lane), &entry.what, place, bound));
        if let Some(index) = of_entry.last().copied().flatten()
            && sending(entry).is_some()
        {
            made.messages[index].sent = made.messages[index].sent.or(*step);
        }
    }
    (made.messages, of_entry)
}

/// Where an entry stands.
#[derive(Clone, Copy)]
struct Place {
    at: Instant,
    /// Its step; `None` for the loss of a message under way.
    step: Option<usize>,
    /// The latest step so far.
    latest: usize,
}

struct Made<'t> {
    messages: Vec<DiagramMessage>,
    by_id: BTreeMap<MessageId, usize>,
    /// For the lane of a second copy of a process, that of the first.
    twins: BTreeMap<u32, u32>,
    texts: &'t mut Texts,
}

impl Made<'_> {
    /// Reads an entry; returns the message that it is about, if any.
    fn read(
        &mut self,
        process: Option<u32>,
        what: &TraceEvent,
        place: Place,
        bound: Option<Duration>,
    ) -> Option<usize> {
        match what {
            TraceEvent::Send { id, to, message, arrives, .. } => {
                let index = self.message(*id, process?, lane(*to), message, place.at)?;
                self.messages[index].arrives = Some(arrives.as_nanos());
                Some(index)
            }
            TraceEvent::Carry { id, to, message } => {
                self.message(*id, process?, lane(*to), message, place.at)
            }
            TraceEvent::Replay { id, to, message } => {
                let index = self.message(*id, process?, lane(*to), message, place.at)?;
                self.messages[index].replayed = true;
                Some(index)
            }
            TraceEvent::Garble { id, .. } => {
                let index = *self.by_id.get(id)?;
                self.messages[index].changed = true;
                Some(index)
            }
            TraceEvent::Drop { id, to, message, reason } => {
                let index = self.message(*id, process?, lane(*to), message, place.at)?;
                let reason = self.texts.intern(reason.text());
                let lost = &mut self.messages[index];
                if lost.heard.is_empty() {
                    let after = place.step.unwrap_or(place.latest);
                    lost.lost = Some(Lost { at: place.at.as_nanos(), after, reason });
                    lost.arrives = None;
                }
                Some(index)
            }
            TraceEvent::Doubled { second } => {
                self.twins.insert(lane(*second), process?);
                None
            }
            // A twin hears what it has sent to itself, under the name that it shares.
            TraceEvent::Deliver { id, from, .. }
                if !self.by_id.contains_key(id)
                    && self.twins.get(&process?) == Some(&lane(*from)) =>
            {
                None
            }
            TraceEvent::Deliver { id, from, message } => {
                let index = self.message(*id, lane(*from), process?, message, place.at)?;
                let text = self.texts.intern(message);
                let heard = &mut self.messages[index];
                heard.heard.extend(place.step);
                heard.changed |= heard.text != text;
                heard.late |= bound.is_some_and(|bound| place.at.since(heard.sent_at) > bound);
                (heard.arrives, heard.lost) = (None, None);
                Some(index)
            }
            _ => None,
        }
    }

    /// The message with this id; a new one, unless it is known.
    fn message(
        &mut self,
        id: MessageId,
        from: u32,
        to: u32,
        content: &str,
        sent_at: Instant,
    ) -> Option<usize> {
        if let Some(known) = self.by_id.get(&id) {
            return Some(*known);
        }
        if from == to {
            return None;
        }
        let (kind, text) = (self.texts.intern(kind(content)), self.texts.intern(content));
        self.by_id.insert(id, self.messages.len());
        self.messages.push(DiagramMessage {
            from,
            to,
            kind,
            text,
            sent: None,
            heard: Vec::new(),
            lost: None,
            arrives: None,
            late: false,
            changed: false,
            replayed: false,
            sent_at,
        });
        Some(self.messages.len() - 1)
    }
}
