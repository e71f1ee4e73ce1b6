//! Overrides on single messages: exact network decisions, as data.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::environment::network::DropReason;
use crate::id::ProcessId;
use crate::kind::MessageKind;
use crate::time::Duration;

/// What becomes of one particular message, whatever its link would have done.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MessageRule {
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
    /// It is lost, for this reason.
    Drop(DropReason),
    /// It arrives, unless its link loses it and nothing here says when.
    Arrive(Arrival),
}

/// How a message arrives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Arrival {
    /// How long after it was sent; as its link decides, if `None`. A link that keeps the order of
    /// its messages keeps it all the same, unless a fault acts.
    pub after: Option<Duration>,
    /// How long after it was sent a copy arrives. If `None`, there is one only where its link
    /// decides when it arrives, and makes one.
    pub copy_after: Option<Duration>,
    /// What it says by then; what it was sent with, if `None`.
    pub content: Option<Content>,
}

/// What the content of a message is changed to on the way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    /// One part of it is changed, as the seed says.
    Garbled,
    /// It says this instead: the JSON of a message.
    Replaced(Value),
}

impl Fate {
    /// It is lost.
    pub const DROP: Self = Self::Drop(DropReason::Override);

    /// It takes exactly this long.
    pub fn delay(after: Duration) -> Self {
        Self::Arrive(Arrival { after: Some(after), ..Arrival::default() })
    }

    /// A copy of it takes this long.
    pub fn duplicate(copy_after: Duration) -> Self {
        Self::Arrive(Arrival { copy_after: Some(copy_after), ..Arrival::default() })
    }

    /// Its content is changed; its link decides when it arrives.
    pub fn content(content: Content) -> Self {
        Self::Arrive(Arrival { content: Some(content), ..Arrival::default() })
    }

    /// What its content is changed to.
    pub const fn changed(&self) -> Option<&Content> {
        match self {
            Self::Drop(_) => None,
            Self::Arrive(arrival) => arrival.content.as_ref(),
        }
    }
}

impl fmt::Display for MessageRule {
    /// `Commit number 2 on p0 -> p2: lost`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind.as_deref().unwrap_or("message");
        let Self { from, to, nth, fate, .. } = self;
        write!(f, "{kind} number {nth} on {from} -> {to}: ")?;
        let Arrival { after, copy_after, content } = match fate {
            Fate::Drop(DropReason::Override) => return f.write_str("lost"),
            Fate::Drop(reason) => return f.write_str(reason.text()),
            Fate::Arrive(arrival) => arrival,
        };
        let content = content.as_ref().map(|content| match content {
            Content::Garbled => "garbled".to_owned(),
            Content::Replaced(message) => format!("replaced by {message}"),
        });
        let after = after.map(|after| format!("takes {after}"));
        let copy = copy_after.map(|after| format!("doubled, the copy takes {after}"));
        let said: Vec<String> = [after, copy, content].into_iter().flatten().collect();
        f.write_str(&said.join(", "))
    }
}

/// The overrides of a run, and how far the messages that they speak of are counted.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Overrides {
    /// Those of each link, by the kind that they name.
    links: BTreeMap<(ProcessId, ProcessId), Vec<OfKind>>,
}

/// The overrides on one link that name one kind, or none.
#[derive(Clone, Debug, Hash)]
struct OfKind {
    kind: Option<String>,
    /// Messages of that kind so far.
    count: u64,
    /// Indices of the overrides whose message is still to come, by its number.
    waiting: BTreeMap<u64, usize>,
}

impl Overrides {
    pub fn reset(&mut self, rules: &[MessageRule]) {
        self.links.clear();
        for (index, rule) in rules.iter().enumerate() {
            let of_link = self.links.entry((rule.from, rule.to)).or_default();
            let known = of_link.iter().position(|of_kind| of_kind.kind == rule.kind);
            let known = known.unwrap_or_else(|| {
                let (kind, waiting) = (rule.kind.clone(), BTreeMap::new());
                of_link.push(OfKind { kind, count: 0, waiting });
                of_link.len() - 1
            });
            of_link[known].waiting.insert(rule.nth, index);
        }
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// Counts a message that is sent. Returns the index of the override that says what becomes of
    /// it, if one does; of several the last.
    pub fn next(&mut self, from: ProcessId, to: ProcessId, kind: MessageKind) -> Option<usize> {
        let mut index = None;
        for of_kind in self.links.get_mut(&(from, to))? {
            if of_kind.kind.as_ref().is_none_or(|name| kind.is_named(name)) {
                of_kind.count += 1;
                index = index.max(of_kind.waiting.remove(&of_kind.count));
            }
        }
        index
    }

    /// The overrides, by index, whose message was never sent; in their order.
    pub fn unused(&self) -> Vec<usize> {
        let waiting = self.links.values().flatten().flat_map(|of_kind| of_kind.waiting.values());
        let mut unused: Vec<usize> = waiting.copied().collect();
        unused.sort_unstable();
        unused
    }
}
