//! What happened before what (Lamport 1978), from the messages that processes send and receive, for
//! properties over messages.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use ftsim_core::{MessageId, Observation, ProcessId, Setting, Spec};

/// The events that happened before an event: for each process, the number of the last one. Each
/// problem says what its events are, and numbers those of a process from 1.
pub type Past = Vec<u64>;

/// What happened before the next event of each process.
#[derive(Clone, Debug, Hash)]
pub struct HappenedBefore {
    /// In the order of the ids of processes.
    known: Vec<Past>,
    in_transit: InTransit,
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

impl HappenedBefore {
    /// Nothing has happened.
    pub fn new(setting: &Setting) -> Self {
        let n = setting.n as usize;
        Self { known: vec![vec![0; n]; n], in_transit: InTransit::default() }
    }

    /// What happened before the next event of `p`; nothing, if there is no such process.
    pub fn of(&self, p: ProcessId) -> &[u64] {
        self.known.get(p.index()).map_or(&[], Vec::as_slice)
    }

    /// The event of `p` with this number happens.
    pub fn event(&mut self, p: ProcessId, number: u64) {
        if let Some(own) = self.known.get_mut(p.index()).and_then(|past| past.get_mut(p.index())) {
            *own = number;
        }
    }

    /// If `p` sends or receives a message, what happened before it there happens before it here.
    pub fn observe<S: Spec>(&mut self, p: ProcessId, what: Observation<'_, S>) {
        let Some(past) = self.known.get_mut(p.index()) else { return };
        match what {
            Observation::Send(message) => {
                self.in_transit.0.insert(message, past.clone());
            }
            Observation::Receive(message) => {
                // A second copy tells nothing new.
                let sent = self.in_transit.0.remove(&message).unwrap_or_default();
                for (known, number) in past.iter_mut().zip(sent) {
                    *known = number.max(*known);
                }
            }
            _ => {}
        }
    }
}
