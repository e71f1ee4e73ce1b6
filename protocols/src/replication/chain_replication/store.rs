//! What a server has applied: the versions of each key that it may be asked for, and the last
//! command of each client.

use std::collections::BTreeMap;

use ftsim_core::ProcessId;

use super::{Sequence, Update};
use crate::spec::service::{Command, Key, Operation, Outcome, Value};

#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Store {
    /// The sequence number of the last update.
    last: Sequence,
    /// The values of each key, by the updates that set them: from the latest that is acknowledged
    /// on. Before all of them it is 0.
    versions: BTreeMap<Key, BTreeMap<Sequence, Value>>,
    /// Each client's last command: its number, its place in the history, and its outcome.
    sessions: BTreeMap<ProcessId, (u64, Sequence, Outcome)>,
}

impl Store {
    pub(super) fn last(&self) -> Sequence {
        self.last
    }

    /// What becomes of a request if it is executed now.
    pub(super) fn execute(&self, command: Command, key: Key, operation: &Operation) -> Update {
        let (value, outcome) = operation.apply(self.latest(key));
        Update { command, key, value, outcome }
    }

    /// Appends an update to the history; returns its sequence number.
    pub(super) fn append(&mut self, update: &Update) -> Sequence {
        self.last = self.last.saturating_add(1);
        let Command { client, number } = update.command;
        self.versions.entry(update.key).or_default().insert(self.last, update.value);
        self.sessions.insert(client, (number, self.last, update.outcome.clone()));
        self.last
    }

    /// If the command, or a later one of its client, has been executed: the place of the client's
    /// last one in the history, and its outcome if it is this one.
    pub(super) fn executed(&self, command: Command) -> Option<(Sequence, Option<Outcome>)> {
        let (number, sequence, outcome) = self.sessions.get(&command.client)?;
        let same = *number == command.number;
        (*number >= command.number).then(|| (*sequence, same.then(|| outcome.clone())))
    }

    pub(super) fn latest(&self, key: Key) -> Value {
        self.version(key, Sequence::MAX)
    }

    /// The value of a key after the update with this sequence number.
    pub(super) fn version(&self, key: Key, at: Sequence) -> Value {
        let versions = self.versions.get(&key);
        versions.and_then(|all| all.range(..=at).next_back()).map_or(0, |(_, value)| *value)
    }

    /// The sequence number of the last update of a key; 0 if there is none.
    pub(super) fn latest_version(&self, key: Key) -> Sequence {
        let versions = self.versions.get(&key);
        versions.and_then(|all| all.last_key_value()).map_or(0, |(sequence, _)| *sequence)
    }

    /// Forgets the versions before the latest one that is acknowledged.
    pub(super) fn forget(&mut self, key: Key, acked: Sequence) {
        if let Some(versions) = self.versions.get_mut(&key) {
            let kept = versions.range(..=acked).next_back().map_or(0, |(sequence, _)| *sequence);
            *versions = versions.split_off(&kept);
        }
    }
}
