//! ME3: requests are granted in the order in which they happened, as far as one happened before the
//! other (Lamport 1978).

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use ftsim_core::{MessageId, Observation, Observed, ProcessId, Property, Setting, Violation};

use super::{EntryNumber, Indication, MutualExclusion, Request};

/// The requests that happened before an event: for each process, the number of its last one.
type Past = Vec<EntryNumber>;

/// Remembers what happened before each request, and compares it with the entries so far.
#[derive(Clone, Debug, Hash)]
pub(super) struct FirstComeFirstServed {
    /// What happened before the next event of each process, in the order of their ids.
    known: Vec<Past>,
    in_transit: InTransit,
    /// What happened before the last request of each process, in the order of their ids.
    before: Vec<Past>,
    /// The number of the last entry of each process.
    entered: Vec<EntryNumber>,
    has_crashed: Vec<bool>,
    /// Entries after which some other request was granted that had happened before.
    obligations: u64,
}

/// What happened before the sending of each message that has not arrived.
#[derive(Clone, Debug, Default)]
struct InTransit(BTreeMap<MessageId, Past>);

impl Hash for InTransit {
    /// The numbers of messages are no part of the state.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.values().for_each(|past| past.hash(state));
    }
}

impl FirstComeFirstServed {
    pub(super) fn new(setting: &Setting) -> Self {
        let n = setting.n as usize;
        let nothing = vec![vec![0; n]; n];
        Self {
            known: nothing.clone(),
            in_transit: InTransit::default(),
            before: nothing,
            entered: vec![0; n],
            has_crashed: vec![false; n],
            obligations: 0,
        }
    }

    fn receive(&mut self, p: ProcessId, message: MessageId) {
        // A second copy tells nothing new.
        let Some(past) = self.in_transit.0.remove(&message) else { return };
        for (known, number) in self.known[p.index()].iter_mut().zip(past) {
            *known = number.max(*known);
        }
    }

    fn enter(&mut self, p: ProcessId, number: EntryNumber) -> Result<(), Violation> {
        self.entered[p.index()] = number;
        let others = (0..).map(ProcessId).zip(&self.before[p.index()]);
        let mut others = others.filter(|(q, count)| *q != p && **count > 0);
        let skipped = others
            .clone()
            .find(|(q, count)| self.entered[q.index()] < **count && !self.has_crashed[q.index()]);
        self.obligations += u64::from(others.next().is_some());
        let Some((q, count)) = skipped else { return Ok(()) };
        Err(Violation::by(
            [p, q],
            format!("{p} entered before {q}, whose request number {count} happened before its own"),
        ))
    }
}

impl Property<MutualExclusion> for FirstComeFirstServed {
    fn observe(&mut self, event: &Observed<'_, MutualExclusion>) -> Result<(), Violation> {
        let p = event.process;
        if p.index() >= self.known.len() {
            return Ok(());
        }
        match event.what {
            Observation::Request(Request::Enter(number)) => {
                self.before[p.index()].clone_from(&self.known[p.index()]);
                self.known[p.index()][p.index()] = *number;
            }
            Observation::Send(message) => {
                self.in_transit.0.insert(message, self.known[p.index()].clone());
            }
            Observation::Receive(message) => self.receive(p, message),
            Observation::Indication(Indication::Entered(number)) => return self.enter(p, *number),
            Observation::Crash => self.has_crashed[p.index()] = true,
            _ => {}
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.obligations
    }
}
