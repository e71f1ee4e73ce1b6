//! Overrides on single messages: exact network decisions, as data.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::environment::network::DropReason;
use crate::id::ProcessId;
use crate::kind::MessageKind;
use crate::time::Duration;

/// The fate of one particular message, which overrides its link.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MessageRule {
    /// Its sender.
    pub from: ProcessId,
    /// Its receiver, another process.
    pub to: ProcessId,
    /// Its kind; `None`: any kind.
    pub kind: Option<String>,
    /// The number of the message of that kind on that link, counted from 1.
    pub nth: u64,
    /// The fate of the message.
    pub fate: Fate,
}

/// The fate of a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Lost, for this reason.
    Drop(DropReason),
    /// Arrives, unless it is lost by its link and this override sets no time.
    Arrive(Arrival),
}

/// The arrival of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Arrival {
    /// The delay after sending; `None`: drawn by the link. A link that keeps order still does so,
    /// unless a fault is in force.
    pub after: Option<Duration>,
    /// The delay of a copy after sending. `None`: a copy only if the link draws the delay and makes
    /// a copy.
    pub copy_after: Option<Duration>,
    /// The content on arrival; `None`: as sent.
    pub content: Option<Content>,
}

/// The change of a message's content in transit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    /// One part of it is changed, as drawn from the seed.
    Garbled,
    /// It is replaced by the JSON of this message.
    Replaced(Value),
}

impl Fate {
    /// The message is lost.
    pub const DROP: Self = Self::Drop(DropReason::Override);

    /// The message takes exactly this long.
    pub fn delay(after: Duration) -> Self {
        Self::Arrive(Arrival { after: Some(after), ..Arrival::default() })
    }

    /// A copy of the message takes this long.
    pub fn duplicate(copy_after: Duration) -> Self {
        Self::Arrive(Arrival { copy_after: Some(copy_after), ..Arrival::default() })
    }

    /// The content is changed; the delay is drawn by the link.
    pub fn content(content: Content) -> Self {
        Self::Arrive(Arrival { content: Some(content), ..Arrival::default() })
    }

    /// The change of the content, if any.
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

/// The overrides of a run, with counters of the messages that they refer to.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Overrides {
    /// The overrides of each link, by kind.
    links: BTreeMap<(ProcessId, ProcessId), Vec<OfKind>>,
}

/// The overrides on one link for one kind, or for any kind.
#[derive(Clone, Debug, Hash)]
struct OfKind {
    kind: Option<String>,
    /// The number of messages of that kind so far.
    count: u64,
    /// Indices of the overrides whose message has not been sent yet, by its number.
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

    /// Counts a message that is sent. Returns the index of the override for it, if any; if there
    /// are several, the last.
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

    /// The indices of the overrides whose message was never sent, in order.
    pub fn unused(&self) -> Vec<usize> {
        let waiting = self.links.values().flatten().flat_map(|of_kind| of_kind.waiting.values());
        let mut unused: Vec<usize> = waiting.copied().collect();
        unused.sort_unstable();
        unused
    }
}
