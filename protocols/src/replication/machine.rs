//! A state machine: the value of each key, and a session for each client (Ongaro and Ousterhout
//! 2014, section 8), so that a command that is in the log twice is executed once.

use std::collections::BTreeMap;

use ftsim_core::ProcessId;

use crate::spec::service::{Command, Key, Operation, Outcome, Value};

#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Machine {
    values: BTreeMap<Key, Value>,
    /// The number of each client's last command, and its outcome.
    sessions: BTreeMap<ProcessId, (u64, Outcome)>,
}

impl Machine {
    /// Executes a command, unless it has been executed before; whether it has now.
    pub(super) fn apply(&mut self, command: Command, key: Key, operation: &Operation) -> bool {
        let Command { client, number } = command;
        if self.sessions.get(&client).is_some_and(|(last, _)| *last >= number) {
            return false;
        }
        let value = self.values.entry(key).or_default();
        let (after, outcome) = operation.apply(*value);
        *value = after;
        self.sessions.insert(client, (number, outcome));
        true
    }

    /// The outcome of a command, if it is the client's last one.
    pub(super) fn answer(&self, command: Command) -> Option<Outcome> {
        let (last, outcome) = self.sessions.get(&command.client)?;
        (*last == command.number).then(|| outcome.clone())
    }

    pub(super) fn read(&self, key: Key) -> Outcome {
        Outcome::Value(self.values.get(&key).copied().unwrap_or_default())
    }
}
