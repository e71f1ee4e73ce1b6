//! A replica: it has commands ordered, and executes them in this order.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::rng::Rng;
use ftsim_core::{Process, ProcessId, Setting};

use super::{
    Context, LOCAL_READ, Msg, NO_CLIENT_DEDUP, NONDETERMINISTIC_OP, Ordering, Params,
    REPLY_BEFORE_ORDER, Request,
};
use crate::order::any_order::{self, AnyOrder};
use crate::spec::broadcast;
use crate::spec::message_set::MessageName;
use crate::spec::replication::Fact;
use crate::spec::service::{Command, Indication, Key, Operation, Outcome, SERVER, Value};

/// The contents of messages of the broadcast.
pub type Requests = BTreeMap<MessageName, Request>;

/// A replica of the service.
#[derive(Clone, Debug, Hash)]
pub struct Replica {
    me: ProcessId,
    order: AnyOrder,
    /// The requests of which it has heard.
    requests: Requests,
    /// The number of commands that it has broadcast.
    broadcast_count: u64,
    /// The commands that it has broadcast and not executed.
    under_way: BTreeSet<Command>,
    values: BTreeMap<Key, Value>,
    /// The last command of each client, and the reply to it.
    replies: BTreeMap<ProcessId, (u64, Outcome)>,
}

impl Replica {
    pub(super) fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        Self {
            me,
            order: params.order.process(params.consensus, &setting.among(SERVER), me),
            requests: BTreeMap::new(),
            broadcast_count: 0,
            under_way: BTreeSet::new(),
            values: BTreeMap::new(),
            replies: BTreeMap::new(),
        }
    }

    pub(super) fn on_start(&mut self, cx: &mut Context) {
        self.run_order(Process::on_start, cx);
    }

    /// Has the command of a client ordered, unless that has been done.
    pub(super) fn on_client_request(&mut self, request: Request, cx: &mut Context) {
        let Request { command, key, ref operation } = request;
        if cx.runs(&LOCAL_READ) && *operation == Operation::Read {
            let value = self.value(key);
            send_reply(command, Outcome::Value(value), cx);
            return;
        }
        if self.is_executed(command) && !cx.runs(&NO_CLIENT_DEDUP) {
            return self.repeat_reply(command, cx);
        }
        if !self.under_way.insert(command) {
            return;
        }
        if cx.runs(&REPLY_BEFORE_ORDER) {
            let (_, outcome) = operation.apply(self.value(key));
            send_reply(command, outcome, cx);
        }
        self.broadcast_count += 1;
        let number = self.broadcast_count;
        self.requests.insert((self.me, number), request);
        let broadcast = broadcast::Request::Broadcast(number);
        self.run_order(|order, cx| order.on_request(broadcast, cx), cx);
    }

    pub(super) fn on_order(
        &mut self,
        from: ProcessId,
        msg: any_order::Msg,
        requests: Requests,
        cx: &mut Context,
    ) {
        self.requests.extend(requests);
        self.run_order(|order, cx| order.on_message(from, msg, cx), cx);
    }

    pub(super) fn on_timer(&mut self, timer: any_order::Timer, cx: &mut Context) {
        self.run_order(|order, cx| order.on_timer(timer, cx), cx);
    }

    pub(super) fn on_suspect(&mut self, p: ProcessId, cx: &mut Context) {
        if cx.setting().has_role(p, SERVER) {
            self.run_order(|order, cx| order.on_suspect(p, cx), cx);
        }
    }

    /// Runs the broadcast among the replicas, and executes what it delivers.
    fn run_order(
        &mut self,
        run: impl FnOnce(&mut AnyOrder, &mut ftsim_core::Cx<AnyOrder>),
        cx: &mut Context,
    ) {
        let group = cx.setting().among(SERVER);
        let ordering = Ordering { me: self.me, requests: &self.requests };
        let delivered = cx.layer_among(&group, &ordering, |cx| run(&mut self.order, cx));
        for broadcast::Indication::Deliver { sender, number } in delivered {
            if let Some(request) = self.requests.get(&(sender, number)).cloned() {
                self.execute(&request, cx);
            }
        }
    }

    fn execute(&mut self, request: &Request, cx: &mut Context) {
        let Request { command, key, ref operation } = *request;
        self.under_way.remove(&command);
        if self.is_executed(command) {
            cx.reach("a command was ordered twice");
            if !cx.runs(&NO_CLIENT_DEDUP) {
                return self.repeat_reply(command, cx);
            }
        }
        let (mut value, outcome) = operation.apply(self.value(key));
        if cx.runs(&NONDETERMINISTIC_OP) && matches!(operation, Operation::Write(_)) {
            value = value.wrapping_add(cx.now().as_nanos());
        }
        self.values.insert(key, value);
        self.replies.insert(command.client, (command.number, outcome.clone()));
        cx.indicate(Indication::Applied(command));
        cx.indicate(Indication::Fact(Fact::Holds { key, value }));
        if !cx.runs(&REPLY_BEFORE_ORDER) {
            send_reply(command, outcome, cx);
        }
    }

    /// Whether it has executed this command of the client or a later one.
    fn is_executed(&self, command: Command) -> bool {
        self.replies.get(&command.client).is_some_and(|(number, _)| *number >= command.number)
    }

    /// Sends the reply again, unless the client has sent another command since.
    fn repeat_reply(&self, command: Command, cx: &mut Context) {
        if let Some((number, outcome)) = self.replies.get(&command.client)
            && *number == command.number
        {
            cx.reach("a repeated command");
            send_reply(command, outcome.clone(), cx);
        }
    }

    fn value(&self, key: Key) -> Value {
        self.values.get(&key).copied().unwrap_or_default()
    }

    /// Flips a bit of one of the values, if there is any.
    pub(super) fn corrupt(&mut self, rng: &mut Rng) {
        let keys: Vec<Key> = self.values.keys().copied().collect();
        let bit = rng.below(u64::from(Value::BITS));
        if let Some(value) = rng.choose(&keys).and_then(|key| self.values.get_mut(key)) {
            *value ^= 1 << bit;
        }
    }
}

fn send_reply(command: Command, outcome: Outcome, cx: &mut Context) {
    cx.send(command.client, Msg::Reply { number: command.number, outcome });
}
