//! What became of every message of a run, as data: overrides that make the same run.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::id::ProcessId;
use crate::kind::Kind;
use crate::message_override::{Arrival, Content, Fate, MessageOverride};
use crate::network::Route;
use crate::time::Instant;

/// The decisions of a run so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Decisions {
    /// Messages of each kind on each link.
    counts: BTreeMap<(ProcessId, ProcessId, String), u64>,
    /// The decisions, in the order in which the messages were sent.
    pub made: Vec<MessageOverride>,
}

impl Decisions {
    /// A message is sent now, on this way.
    pub fn take(
        &mut self,
        (from, to): (ProcessId, ProcessId),
        kind: Kind,
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
        self.made.push(MessageOverride { from, to, kind: Some(kind), nth: *nth, fate });
    }

    /// The content of that message is changed to this, in JSON.
    pub fn change(&mut self, form: Value) {
        if let Some(MessageOverride { fate: Fate::Arrive(arrival), .. }) = self.made.last_mut() {
            arrival.content = Some(Content::Replaced(form));
        }
    }
}
