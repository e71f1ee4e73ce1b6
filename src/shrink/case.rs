//! A scenario during shrinking: the file as data that can be cut, and apart from it the fates of
//! its messages, since there can be many.

use std::collections::BTreeSet;

use ftsim_core::Instant;
use ftsim_core::environment::message_rule::{Arrival, Fate, MessageRule};
use ftsim_protocols::Catalogue;
use toml::{Table, Value};

use crate::scenario::Scenario;

/// A scenario, in pieces.
#[derive(Clone, Debug)]
pub struct Case {
    /// The file, without `[[message]]`.
    pub table: Table,
    /// The fates of single messages.
    pub messages: Vec<MessageRule>,
    /// The seed of the run.
    pub seed: u64,
}

/// The file name used in diagnostics.
pub const NAME: &str = "shrunk.toml";

impl Case {
    /// The scenario, ready to run. `None` if it is not valid: something that it needs was removed.
    pub fn scenario(&self, catalogue: &Catalogue) -> Option<Scenario> {
        let text = toml::to_string(&self.table).ok()?;
        let mut scenario = Scenario::parse(NAME, &text, catalogue).ok()?;
        if !self.has_sound_messages(scenario.experiment.limits.horizon) {
            return None;
        }
        scenario.experiment.overrides = self.messages.clone();
        Some(scenario)
    }

    /// Whether a file can express the messages: they arrive by the horizon, and each is named once.
    fn has_sound_messages(&self, horizon: Instant) -> bool {
        let mut named = BTreeSet::new();
        self.messages.iter().all(|rule| {
            let MessageRule { from, to, kind, nth, .. } = rule;
            comes_by(rule, horizon) && named.insert((from, to, nth, kind.as_deref()))
        })
    }

    /// The approximate number of lines of its file.
    pub fn line_count(&self) -> usize {
        let lines = toml::to_string(&self.table).unwrap_or_default().lines().count();
        lines + 5 * self.messages.len()
    }

    /// The tables under a key such as `fault`.
    pub fn list(&self, key: &str) -> Vec<Value> {
        self.table.get(key).and_then(Value::as_array).cloned().unwrap_or_default()
    }

    /// The case with other tables under this key.
    pub fn with_list(&self, key: &str, list: &[Value]) -> Self {
        let mut case = self.clone();
        if list.is_empty() {
            case.table.remove(key);
        } else {
            case.table.insert(key.to_owned(), Value::Array(list.to_vec()));
        }
        case
    }

    /// The case with other messages.
    pub fn with_messages(&self, messages: &[MessageRule]) -> Self {
        Self { messages: messages.to_vec(), ..self.clone() }
    }

    /// The value at `section.key`.
    pub fn get(&self, section: &str, key: &str) -> Option<&Value> {
        self.table.get(section)?.get(key)
    }

    /// The case with this value at `section.key`.
    pub fn with(&self, section: &str, key: &str, value: impl Into<Value>) -> Self {
        let mut case = self.clone();
        let empty = || Value::Table(Table::new());
        let section = case.table.entry(section).or_insert_with(empty);
        if let Some(section) = section.as_table_mut() {
            section.insert(key.to_owned(), value.into());
        }
        case
    }

    /// The case without `section.key`; `None` if it has no such key.
    pub fn without(&self, section: &str, key: &str) -> Option<Self> {
        let mut case = self.clone();
        let table = case.table.get_mut(section)?.as_table_mut()?;
        table.remove(key)?;
        if table.is_empty() {
            case.table.remove(section);
        }
        Some(case)
    }

    /// The keys of a section.
    pub fn keys(&self, section: &str) -> Vec<String> {
        let table = self.table.get(section).and_then(Value::as_table);
        table.map_or_else(Vec::new, |table| table.keys().cloned().collect())
    }
}

/// Whether a file can express the message's arrival: no later than the horizon after its sending.
pub fn comes_by(rule: &MessageRule, horizon: Instant) -> bool {
    match &rule.fate {
        Fate::Drop(_) => true,
        Fate::Arrive(Arrival { after, copy_after, .. }) => {
            let mut times = [after, copy_after].into_iter().flatten();
            times.all(|after| Instant::ZERO + *after <= horizon)
        }
    }
}
