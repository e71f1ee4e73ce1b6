//! Naive replication: the client sends each request to every server.
//!
//! Source: the first, broken, approach of lectures on replicated services; that replicas must agree
//! on the order is from Schneider (1990), section 3. Spec: [`ReplicatedService`]. Model:
//! asynchronous, reliable links, one client, and nothing that fails.
//!
//! Steps: the client sends REQUEST to all servers. Each executes it when it arrives, keeps updates
//! on its disk, and sends REPLY. The client waits for the replies of all servers, and takes that of
//! the first server.
//!
//! Why it works, as far as it does: one client that waits for all replies has no two requests under
//! way, so there is but one order, and no server misses any. Each of these conditions is needed:
//!
//! - The requests of two clients cross, and servers execute them in different orders (`unordered`).
//!   What helps is a network that orders them: a totally ordered broadcast.
//! - An ordered network alone does not help if a client crashes after it has sent its request to
//!   some servers (`partial-send`). All must agree on what has been sent: the broadcast must be
//!   reliable.
//! - A server that is down for a while misses updates (`missed-updates`). When it returns it must
//!   catch up, as in `state-transfer`.
//! - A client that goes on after the first reply can read at a server that lags behind
//!   (`any-reply`). What helps is to order reads as well, as `smr` does.

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use crate::spec::replication::{CONVERGENCE, Fact, PREFIX, ReplicatedService, SAFETY};
use crate::spec::service::properties::{ACKED_SURVIVES, LINEARIZABLE};
use crate::spec::service::{
    CLIENT, Command, Indication, Key, Operation, Outcome, Request, SERVER, Value,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// Client to server: execute this operation.
    Request { number: u64, key: Key, operation: Operation },
    /// Server to client: it is executed.
    Reply { number: u64, outcome: Outcome },
}

/// The records of a server's log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    /// An update that it has executed, and the value of its key after it.
    Update { command: Command, key: Key, value: Value },
}

/// A process: a server or a client.
#[derive(Clone, Debug, Hash)]
pub enum NaiveReplication {
    /// It keeps the state.
    Server(Server),
    /// It sends requests.
    Client(Client),
}

type Context<'a> = Cx<'a, NaiveReplication>;

impl Process for NaiveReplication {
    type Spec = ReplicatedService;
    type Msg = Msg;
    type Timer = Never;
    type Record = Record;

    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        if let Self::Server(server) = self {
            server.on_recover(log, cx);
        }
    }

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        if let (Self::Client(client), Request::Invoke { number, key, operation }) = (self, request)
        {
            client.on_invoke(number, key, operation, cx);
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match (self, msg) {
            (Self::Server(server), Msg::Request { number, key, operation }) => {
                server.on_client_request(Command { client: from, number }, key, &operation, cx);
            }
            (Self::Client(client), Msg::Reply { number, outcome }) => {
                client.on_reply(from, number, outcome, cx);
            }
            _ => {}
        }
    }
}

/// A client of the service.
#[derive(Clone, Debug, Hash)]
pub struct Client {
    servers: ProcessSet,
    needs: Replies,
    /// The operation that waits for replies, and those that have come.
    pending: Option<(u64, BTreeMap<ProcessId, Outcome>)>,
}

impl Client {
    fn on_invoke(&mut self, number: u64, key: Key, operation: Operation, cx: &mut Context) {
        self.pending = Some((number, BTreeMap::new()));
        cx.send_to(self.servers.iter(), Msg::Request { number, key, operation });
    }

    fn on_reply(&mut self, from: ProcessId, number: u64, outcome: Outcome, cx: &mut Context) {
        let pending = self.pending.as_mut().filter(|(pending, _)| *pending == number);
        let Some((_, replies)) = pending.filter(|_| self.servers.contains(from)) else { return };
        replies.insert(from, outcome);
        if replies.len() < self.servers.len() && self.needs == Replies::All {
            return;
        }
        let Some((_, outcome)) = replies.pop_first() else { return };
        self.pending = None;
        cx.indicate(Indication::Response { number, outcome });
    }
}

/// A server of the service.
#[derive(Clone, Debug, Default, Hash)]
pub struct Server {
    values: BTreeMap<Key, Value>,
}

impl Server {
    /// Goes on with what is on its disk, whatever it has missed.
    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Context) {
        let mut commands = Vec::new();
        for Record::Update { command, key, value } in log.iter().filter_map(Stored::intact) {
            self.values.insert(*key, *value);
            commands.push(*command);
        }
        cx.indicate(Indication::Adopted(commands));
    }

    fn on_client_request(
        &mut self,
        command: Command,
        key: Key,
        operation: &Operation,
        cx: &mut Context,
    ) {
        let (value, outcome) = operation.apply(self.values.get(&key).copied().unwrap_or_default());
        if operation.is_update() {
            self.values.insert(key, value);
            cx.append(Record::Update { command, key, value });
            cx.sync();
            cx.indicate(Indication::Applied(command));
            cx.indicate(Indication::Fact(Fact::Holds { key, value }));
        }
        cx.send(command.client, Msg::Reply { number: command.number, outcome });
    }
}

/// The replies that a client waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Replies {
    /// Those of all servers.
    #[default]
    All,
    /// The first.
    First,
}

/// `[params]` of `naive-replication`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The replies that a client waits for: all of them, or it may read what is out of date.
    pub replies: Replies,
}

const UNORDERED: Mutant = Mutant::assumption(
    "unordered",
    "has several clients, whose requests cross",
    PREFIX,
    "processes.client",
    Some("1"),
);
const PARTIAL_SEND: Mutant = Mutant::assumption(
    "partial-send",
    "has a client that crashes before it has sent its request to all servers",
    CONVERGENCE,
    "fault",
    None,
);
const MISSED_UPDATES: Mutant = Mutant::assumption(
    "missed-updates",
    "has a server that is down while an update comes, and goes on without it",
    CONVERGENCE,
    "fault",
    None,
);
const ANY_REPLY: Mutant = Mutant::assumption(
    "any-reply",
    "goes on after the first reply, and reads at servers that lag behind",
    LINEARIZABLE,
    "params.replies",
    Some("\"all\""),
);

impl Protocol for NaiveReplication {
    const NAME: &'static str = "naive-replication";
    const SUMMARY: &'static str = "the only client sends each request to every server";
    const SOURCE: &'static str = "Schneider 1990, section 3: what is missing";
    const ROLES: &'static [&'static str] = &[SERVER, CLIENT];
    const MUTANTS: &'static [Mutant] = &[UNORDERED, PARTIAL_SEND, MISSED_UPDATES, ANY_REPLY];

    type Params = Params;

    fn validate(_: &Params, setting: &Setting) -> Result<(), Invalid> {
        if setting.role_size(SERVER) == 0 {
            return Err(Invalid::role(SERVER, "there is no server"));
        }
        if setting.role_size(CLIENT) > 1 && !setting.runs(&UNORDERED) {
            return Err(Invalid::role(
                CLIENT,
                "there is one client, since nothing orders the requests of several (the mutant \
                 \"unordered\" has them)",
            ));
        }
        Ok(())
    }

    fn model(_: &Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_recovery(Bound::at_once(0))
    }

    fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        if setting.has_role(me, SERVER) {
            return Self::Server(Server::default());
        }
        Self::Client(Client {
            servers: setting.role(SERVER).collect(),
            needs: params.replies,
            pending: None,
        })
    }

    fn claims(_: &Params, _: &Setting) -> Vec<PropertyId> {
        vec![PREFIX, SAFETY, ACKED_SURVIVES]
    }
}
