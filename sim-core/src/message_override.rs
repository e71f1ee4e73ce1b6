//! Overrides on single messages: exact network decisions, as data.

use std::fmt;

use serde_json::Value;

use crate::id::ProcessId;
use crate::kind::Kind;
use crate::time::Duration;

/// What becomes of one particular message, whatever its link would have done.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MessageOverride {
    /// Its sender.
    pub from: ProcessId,
    /// Its receiver, another process.
    pub to: ProcessId,
    /// Its kind; any, if `None`.
    pub kind: Option<String>,
    /// Which message of that kind on that link, counted from 1.
    pub nth: u64,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It is lost.
    Drop,
    /// It takes exactly this long.
    Delay(Duration),
    /// It arrives, and a copy of it this long after it was sent.
    Duplicate(Duration),
    /// Its content is changed on the way, in one part of it. Its link decides when it arrives.
    Corrupt,
    /// It says this instead: the JSON of a message. Its link decides when it arrives.
    Replace(Value),
}

impl fmt::Display for MessageOverride {
    /// `Commit number 2 on p0 -> p2: lost`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind.as_deref().unwrap_or("message");
        let Self { from, to, nth, fate, .. } = self;
        write!(f, "{kind} number {nth} on {from} -> {to}: ")?;
        match fate {
            Fate::Drop => f.write_str("lost"),
            Fate::Delay(delay) => write!(f, "takes {delay}"),
            Fate::Duplicate(delay) => write!(f, "doubled, the copy takes {delay}"),
            Fate::Corrupt => f.write_str("garbled"),
            Fate::Replace(message) => write!(f, "replaced by {message}"),
        }
    }
}

/// The overrides of a run that have not been used yet.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Overrides {
    waiting: Vec<Waiting>,
}

#[derive(Clone, Debug, Hash)]
struct Waiting {
    index: usize,
    left: u64,
    rule: MessageOverride,
}

impl Overrides {
    pub fn reset(&mut self, rules: &[MessageOverride]) {
        self.waiting.clear();
        let rules = rules.iter().enumerate();
        self.waiting.extend(rules.map(|(index, rule)| Waiting {
            index,
            left: rule.nth,
            rule: rule.clone(),
        }));
    }

    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Counts a message that is sent. Returns the index of the override that says what becomes of
    /// it, if one does.
    pub fn next(&mut self, from: ProcessId, to: ProcessId, kind: Kind) -> Option<usize> {
        let mut index = None;
        self.waiting.retain_mut(|waiting| {
            let rule = &waiting.rule;
            let is_kind = || rule.kind.as_ref().is_none_or(|name| *name == kind.to_string());
            if (rule.from, rule.to) == (from, to) && is_kind() {
                waiting.left -= 1;
            }
            if waiting.left == 0 {
                index = Some(waiting.index);
            }
            waiting.left > 0
        });
        index
    }

    /// The overrides, by index, whose message was never sent.
    pub fn unused(&self) -> impl Iterator<Item = usize> + '_ {
        self.waiting.iter().map(|waiting| waiting.index)
    }
}
