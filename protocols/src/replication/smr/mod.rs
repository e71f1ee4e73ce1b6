//! State machine replication, or active replication: all replicas execute all commands, in the same
//! order.
//!
//! Source: Schneider (1990), *Implementing fault-tolerant services using the state machine
//! approach*. Spec: [`ReplicatedService`]. Model: that of the broadcast that orders commands
//! (`order`) among the replicas, and what clients need to take an answer (`replies`); any number of
//! clients may crash.
//!
//! Steps: a client sends REQUEST to one replica, and to the next if no answer comes in time. The
//! replica broadcasts the command in a total order to all replicas. Each replica executes commands
//! in this order, reads too, unless it has executed the command before, and sends REPLY to the
//! client. It keeps its last reply to each client, for commands that come again.
//!
//! Why it works: replicas start alike, are deterministic, and execute the same commands in the same
//! order, so all give the same replies. A client may take the first (`replies = "first"`) if the
//! order is uniform, so that what one replica has executed, the others will. Otherwise a replica
//! can execute a command, reply and crash, and no other ever executes it. Then a client waits for
//! the same reply from all replicas that it does not suspect (`all`), one of which is correct, or
//! from a majority (`majority`), if only a minority of them crash. A majority also outvotes a
//! minority of replicas whose state is wrong.
//!
//! The broadcasts of the catalogue carry names rather than contents. So each of their messages
//! travels with the requests that it names.
//!
//! Words: the paper's *request* is our command; its *Agreement* and *Order* are those of the
//! broadcast. Its *t fault-tolerant* ensemble has t + 1 replicas, 2t + 1 if they may be wrong.

mod client;
mod replica;

use ftsim_core::Embedding;
use ftsim_core::prelude::*;

use crate::consensus::any_consensus::Solution;
use crate::order::any_order::{self, AnyOrder, Order};
use crate::spec::replication::{CONVERGENCE, PREFIX, ReplicatedService, SAFETY};
use crate::spec::service::properties::{ACKED_SURVIVES, EXACTLY_ONCE, LINEARIZABLE};
use crate::spec::service::{
    CLIENT, Command, Key, Operation, Outcome, Request as Invocation, SERVER,
};
use client::Client;
use replica::{Replica, Requests};

/// The request of a client, as replicas order it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Request {
    command: Command,
    key: Key,
    operation: Operation,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// Client to replica: execute this operation.
    Request { number: u64, key: Key, operation: Operation },
    /// Replica to client: it is executed.
    Reply { number: u64, outcome: Outcome },
    /// A message of the broadcast, and the requests that it names.
    Order { msg: any_order::Msg, requests: Requests },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// At a client: no answer came.
    Retry,
    /// At a replica: of the broadcast.
    Order(any_order::Timer),
}

/// A process: a replica or a client.
#[derive(Clone, Debug, Hash)]
#[expect(clippy::large_enum_variant, reason = "there is one for each process")]
pub enum Smr {
    /// It keeps the state.
    Replica(Replica),
    /// It sends requests.
    Client(Client),
}

type Context<'a> = Cx<'a, Smr>;

/// The broadcast among the replicas, with the requests that this one knows.
struct Ordering<'a> {
    me: ProcessId,
    requests: &'a Requests,
}

impl Embedding<Smr, AnyOrder> for Ordering<'_> {
    fn msg(&self, msg: any_order::Msg) -> Msg {
        let content = |name| Some((name, self.requests.get(&name)?.clone()));
        let requests = msg.names(self.me).into_iter().filter_map(content).collect();
        Msg::Order { msg, requests }
    }

    fn timer(&self, timer: any_order::Timer) -> Timer {
        Timer::Order(timer)
    }

    fn record(&self, record: <AnyOrder as Process>::Record) -> <AnyOrder as Process>::Record {
        record
    }
}

impl Process for Smr {
    type Spec = ReplicatedService;
    type Msg = Msg;
    type Timer = Timer;
    type Record = <AnyOrder as Process>::Record;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        if let Self::Replica(replica) = self {
            replica.on_start(cx);
        }
    }

    fn on_request(&mut self, request: Invocation, cx: &mut Cx<Self>) {
        if let (Self::Client(client), Invocation::Invoke { number, key, operation }) =
            (self, request)
        {
            client.on_invoke(number, key, operation, cx);
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match (self, msg) {
            (Self::Replica(replica), Msg::Request { number, key, operation }) => {
                let command = Command { client: from, number };
                replica.on_client_request(Request { command, key, operation }, cx);
            }
            (Self::Replica(replica), Msg::Order { msg, requests }) => {
                replica.on_order(from, msg, requests, cx);
            }
            (Self::Client(client), Msg::Reply { number, outcome }) => {
                client.on_reply(from, number, outcome, cx);
            }
            _ => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<Self>) {
        match (self, timer) {
            (Self::Replica(replica), Timer::Order(timer)) => replica.on_timer(timer, cx),
            (Self::Client(client), Timer::Retry) => client.on_retry(cx),
            _ => {}
        }
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        match self {
            Self::Replica(replica) => replica.on_suspect(p, cx),
            Self::Client(client) => client.on_suspect(p, cx),
        }
    }
}

/// The replies that a client needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Replies {
    /// The same from all replicas that it does not suspect.
    #[default]
    All,
    /// The same from a majority of the replicas.
    Majority,
    /// The first: this tolerates crashes only if the order is uniform.
    First,
}

/// `[params]` of `smr`.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The broadcast that orders commands.
    pub order: Order,
    /// With `order = "consensus"`, how replicas agree.
    pub consensus: Solution,
    /// The replies that a client needs.
    pub replies: Replies,
    /// How long a client waits for an answer before it asks the next replica.
    pub retry: Duration,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            order: Order::default(),
            consensus: Solution::default(),
            replies: Replies::default(),
            retry: Duration::from_millis(200),
        }
    }
}

const NONDETERMINISTIC_OP: Mutant =
    Mutant::code("nondeterministic-op", "a write adds what the replica's clock shows", CONVERGENCE);
const NO_CLIENT_DEDUP: Mutant = Mutant::code(
    "no-client-dedup",
    "executes a command again that a client has sent again",
    EXACTLY_ONCE,
);
const LOCAL_READ: Mutant = Mutant::code(
    "local-read",
    "a replica answers reads from its state, without ordering them",
    LINEARIZABLE,
);
const REPLY_BEFORE_ORDER: Mutant = Mutant::code(
    "reply-before-order",
    "a replica replies before the command has its place in the order",
    ACKED_SURVIVES,
);

impl Protocol for Smr {
    const NAME: &'static str = "smr";
    const SUMMARY: &'static str = "all replicas execute all commands, in one total order";
    const SOURCE: &'static str = "Schneider 1990";
    const ROLES: &'static [&'static str] = &[SERVER, CLIENT];
    const STATE_CORRUPTION: Option<StateCorruption<Self>> = Some(|process, _, rng| {
        if let Self::Replica(replica) = process {
            replica.corrupt(rng);
        }
    });
    const MUTANTS: &'static [Mutant] =
        &[NONDETERMINISTIC_OP, NO_CLIENT_DEDUP, LOCAL_READ, REPLY_BEFORE_ORDER];

    type Params = Params;

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        if setting.role_size(SERVER) == 0 {
            return Err(Invalid::role(SERVER, "there is no server"));
        }
        if params.retry == Duration::ZERO {
            return Err(Invalid::new("retry", "must be longer than zero"));
        }
        Ok(())
    }

    fn model(params: &Params, setting: &Setting) -> Model {
        let group = setting.among(SERVER);
        let order = params.order.model(params.consensus, &group);
        let is_uniform = params.order.is_uniform(params.consensus, &group);
        let (bound, detector) = match params.replies {
            Replies::All => (order.bound, DetectorClass::Perfect),
            Replies::Majority if order.bound == Bound::ALL_BUT_ONE => {
                (Bound::MINORITY, order.detector)
            }
            Replies::First if !is_uniform => (Bound::NONE, order.detector),
            Replies::Majority | Replies::First => (order.bound, order.detector),
        };
        Model { bound: bound.of(SERVER), ..order }.with(detector)
    }

    fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        if setting.has_role(me, SERVER) {
            Self::Replica(Replica::new(params, setting, me))
        } else {
            Self::Client(Client::new(params, setting, me))
        }
    }

    fn claims(params: &Params, setting: &Setting) -> Vec<PropertyId> {
        let mut claims = vec![SAFETY, ACKED_SURVIVES];
        if params.order.is_uniform(params.consensus, &setting.among(SERVER)) {
            claims.push(PREFIX);
        }
        claims
    }
}
