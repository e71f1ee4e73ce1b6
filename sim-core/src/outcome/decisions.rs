//! The fate of every message of a run, and the delay of each notification of its oracle, as data
//! that reproduces the run.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::environment::detector::NoticeDelay;
use crate::environment::message_rule::{Arrival, Content, Fate, MessageRule};
use crate::environment::network::Route;
use crate::environment::request_override::RequestOverride;
use crate::id::ProcessId;
use crate::kind::MessageKind;
use crate::time::Instant;

/// The fate of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The override that reproduces it.
    pub rule: MessageRule,
    /// The JSON of its content as sent, if its sender was Byzantine.
    pub lie: Option<Value>,
}

/// The decisions of a run so far.
#[derive(Clone, Debug, Default)]
pub struct RecordedSchedule {
    /// The number of messages of each kind on each link.
    counts: BTreeMap<(ProcessId, ProcessId, String), u64>,
    /// The fates of the messages, in the order of sending.
    pub messages: Vec<Decision>,
    /// The delays of the notifications, in order.
    pub notices: Vec<NoticeDelay>,
    /// The clients' requests, in the order in which they decided on them.
    pub requests: Vec<RequestOverride>,
    /// Whether the clients have drawn random values.
    pub has_drawn_requests: bool,
}

impl RecordedSchedule {
    /// Records a message that is sent now with this route.
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

    /// Records that the content of that message is changed to this JSON.
    pub(crate) fn change(&mut self, form: Value) {
        let last = self.messages.last_mut().map(|decision| &mut decision.rule.fate);
        if let Some(Fate::Arrive(arrival)) = last {
            arrival.content = Some(Content::Replaced(form));
        }
    }

    /// Records that that message was sent by a Byzantine process with this content, as JSON.
    pub(crate) fn lie(&mut self, form: Value) {
        if let Some(last) = self.messages.last_mut() {
            last.lie = Some(form);
        }
    }
}
