//! The steps of a recorded run, and the happened-before relation between them (Lamport 1978, *Time,
//! clocks, and the ordering of events*).
//!
//! A step happened before the next one of its process, and a sending before the delivery. A
//! suspicion follows the crash that it is about: a detector transmits information, too. Information
//! that flows through clients, or secretly between colluding processes, is not represented.

use std::collections::BTreeMap;

use ftsim_core::outcome::trace::{Entry, Trace, TraceEvent};
use ftsim_core::{Instant, MessageId, ProcessId};

use crate::step_text::sending;

/// A step of one process: an event, and the effects of its handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its number in the run, as in traces.
    pub number: u64,
    /// The time.
    pub at: Instant,
    /// The process; `None` for the network as a whole.
    pub process: Option<ProcessId>,
    /// Its entries in the trace, by index, in order; at least one.
    pub entries: Vec<usize>,
    /// The previous step of the same process.
    pub before: Option<usize>,
    /// The step that caused it: the sending of the delivered message, the setting of the timer that
    /// fires, the crash of the suspected process.
    pub cause: Option<usize>,
}

/// The sending, the delivery and the loss of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageLife {
    /// The step that sent it.
    pub sent: Option<usize>,
    /// The step in which it was first delivered.
    pub heard: Option<usize>,
    /// The entry about its loss, if no copy of it was delivered.
    pub lost: Option<usize>,
}

/// The steps of a run, in order, and their causal relations.
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

    /// For each step, whether it is one of these or happened before one of them.
    pub fn past(&self, of: &[usize]) -> Vec<bool> {
        self.distances(of).iter().map(Option::is_some).collect()
    }

    /// The distance of each step from these, if it happened before them: one for each cause, two
    /// for each earlier step of the same process, along the shortest path.
    pub fn distances(&self, from: &[usize]) -> Vec<Option<u64>> {
        let mut distances: Vec<Option<u64>> = vec![None; self.steps.len()];
        from.iter().for_each(|index| distances[*index] = Some(0));
        // Causes have smaller indices.
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

/// Whether this is an event, which begins a step, rather than an effect or a fault.
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

/// Groups entries into steps.
#[derive(Default)]
struct Reader {
    made: Causality,
    /// The latest step of each process, and of the network.
    latest: BTreeMap<Option<ProcessId>, usize>,
    /// The step in which each timer was last set.
    timers: BTreeMap<(ProcessId, String), usize>,
    /// The latest crash, and the latest recovery, of each process.
    crashes: BTreeMap<ProcessId, usize>,
    recoveries: BTreeMap<ProcessId, usize>,
    /// The second copy of each process that is two.
    twins: BTreeMap<ProcessId, ProcessId>,
}

impl Reader {
    fn read(&mut self, index: usize, entry: &Entry) {
        if let TraceEvent::Drop { id, to, .. } = entry.what {
            if let Some(voyage) = self.made.voyages.get_mut(&id) {
                // It was under way: this is no step of its sender.
                voyage.lost = voyage.heard.is_none().then_some(index);
                return;
            }
            if entry.process == Some(to) {
                // A message to itself, while the process is down.
                return;
            }
        }
        let process = self.sender(entry);
        let step = match self.latest.get(&process) {
            Some(&latest) if self.belongs(entry, latest) => {
                self.made.steps[latest].entries.push(index);
                latest
            }
            _ => self.begin(index, entry),
        };
        self.note(index, entry, step);
    }

    /// The process of an entry. What the second copy of a process sends bears the name of both, but
    /// belongs to the second copy if the step is its own.
    fn sender(&self, entry: &Entry) -> Option<ProcessId> {
        let second = self.twins.get(&entry.process?).copied();
        let second = second.filter(|_| sending(entry).is_some());
        let is_own = |p: Option<ProcessId>| {
            let latest = self.latest.get(&p).map(|latest| &self.made.steps[*latest]);
            latest.is_some_and(|step| step.number == entry.step && step.at == entry.at)
        };
        if is_own(second) && !is_own(entry.process) { second } else { entry.process }
    }

    /// Whether an entry belongs to the latest step of its process.
    fn belongs(&self, entry: &Entry, latest: usize) -> bool {
        let step = &self.made.steps[latest];
        // The first handler of a recovering process has a step number of its own.
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

    /// Records possible causes of later steps.
    fn note(&mut self, index: usize, entry: &Entry, step: usize) {
        let Some(p) = entry.process else { return };
        match &entry.what {
            TraceEvent::Doubled { second } => {
                self.twins.insert(p, *second);
            }
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
