//! A server: the requests of clients, and the way of updates and acknowledgements along the chain.

use std::collections::BTreeMap;

use ftsim_core::{ProcessId, Setting};

use super::mutants::{NO_DEDUP, NO_SEQUENCE, READ_ANY, REPLY_FROM_HEAD};
use super::store::Store;
use super::{Context, Msg, Params, Reads, Sequence, Update};
use crate::spec::chain::Fact;
use crate::spec::service::{Command, Indication, Key, Operation, Outcome, SERVER};

/// A server of the chain.
#[derive(Clone, Debug, Hash)]
pub struct Server {
    pub(super) me: ProcessId,
    reads: Reads,
    /// The servers that have not crashed, as far as it knows; the head is the first.
    pub(super) chain: Vec<ProcessId>,
    /// What it has applied: the paper's Hist.
    pub(super) store: Store,
    /// What is not acknowledged: the paper's Sent.
    pub(super) pending: BTreeMap<Sequence, Update>,
    /// The tail has applied what is up to here.
    pub(super) acked: Sequence,
    /// What has come from the predecessor before what precedes it.
    pub(super) early: BTreeMap<Sequence, Update>,
    /// Where the histories of servers end that have this one for their new predecessor.
    pub(super) ends: BTreeMap<ProcessId, Sequence>,
    /// Whether it knows where the history of its successor ends, and has sent what comes after.
    pub(super) is_linked: bool,
}

impl Server {
    pub(super) fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        Self {
            me,
            reads: params.reads,
            chain: setting.role(SERVER).collect(),
            store: Store::default(),
            pending: BTreeMap::new(),
            acked: 0,
            early: BTreeMap::new(),
            ends: BTreeMap::new(),
            is_linked: true,
        }
    }

    pub(super) fn on_start(&self, cx: &mut Context) {
        match self.predecessor() {
            Some(predecessor) => cx.indicate(Indication::Fact(Fact::Follows(predecessor))),
            None => self.begin_as_head(cx),
        }
        if self.is_tail() {
            cx.indicate(Indication::Fact(Fact::Tails));
        }
    }

    pub(super) fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context) {
        match msg {
            Msg::Request { number, key, operation } => {
                let command = Command { client: from, number };
                match operation {
                    Operation::Read => self.on_query(command, key, cx),
                    _ => self.on_update_request(command, key, &operation, cx),
                }
            }
            Msg::Update { sequence, update } => self.on_update(from, sequence, update, cx),
            Msg::Ack { up_to } => self.on_ack(from, up_to, cx),
            Msg::HistoryEnd { last, acked } => self.on_history_end(from, last, acked, cx),
            Msg::AskVersion { command, key } => self.on_ask_version(from, command, key, cx),
            Msg::Version { command, key, version } => {
                self.on_version(command, key, version, cx);
            }
            Msg::Reply { .. } => {}
        }
    }

    /// At the head: a request for an update. A client sends it again if no reply comes; the head
    /// replies itself if the tail has done so in vain.
    fn on_update_request(
        &mut self,
        command: Command,
        key: Key,
        operation: &Operation,
        cx: &mut Context,
    ) {
        if !self.is_head() {
            return;
        }
        match self.store.executed(command).filter(|_| !cx.runs(&NO_DEDUP)) {
            Some((sequence, outcome)) => {
                cx.reach("a repeated command");
                if let Some(outcome) = outcome.filter(|_| sequence <= self.acked) {
                    reply(command, outcome, cx);
                }
            }
            None => {
                let update = self.store.execute(command, key, operation);
                self.append(update, cx);
            }
        }
    }

    /// Updates come from the predecessor, and are applied in the order of their sequence numbers.
    fn on_update(&mut self, from: ProcessId, at: Sequence, update: Update, cx: &mut Context) {
        if self.predecessor() != Some(from) {
            return;
        }
        if cx.runs(&NO_SEQUENCE) {
            return self.append(update, cx);
        }
        if at > self.store.last() {
            self.early.insert(at, update);
        }
        while let Some(next) = self.early.remove(&self.store.last().saturating_add(1)) {
            self.append(next, cx);
        }
    }

    /// Appends an update to the history, and passes it on.
    fn append(&mut self, update: Update, cx: &mut Context) {
        let sequence = self.store.append(&update);
        cx.indicate(Indication::Applied(update.command));
        if self.is_head() && cx.runs(&REPLY_FROM_HEAD) {
            reply(update.command, update.outcome.clone(), cx);
        }
        self.pending.insert(sequence, update.clone());
        match self.successor() {
            None => self.commit(cx),
            Some(successor) if self.is_linked => {
                cx.send(successor, Msg::Update { sequence, update });
            }
            Some(_) => {}
        }
    }

    /// At the tail: what it has applied, all have; it replies to the clients.
    pub(super) fn commit(&mut self, cx: &mut Context) {
        for update in self.pending.values() {
            reply(update.command, update.outcome.clone(), cx);
        }
        self.acknowledge(self.store.last(), cx);
    }

    /// Acknowledgements of a server that has crashed since are as true as others.
    fn on_ack(&mut self, from: ProcessId, up_to: Sequence, cx: &mut Context) {
        if self.is_behind(from) {
            self.acknowledge(up_to, cx);
        }
    }

    /// What is up to here is at the tail.
    pub(super) fn acknowledge(&mut self, up_to: Sequence, cx: &mut Context) {
        let up_to = up_to.min(self.store.last());
        if up_to <= self.acked {
            return;
        }
        self.acked = up_to;
        let rest = self.pending.split_off(&up_to.saturating_add(1));
        for update in std::mem::replace(&mut self.pending, rest).values() {
            self.store.forget(update.key, up_to);
        }
        if let Some(predecessor) = self.predecessor() {
            cx.send(predecessor, Msg::Ack { up_to });
        }
    }

    /// A read: the tail answers. With CRAQ a server whose version of the key is clean answers too,
    /// and another asks the tail.
    fn on_query(&self, command: Command, key: Key, cx: &mut Context) {
        let is_clean = self.store.latest_version(key) <= self.acked;
        let answers = match self.reads {
            Reads::Tail => self.is_tail(),
            Reads::Craq => self.is_tail() || is_clean,
        };
        if answers || cx.runs(&READ_ANY) {
            reply(command, Outcome::Value(self.store.latest(key)), cx);
        } else if let (Reads::Craq, Some(tail)) = (self.reads, self.chain.last()) {
            cx.reach("a dirty read");
            cx.send(*tail, Msg::AskVersion { command, key });
        }
    }

    /// One that does not know yet that it is the tail may lack acknowledgements of the last one. It
    /// keeps silent, and the client asks again.
    fn on_ask_version(&self, from: ProcessId, command: Command, key: Key, cx: &mut Context) {
        if self.is_tail() {
            let version = self.store.latest_version(key);
            cx.send(from, Msg::Version { command, key, version });
        }
    }

    /// Earlier versions are forgotten if a later one has been acknowledged since.
    fn on_version(&self, command: Command, key: Key, version: Sequence, cx: &mut Context) {
        let value = self.store.version(key, version.max(self.acked));
        reply(command, Outcome::Value(value), cx);
    }

    pub(super) fn is_head(&self) -> bool {
        self.predecessor().is_none()
    }

    pub(super) fn is_tail(&self) -> bool {
        self.successor().is_none()
    }

    pub(super) fn predecessor(&self) -> Option<ProcessId> {
        self.chain.iter().copied().rfind(|p| *p < self.me)
    }

    pub(super) fn successor(&self) -> Option<ProcessId> {
        self.chain.iter().copied().find(|p| *p > self.me)
    }

    pub(super) fn is_behind(&self, p: ProcessId) -> bool {
        p > self.me && self.chain.contains(&p)
    }
}

fn reply(command: Command, outcome: Outcome, cx: &mut Context) {
    cx.send(command.client, Msg::Reply { number: command.number, outcome });
}
