//! Who could have known of what: the steps of a recorded run, and which of them happened before
//! which (Lamport 1978, *Time, clocks, and the ordering of events*).
//!
//! A step happened before the next one of its process, and a sending before the delivery. A
//! suspicion follows the crash that it is about: a detector is a way for news too. What a client
//! knows, and what processes that lie together tell each other in secret, is not seen.

use std::collections::BTreeMap;

use ftsim_core::outcome::trace::{Entry, Trace, TraceEvent};
use ftsim_core::{Instant, MessageId, ProcessId};

/// What one process did at one go: an event, and the effects of its handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its number in the run, as traces show it.
    pub number: u64,
    /// When.
    pub at: Instant,
    /// Where; `None` for the network as a whole.
    pub process: Option<ProcessId>,
    /// Its entries in the trace, by index, in their order; at least one.
    pub entries: Vec<usize>,
    /// The step before it at the same process.
    pub before: Option<usize>,
    /// The step that brought it about: the sending of the message that is heard, the setting of the
    /// timer that runs out, the crash that is suspected.
    pub cause: Option<usize>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageLife {
    /// The step that sent it.
    pub sent: Option<usize>,
    /// The step that heard it first.
    pub heard: Option<usize>,
    /// The entry that tells of its loss, if no copy of it was heard.
    pub lost: Option<usize>,
}

/// The steps of a run, in their order, and how they hang together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Causality {
    /// The steps.
    pub steps: Vec<Step>,
    /// The messages, apart from those of a process to itself.
    pub voyages: BTreeMap<MessageId, MessageLife>,
}

impl Causality {
    /// The steps of this run.
    pub fn of(trace: &Trace) -> Self {
        let mut reader = Reader::default();
        for (index, entry) in trace.entries.iter().enumerate() {
            reader.read(index, entry);
        }
        reader.made
    }

    /// For each step whether it happened before one of these, or is one of them.
    pub fn past(&self, of: &[usize]) -> Vec<bool> {
        self.distances(of).iter().map(Option::is_some).collect()
    }

    /// How far back each step is from these, if it happened before them: one for each cause, two
    /// for each earlier step of the same process, along the shortest way.
    pub fn distances(&self, from: &[usize]) -> Vec<Option<u64>> {
        let mut distances: Vec<Option<u64>> = vec![None; self.steps.len()];
        from.iter().for_each(|index| distances[*index] = Some(0));
        // What comes before has a smaller index.
        for index in (0..self.steps.len()).rev() {
            let Some(distance) = distances[index] else { continue };
            let Step { before, cause, .. } = self.steps[index];
            for (step, length) in [(cause, 1), (before, 2)] {
                let Some(step) = step else { continue };
                let known = distances[step].unwrap_or(u64::MAX);
                distances[step] = Some(known.min(distance + length));
            }
        }
        distances
    }

    /// The steps of this process.
    pub fn of_process(&self, p: ProcessId) -> impl DoubleEndedIterator<Item = (usize, &Step)> {
        self.steps.iter().enumerate().filter(move |(_, step)| step.process == Some(p))
    }
}

/// Whether this is an event, which begins a step; anything else is an effect, or befalls a process.
pub(crate) const fn is_event(what: &TraceEvent) -> bool {
    matches!(
        what,
        TraceEvent::Start
            | TraceEvent::Request { .. }
            | TraceEvent::RequestLost { .. }
            | TraceEvent::Deliver { .. }
            | TraceEvent::Timer { .. }
            | TraceEvent::Suspect { .. }
            | TraceEvent::Trust { .. }
            | TraceEvent::StorageError { .. }
            | TraceEvent::Recover { .. }
            | TraceEvent::Resume
    )
}

/// Makes steps of entries, one after the other.
#[derive(Default)]
struct Reader {
    made: Causality,
    /// The latest step of each process, and of the network.
    latest: BTreeMap<Option<ProcessId>, usize>,
    /// Where each timer was set for the last time.
    timers: BTreeMap<(ProcessId, String), usize>,
    /// The latest crash, and the latest recovery, of each process.
    crashes: BTreeMap<ProcessId, usize>,
    recoveries: BTreeMap<ProcessId, usize>,
}

impl Reader {
    fn read(&mut self, index: usize, entry: &Entry) {
        if let TraceEvent::Drop { id, to, .. } = entry.what {
            if let Some(voyage) = self.made.voyages.get_mut(&id) {
                // It was under way: nothing happens at its sender.
                voyage.lost = voyage.heard.is_none().then_some(index);
                return;
            }
            if entry.process == Some(to) {
                // To itself, and the process is down.
                return;
            }
        }
        let step = match self.latest.get(&entry.process) {
            Some(&latest) if self.belongs(entry, latest) => {
                self.made.steps[latest].entries.push(index);
                latest
            }
            _ => self.begin(index, entry),
        };
        self.note(index, entry, step);
    }

    /// Whether an entry is a part of the latest step of its process.
    fn belongs(&self, entry: &Entry, latest: usize) -> bool {
        let step = &self.made.steps[latest];
        // What a recovering process does first has a number of its own.
        let recovers = entry.process.and_then(|p| self.recoveries.get(&p)) == Some(&latest)
            && step.number + 1 == entry.step;
        let is_one = step.number == entry.step || recovers;
        is_one && step.at == entry.at && !is_event(&entry.what)
    }

    fn begin(&mut self, index: usize, entry: &Entry) -> usize {
        let this = self.made.steps.len();
        let cause = match (&entry.what, entry.process) {
            (TraceEvent::Deliver { id, .. }, _) => {
                self.made.voyages.get(id).and_then(|voyage| voyage.sent)
            }
            (TraceEvent::Timer { timer }, Some(p)) => self.timers.get(&(p, timer.clone())).copied(),
            (TraceEvent::Suspect { subject }, _) => self.crashes.get(subject).copied(),
            (TraceEvent::Trust { subject }, _) => self.recoveries.get(subject).copied(),
            _ => None,
        };
        let before = self.latest.insert(entry.process, this);
        let Entry { step: number, at, process, .. } = *entry;
        self.made.steps.push(Step { number, at, process, entries: vec![index], before, cause });
        this
    }

    /// Remembers what later steps follow from.
    fn note(&mut self, index: usize, entry: &Entry, step: usize) {
        let Some(p) = entry.process else { return };
        match &entry.what {
            TraceEvent::Send { id, .. } | TraceEvent::Carry { id, .. } => {
                self.made.voyages.entry(*id).or_default().sent.get_or_insert(step);
            }
            TraceEvent::Drop { id, .. } => {
                let voyage = MessageLife { sent: Some(step), heard: None, lost: Some(index) };
                self.made.voyages.insert(*id, voyage);
            }
            TraceEvent::Deliver { id, .. } => {
                if let Some(voyage) = self.made.voyages.get_mut(id) {
                    voyage.heard.get_or_insert(step);
                    voyage.lost = None;
                }
            }
            TraceEvent::SetTimer { timer, .. } => {
                self.timers.insert((p, timer.clone()), step);
            }
            TraceEvent::Crash { .. } => {
                self.crashes.insert(p, step);
                self.recoveries.remove(&p);
            }
            TraceEvent::Recover { .. } => {
                self.crashes.remove(&p);
                self.recoveries.insert(p, step);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
