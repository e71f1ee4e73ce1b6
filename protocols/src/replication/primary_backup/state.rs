//! The replicated state: the log of updates, the value of each key, and the last reply to each
//! client.

use std::collections::BTreeMap;

use std::fmt;

use ftsim_core::ProcessId;
use ftsim_core::rng::Rng;
use serde::{Deserialize, Serialize};

use crate::spec::service::{Command, Key, Operation, Outcome, Value};

/// The result of one request: enough for a backup to follow without executing it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Entry {
    pub command: Command,
    pub key: Key,
    /// The value of the key after it.
    pub value: Value,
    /// The reply.
    pub outcome: Outcome,
}

impl fmt::Debug for Entry {
    /// Formats as `(p4#2: 0 = 7, Done)`: short, since messages contain whole logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, key, value, outcome } = self;
        write!(f, "({command:?}: {key} = {value}, {outcome:?})")
    }
}

/// The state that servers replicate.
#[derive(Clone, Debug, Default, Hash)]
pub struct State {
    log: Vec<Entry>,
    values: BTreeMap<Key, Value>,
    /// The last operation of each client.
    replies: BTreeMap<ProcessId, LastReply>,
}

/// The last operation of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LastReply {
    pub number: u64,
    /// The length of the log that ends with it.
    pub length: u64,
}

impl State {
    /// The number of entries in the log.
    pub fn length(&self) -> u64 {
        self.log.len() as u64
    }

    pub fn log(&self) -> &[Entry] {
        &self.log
    }

    /// The entry that ends the log of this length.
    pub fn entry(&self, length: u64) -> Option<&Entry> {
        self.log.get(usize::try_from(length.checked_sub(1)?).ok()?)
    }

    /// The client's last operation in the log.
    pub fn last_reply(&self, client: ProcessId) -> Option<LastReply> {
        self.replies.get(&client).copied()
    }

    /// The entry for an operation, not applied yet.
    pub fn execute(&self, command: Command, key: Key, operation: &Operation) -> Entry {
        let value = self.values.get(&key).copied().unwrap_or_default();
        let (value, outcome) = operation.apply(value);
        Entry { command, key, value, outcome }
    }

    /// Appends an entry.
    pub fn apply(&mut self, entry: Entry) {
        let Entry { command: Command { client, number }, key, value, .. } = entry;
        self.log.push(entry);
        self.values.insert(key, value);
        self.replies.insert(client, LastReply { number, length: self.length() });
    }

    /// The state that results from this log.
    pub fn of(log: Vec<Entry>) -> Self {
        let mut state = Self::default();
        for entry in log {
            state.apply(entry);
        }
        state
    }

    /// Whether the values are those that result from the log.
    pub fn is_sound(&self) -> bool {
        self.values == Self::of(self.log.clone()).values
    }

    /// Flips a bit of one of the values, if there is any.
    pub fn corrupt(&mut self, rng: &mut Rng) {
        let keys: Vec<Key> = self.values.keys().copied().collect();
        let bit = rng.below(u64::from(Value::BITS));
        if let Some(value) = rng.choose(&keys).and_then(|key| self.values.get_mut(key)) {
            *value ^= 1 << bit;
        }
    }

    /// Forgets all replies, for the mutant `forget-replies`.
    pub fn forget_replies(&mut self) {
        self.replies.clear();
    }
}
