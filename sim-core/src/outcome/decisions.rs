//! What became of every message of a run, and how long each notice of its oracle took, as data that
//! makes the same run.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::environment::detector::NoticeDelay;
use crate::environment::message_rule::{Arrival, Content, Fate, MessageRule};
use crate::environment::network::Route;
use crate::environment::request_override::RequestOverride;
use crate::id::ProcessId;
use crate::kind::MessageKind;
use crate::time::Instant;

/// What became of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The override that makes the same of it.
    pub rule: MessageRule,
    /// What it said when it was sent, in JSON, if its sender was Byzantine.
    pub lie: Option<Value>,
}

/// The decisions of a run so far.
#[derive(Clone, Debug, Default)]
pub struct RecordedSchedule {
    /// Messages of each kind on each link.
    counts: BTreeMap<(ProcessId, ProcessId, String), u64>,
    /// What became of the messages, in the order in which they were sent.
    pub messages: Vec<Decision>,
    /// How long the notices took, in their order.
    pub notices: Vec<NoticeDelay>,
    /// What the clients asked for, in the order in which they decided on it.
    pub requests: Vec<RequestOverride>,
    /// Whether the clients have drawn anything.
    pub has_drawn_requests: bool,
}

impl RecordedSchedule {
    /// A message is sent now, on this way.
    pub(crate) fn take(
        &mut self,
        (from, to): (ProcessId, ProcessId),
        kind: MessageKind,
        now: Instant,
        route: Route,
    ) {
        let kind = kind.to_string();
        let nth = self.counts.entry((from, to, kind.clone())).or_default();
        *nth += 1;
        let fate = match route {
            Route::Dropped(reason) => Fate::Drop(reason),
            Route::Arrives(at, copy) => Fate::Arrive(Arrival {
                after: Some(at.since(now)),
                copy_after: copy.map(|at| at.since(now)),
                content: None,
            }),
        };
        let rule = MessageRule { from, to, kind: Some(kind), nth: *nth, fate };
        self.messages.push(Decision { rule, lie: None });
    }

    /// The content of that message is changed to this, in JSON.
    pub(crate) fn change(&mut self, form: Value) {
        let last = self.messages.last_mut().map(|decision| &mut decision.rule.fate);
        if let Some(Fate::Arrive(arrival)) = last {
            arrival.content = Some(Content::Replaced(form));
        }
    }

    /// That message is a Byzantine process's, and says this, in JSON.
    pub(crate) fn lie(&mut self, form: Value) {
        if let Some(last) = self.messages.last_mut() {
            last.lie = Some(form);
        }
    }
}
