//! A client: it sends a command to one replica at a time, and takes the answer once enough replicas
//! give the same.

use std::collections::BTreeMap;

use ftsim_core::{Duration, ProcessId, ProcessSet, Setting};

use super::{Context, LOCAL_READ, Msg, Params, REPLY_BEFORE_ORDER, Replies, Timer};
use crate::spec::service::{Indication, Key, Operation, Outcome, SERVER};

/// A client of the service.
#[derive(Clone, Debug, Hash)]
pub struct Client {
    servers: Vec<ProcessId>,
    needs: Replies,
    retry: Duration,
    /// The replica that it asks: an index into `servers`.
    place: usize,
    suspected: ProcessSet,
    pending: Option<Pending>,
}

/// The operation that waits for replies.
#[derive(Clone, Debug, Hash)]
struct Pending {
    number: u64,
    key: Key,
    operation: Operation,
    replies: BTreeMap<ProcessId, Outcome>,
}

impl Client {
    pub(super) fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        let servers: Vec<_> = setting.role(SERVER).collect();
        let place = me.index() % servers.len().max(1);
        let (needs, retry) = (params.replies, params.retry);
        Self { servers, needs, retry, place, suspected: ProcessSet::new(), pending: None }
    }

    pub(super) fn on_invoke(
        &mut self,
        number: u64,
        key: Key,
        operation: Operation,
        cx: &mut Context,
    ) {
        self.pending = Some(Pending { number, key, operation, replies: BTreeMap::new() });
        self.transmit(cx);
    }

    pub(super) fn on_reply(
        &mut self,
        from: ProcessId,
        number: u64,
        outcome: Outcome,
        cx: &mut Context,
    ) {
        let pending = self.pending.as_mut().filter(|pending| pending.number == number);
        if let Some(pending) = pending.filter(|_| self.servers.contains(&from)) {
            pending.replies.insert(from, outcome);
            self.take_answer(cx);
        }
    }

    pub(super) fn on_suspect(&mut self, p: ProcessId, cx: &mut Context) {
        self.suspected.insert(p);
        self.take_answer(cx);
    }

    /// Asks the next replica.
    pub(super) fn on_retry(&mut self, cx: &mut Context) {
        self.place = (self.place + 1) % self.servers.len();
        self.transmit(cx);
    }

    fn transmit(&self, cx: &mut Context) {
        let Some(Pending { number, key, operation, .. }) = self.pending.clone() else { return };
        cx.send(self.servers[self.place], Msg::Request { number, key, operation });
        cx.set_timer(self.retry, Timer::Retry);
    }

    fn take_answer(&mut self, cx: &mut Context) {
        let answer = self.pending.as_ref().and_then(|pending| self.answer(pending, cx));
        if let Some(outcome) = answer
            && let Some(Pending { number, .. }) = self.pending.take()
        {
            cx.cancel_timer(Timer::Retry);
            cx.indicate(Indication::Response { number, outcome });
        }
    }

    /// The outcome that enough replicas agree on.
    fn answer(&self, pending: &Pending, cx: &Context) -> Option<Outcome> {
        let replies = &pending.replies;
        let is_local = cx.runs(&LOCAL_READ) && pending.operation == Operation::Read;
        if is_local || cx.runs(&REPLY_BEFORE_ORDER) {
            return replies.values().next().cloned();
        }
        match self.needs {
            Replies::First => replies.values().next().cloned(),
            Replies::Majority => {
                let wins = |outcome: &&Outcome| {
                    let votes = replies.values().filter(|other| other == outcome).count();
                    2 * votes > self.servers.len()
                };
                replies.values().find(wins).cloned()
            }
            Replies::All => {
                let mut up = self.servers.iter().filter(|p| !self.suspected.contains(**p));
                let first = replies.get(up.next()?)?;
                up.all(|p| replies.get(p) == Some(first)).then(|| first.clone())
            }
        }
    }
}
