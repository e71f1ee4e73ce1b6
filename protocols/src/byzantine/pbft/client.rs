//! Clients (section 4.1).

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use super::mutants::ONE_REPLY;
use super::{Context, Msg, Params, Timer, primary};
use crate::spec::byzantine::{Call, View};
use crate::spec::service::{Command, Indication, Key, Operation, Outcome, SERVER};

/// A client.
#[derive(Clone, Debug, Hash)]
pub struct Client {
    f: u32,
    retry: Duration,
    servers: Vec<ProcessId>,
    /// The view that it takes for the present one, and those that servers have named last.
    view: View,
    views: BTreeMap<ProcessId, View>,
    /// The request that waits for replies.
    pending: Option<(u64, Signed<Call>)>,
    /// What the replicas say.
    replies: BTreeMap<ProcessId, Outcome>,
}

impl Client {
    pub(super) fn new(params: &Params, setting: &Setting) -> Self {
        Self {
            f: params.f,
            retry: params.retry,
            servers: setting.role(SERVER).collect(),
            view: 0,
            views: BTreeMap::new(),
            pending: None,
            replies: BTreeMap::new(),
        }
    }

    /// Sends its request to the primary.
    pub(super) fn on_invoke(
        &mut self,
        number: u64,
        key: Key,
        operation: Operation,
        cx: &mut Context,
    ) {
        let command = Command { client: cx.me(), number };
        let request = cx.sign(Call { command, key, operation });
        self.replies.clear();
        if let Some(primary) = primary(&self.servers, self.view) {
            cx.send(primary, Msg::Request(request.clone()));
        }
        self.pending = Some((number, request));
        cx.set_timer(self.retry, Timer::Retry);
    }

    /// Believes what f + 1 replicas say.
    pub(super) fn on_reply(
        &mut self,
        from: ProcessId,
        view: View,
        number: u64,
        outcome: Outcome,
        cx: &mut Context,
    ) {
        if !self.servers.contains(&from) {
            return;
        }
        self.views.insert(from, view);
        let is_pending = self.pending.as_ref().is_some_and(|(pending, _)| *pending == number);
        if !is_pending {
            return;
        }
        self.replies.insert(from, outcome.clone());
        let needed = if cx.runs(&ONE_REPLY) { 1 } else { self.f as usize + 1 };
        if self.replies.values().filter(|other| **other == outcome).count() >= needed {
            self.view = self.view_of_one_correct();
            self.pending = None;
            cx.cancel_timer(Timer::Retry);
            cx.indicate(Indication::Response { number, outcome });
        }
    }

    /// The latest view that more than f servers have reached, as they say: some correct one has,
    /// and f liars cannot hold it back.
    fn view_of_one_correct(&self) -> View {
        let mut views: Vec<_> = self.views.values().copied().collect();
        views.sort_unstable_by(|one, other| other.cmp(one));
        views.get(self.f as usize).copied().unwrap_or(self.view)
    }

    /// Sends its request to all: the primary may be faulty, or another one by now.
    pub(super) fn on_retry(&self, cx: &mut Context) {
        if let Some((_, request)) = &self.pending {
            cx.send_to(self.servers.iter().copied(), Msg::Request(request.clone()));
            cx.set_timer(self.retry, Timer::Retry);
        }
    }
}
