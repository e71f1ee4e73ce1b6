//! Chain replication: updates enter at the head of a chain of servers and leave at its tail, which
//! answers queries.
//!
//! Source: van Renesse and Schneider (2004), *Chain replication for supporting high throughput and
//! availability*; with `reads = "craq"` also Terrace and Freedman (2009), *Object storage on CRAQ*,
//! section 2.3. Spec: [`ChainService`]. Model: asynchronous, crash-stop (fail-stop in the paper),
//! f < n of the servers, any number of clients; reliable links, and a perfect detector.
//!
//! - An *update* goes to the head (`server`), which executes it, appends it to its history, and
//!   sends the result down the chain. Each server appends it and passes it on; the tail replies,
//!   and sends an acknowledgement back up the chain. A server keeps what it has passed on until it
//!   is acknowledged (the paper's Sent).
//! - A *query* goes to the tail. With CRAQ it goes to any server. One that has nothing
//!   unacknowledged for the key answers alone; another asks the tail for its latest version of the
//!   key, and answers with the value of that version (`store`).
//! - When a server *crashes* (`repair`), the others close the gap. The head's successor is the next
//!   head. The tail's predecessor is the next tail, and what it kept is acknowledged with that. The
//!   successor of another tells its new predecessor where its history ends, and gets what comes
//!   after it from there.
//!
//! Why it works: of two servers, what the later one has applied is the beginning of what the
//! earlier one has (the paper's Update Propagation Invariant), as updates come only from the
//! predecessor and in the order of their sequence numbers. So what the tail has applied is at all
//! servers, and survives as long as one of them does. The tail alone orders queries among updates.
//!
//! Words: the paper's *master*, which detects failures, tells everyone, and does not fail itself,
//! is the perfect detector. So a server tells its predecessor, rather than the master, where its
//! history ends. An update is the result of a *request*; Hist is `store`, Sent is `pending`. CRAQ's
//! *clean* and *dirty* are whether all versions of a key are acknowledged.

mod client;
mod mutants;
mod repair;
mod server;
mod store;

use ftsim_core::prelude::*;

use crate::spec::chain::ChainService;
use crate::spec::service::{CLIENT, Command, Key, Operation, Outcome, Request, SERVER, Value};
use client::Client;
use server::Server;

/// The place of an update in the history, from 1.
pub type Sequence = u64;

/// What the head has made of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Update {
    command: Command,
    key: Key,
    /// The value of the key from here on.
    value: Value,
    /// The reply to the client.
    outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// Client to head, or for a read to the tail; with CRAQ to any server.
    Request { number: u64, key: Key, operation: Operation },
    /// Server to successor: the next update.
    Update { sequence: Sequence, update: Update },
    /// Server to predecessor: the tail has applied the updates up to this one.
    Ack { up_to: Sequence },
    /// Server to client, for an update from the tail: it is done.
    Reply { number: u64, outcome: Outcome },
    /// Server to new predecessor: its history ends here, and what is up to `acked` is at the tail.
    HistoryEnd { last: Sequence, acked: Sequence },
    /// CRAQ, server to tail: which is the latest version of this key? It is for this command.
    AskVersion { command: Command, key: Key },
    /// CRAQ, tail to server: this one.
    Version { command: Command, key: Key, version: Sequence },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// At a client: no reply came.
    Retry,
}

/// A process: a server or a client.
#[derive(Clone, Debug, Hash)]
pub enum ChainReplication {
    /// It is in the chain.
    Server(Server),
    /// It sends requests.
    Client(Client),
}

type Context<'a> = Cx<'a, ChainReplication>;

impl Process for ChainReplication {
    type Spec = ChainService;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        if let Self::Server(server) = self {
            server.on_start(cx);
        }
    }

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        if let (Self::Client(client), Request::Invoke { number, key, operation }) = (self, request)
        {
            client.on_invoke(number, key, operation, cx);
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match self {
            Self::Server(server) => server.on_message(from, msg, cx),
            Self::Client(client) => client.on_message(msg, cx),
        }
    }

    fn on_timer(&mut self, Timer::Retry: Timer, cx: &mut Cx<Self>) {
        if let Self::Client(client) = self {
            client.transmit(cx);
        }
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        match self {
            Self::Server(server) => server.on_crash_of(p, cx),
            Self::Client(client) => client.on_crash_of(p, cx),
        }
    }
}

/// Who answers reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reads {
    /// The tail.
    #[default]
    Tail,
    /// Any server, with the version that the tail has (CRAQ).
    Craq,
}

/// `[params]` of `chain-replication`.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Who answers reads.
    pub reads: Reads,
    /// How long a client waits for a reply before it sends its request again.
    pub retry: Duration,
}

impl Default for Params {
    fn default() -> Self {
        Self { reads: Reads::default(), retry: Duration::from_millis(200) }
    }
}

impl Protocol for ChainReplication {
    const NAME: &'static str = "chain-replication";
    const SUMMARY: &'static str = "updates pass along a chain of servers, its tail answers";
    const SOURCE: &'static str = "van Renesse & Schneider 2004; Terrace & Freedman 2009";
    const ROLES: &'static [&'static str] = &[SERVER, CLIENT];
    const MUTANTS: &'static [Mutant] = mutants::ALL;

    type Params = Params;

    fn model(_: &Params, _: &Setting) -> Model {
        let bound = Bound::ALL_BUT_ONE.of(SERVER);
        Model::ASYNCHRONOUS.crash_stop(bound).with(DetectorClass::Perfect)
    }

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        if setting.role_size(SERVER) == 0 {
            return Err(Invalid::role(SERVER, "there is no server"));
        }
        if params.retry == Duration::ZERO {
            return Err(Invalid::new("retry", "must be longer than zero"));
        }
        Ok(())
    }

    fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        match setting.has_role(me, SERVER) {
            true => Self::Server(Server::new(params, setting, me)),
            false => Self::Client(Client::new(params, setting, me)),
        }
    }
}
