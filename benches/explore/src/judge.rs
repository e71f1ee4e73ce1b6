//! What must hold, the same for every tool.

use crate::history::{Call, History};
use crate::machine::Event;

/// A property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Property {
    /// All participants end alike, and none commits if one has voted No.
    Commit,
    /// Servers know of one chosen value.
    Agreement,
    /// What clients read and write has an order in which one comes after the other.
    Linearizability,
}

/// Observes a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Judge {
    property: Property,
    has_no: bool,
    ended: Option<bool>,
    chosen: Option<u8>,
    history: History,
    /// How many events it was about.
    pub seen: u64,
}

impl Judge {
    /// A judge of a run that has not begun.
    pub fn new(property: Property) -> Self {
        let history = History::default();
        Self { property, has_no: false, ended: None, chosen: None, history, seen: 0 }
    }

    /// Notes what a process announces. Returns whether the property holds so far.
    pub fn note(&mut self, process: u32, event: Event) -> bool {
        self.seen += 1;
        match (self.property, event) {
            (Property::Commit, Event::Voted(yes)) => {
                self.has_no |= !yes;
                !self.has_no || self.ended != Some(true)
            }
            (Property::Commit, Event::Ended(commit)) => {
                let first = *self.ended.get_or_insert(commit);
                first == commit && !(commit && self.has_no)
            }
            (Property::Agreement, Event::Chosen(value)) => {
                *self.chosen.get_or_insert(value) == value
            }
            (Property::Linearizability, Event::Call(call)) => {
                self.history.note(process, call);
                // What is read shows it; the rest can always be put at the end.
                !matches!(call, Call::Got(_)) || self.history.is_linearizable()
            }
            _ => {
                self.seen -= 1;
                true
            }
        }
    }
}
