//! A state machine: the value of each key, and a session for each client (Ongaro and Ousterhout
//! 2014, section 8), so that a command that is in the log twice is executed once.

use std::collections::BTreeMap;

use ftsim_core::ProcessId;
use serde::{Deserialize, Serialize};

use crate::spec::service::{Command, Key, Operation, Outcome, Value};

/// The machine of a key-value service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Machine {
    values: BTreeMap<Key, Value>,
    /// The number of each client's last command, and its outcome.
    sessions: BTreeMap<ProcessId, (u64, Outcome)>,
}

impl Machine {
    /// Executes a command, unless it has been executed before; whether it has now.
    pub fn apply(&mut self, command: Command, key: Key, operation: &Operation) -> bool {
        if self.has_applied(command) {
            return false;
        }
        let Command { client, number } = command;
        let value = self.values.entry(key).or_default();
        let (after, outcome) = operation.apply(*value);
        *value = after;
        self.sessions.insert(client, (number, outcome));
        true
    }

    /// Whether it has executed this command, or a later one of its client.
    pub fn has_applied(&self, Command { client, number }: Command) -> bool {
        self.sessions.get(&client).is_some_and(|(last, _)| *last >= number)
    }

    /// The outcome of a command, if it is the client's last one.
    pub fn answer(&self, command: Command) -> Option<Outcome> {
        let (last, outcome) = self.sessions.get(&command.client)?;
        (*last == command.number).then(|| outcome.clone())
    }

    /// The value of a key.
    pub fn read(&self, key: Key) -> Outcome {
        Outcome::Value(self.values.get(&key).copied().unwrap_or_default())
    }
}
