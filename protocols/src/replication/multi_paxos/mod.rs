//! Multi-Paxos: a sequence of instances of Paxos chooses the commands of a state machine, one in
//! each place; a leader executes phase 1 once for all of them.
//!
//! Source: Lamport (2001), *Paxos made simple*, section 3, with section 2 for each instance. Spec:
//! [`ReplicatedService`]. Model: partially synchronous, crash-recovery, f < n/2 of the servers, any
//! number of clients, fair-loss links; only progress needs time.
//!
//! Every server is a proposer, an acceptor and a learner.
//!
//! - Phase 1: a server that has not heard of a leader for an election timeout selects a ballot, and
//!   sends PREPARE for all places behind what it knows to be chosen. An acceptor that has promised
//!   no higher ballot promises this one, and reports what it has accepted there. With the promises
//!   of a majority the server leads (`leader`, `acceptor`).
//! - The leader then proposes again what was reported, in each place the entry of the highest
//!   ballot, and in the gaps, of which nobody reported anything, an entry that does nothing.
//! - Phase 2: a command of a client is proposed in the next place. Once a majority has accepted it,
//!   it is chosen. Up to `window` commands are proposed without waiting for those before.
//! - Learning: the leader says in each message up to which place all is chosen. What a server
//!   accepted there in the ballot of this leader is then what was chosen; it asks for the rest.
//!   Every server executes what is chosen, in the order of the places, and the leader answers the
//!   client (`replica`).
//!
//! Why it works: each place is an instance of Paxos, so of each only one entry is chosen. A place
//! that no majority can have accepted in a lower ballot is free, and remains so, because the
//! majority has promised: any entry will do in a gap.
//!
//! Words: a *proposal number* is a ballot here, an *instance* a place, as in the log of `raft`. The
//! paper leaves open how a leader is elected: here by timeouts that are drawn anew. Its α is the
//! `window`. Leases for reads, changes of the servers and snapshots are not there.

mod acceptor;
mod leader;
mod mutants;
mod replica;

use std::collections::BTreeMap;

use ftsim_core::DurationRange;
use ftsim_core::prelude::*;

use super::leader_client::{LeaderClient, Led};
use crate::parts::machine::Machine;
use crate::spec::ballots::Ballot;
use crate::spec::replication::{Fact, PREFIX, ReplicatedService, SAFETY};
use crate::spec::service::properties::ACKED_SURVIVES;
use crate::spec::service::{CLIENT, Command, Key, Operation, Outcome, Request, SERVER};
use leader::Role;

/// A place in the sequence of instances, from 1.
type Place = u64;

/// What is chosen in a place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Entry {
    /// Nothing is done.
    NoOp,
    /// A command is executed.
    Command(Command, Key, Operation),
}

impl Entry {
    fn is(&self, command: Command) -> bool {
        matches!(self, Self::Command(own, ..) if *own == command)
    }
}

/// What an acceptor has accepted in a place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Accepted {
    ballot: Ballot,
    entry: Entry,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// Phase 1 (a): a prepare request for all places from this one on.
    Prepare { ballot: Ballot, from: Place },
    /// Phase 1 (b): a promise, and what the acceptor has accepted there.
    Promise { ballot: Ballot, accepted: BTreeMap<Place, Accepted> },
    /// Phase 2 (a): an accept request. All up to place `chosen` is chosen.
    Accept { ballot: Ballot, place: Place, entry: Entry, chosen: Place },
    /// Phase 2 (b): the proposal in this place is accepted.
    Accepted { ballot: Ballot, place: Place },
    /// A request is ignored, because this higher ballot has been promised.
    Nack(Ballot),
    /// The leader is still there. All up to place `chosen` is chosen.
    Heartbeat { ballot: Ballot, chosen: Place },
    /// Server to leader: what is chosen from this place on?
    Ask(Place),
    /// Leader to server: this is.
    Chosen { from: Place, entries: Vec<Entry> },
    /// Client to server: execute this.
    Request { number: u64, key: Key, operation: Operation },
    /// Server to client: it is done.
    Reply { number: u64, outcome: Outcome },
    /// Server to client: it does not lead; perhaps this one does.
    NotLeader(Option<ProcessId>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// No leader was heard.
    Election,
    /// At a leader: it repeats what has not been accepted.
    Heartbeat,
    /// At a client: no reply came.
    Retry,
}

/// The records of a server's log on disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    /// It may have promised this ballot, and as a proposer used it.
    Promised(Ballot),
    /// It has accepted this in this place.
    Accepted(Place, Accepted),
}

/// A process: a server or a client.
#[derive(Clone, Debug, Hash)]
pub enum MultiPaxos {
    /// It keeps the state.
    Server(Server),
    /// It sends requests.
    Client(LeaderClient),
}

type Context<'a> = Cx<'a, MultiPaxos>;

/// A server.
#[derive(Clone, Debug, Hash)]
pub struct Server {
    params: Params,
    servers: ProcessSet,
    /// Proposer.
    role: Role,
    /// Who leads, as far as it knows.
    leader: Option<ProcessId>,
    /// Acceptor: the highest ballot promised (on stable storage).
    promised: Option<Ballot>,
    /// Acceptor: what it has accepted of the highest ballot, in each place (on stable storage).
    accepted: BTreeMap<Place, Accepted>,
    /// Learner: what is chosen from place 1 on, and executed.
    chosen: Vec<Entry>,
    machine: Machine,
}

impl Process for MultiPaxos {
    type Spec = ReplicatedService;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Record;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        if let Self::Server(server) = self {
            server.await_leader(cx);
        }
    }

    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        if let Self::Server(server) = self {
            server.restore(log.iter().filter_map(Stored::intact));
            server.await_leader(cx);
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
            (Self::Server(server), msg) => server.on_message(from, msg, cx),
            (Self::Client(client), Msg::Reply { number, outcome }) => {
                client.on_reply(number, outcome, cx);
            }
            (Self::Client(client), Msg::NotLeader(Some(leader))) => client.on_sent_on(leader, cx),
            (Self::Client(_), _) => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<Self>) {
        match (self, timer) {
            (Self::Server(server), Timer::Election) => server.prepare(cx),
            (Self::Server(server), Timer::Heartbeat) => server.on_heartbeat_due(cx),
            (Self::Client(client), Timer::Retry) => client.on_retry(cx),
            _ => {}
        }
    }
}

impl Led for MultiPaxos {
    type Fact = Fact;
    const RETRY: Timer = Timer::Retry;

    fn request(number: u64, key: Key, operation: Operation) -> Msg {
        Msg::Request { number, key, operation }
    }
}

impl Server {
    fn new(params: &Params, setting: &Setting) -> Self {
        Self {
            params: params.clone(),
            servers: setting.role(SERVER).collect(),
            role: Role::Follower,
            leader: None,
            promised: None,
            accepted: BTreeMap::new(),
            chosen: Vec::new(),
            machine: Machine::default(),
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context) {
        match msg {
            Msg::Prepare { ballot, from: place } => self.on_prepare(from, ballot, place, cx),
            Msg::Promise { ballot, accepted } => self.on_promise(from, ballot, accepted, cx),
            Msg::Accept { ballot, place, entry, chosen } => {
                self.on_accept(from, place, Accepted { ballot, entry }, chosen, cx);
            }
            Msg::Accepted { ballot, place } => self.on_accepted(from, ballot, place, cx),
            Msg::Nack(higher) => self.give_way(higher, cx),
            Msg::Heartbeat { ballot, chosen } => self.on_heartbeat(from, ballot, chosen, cx),
            Msg::Ask(place) => self.on_ask(from, place, cx),
            Msg::Chosen { from: place, entries } => self.on_chosen(place, entries, cx),
            Msg::Request { number, key, operation } => {
                self.on_request(Command { client: from, number }, key, operation, cx);
            }
            Msg::Reply { .. } | Msg::NotLeader(_) => {}
        }
    }

    /// The first place of which it does not know what is chosen.
    fn first_open(&self) -> Place {
        self.chosen.len() as Place + 1
    }

    fn others(&self, cx: &Context) -> ProcessSet {
        self.servers.iter().filter(|p| *p != cx.me()).collect()
    }
}

fn is_majority(count: usize, servers: &ProcessSet) -> bool {
    2 * count > servers.len()
}

/// `[params]` of `multi-paxos`.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The range of election timeouts; each is drawn anew.
    pub election_timeout: DurationRange,
    /// The time between two heartbeats of a leader; shorter than any election timeout.
    pub heartbeat: Duration,
    /// How long a client waits for a reply before it tries the next server.
    pub retry: Duration,
    /// How many places may be proposed behind the first of which the leader does not know what is
    /// chosen: the paper's α.
    pub window: u32,
    /// The maximum number of chosen entries in a message.
    pub batch: u32,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            election_timeout: DurationRange {
                min: Duration::from_millis(150),
                max: Duration::from_millis(300),
            },
            heartbeat: Duration::from_millis(50),
            retry: Duration::from_millis(200),
            window: 64,
            batch: 64,
        }
    }
}

impl Protocol for MultiPaxos {
    const NAME: &'static str = "multi-paxos";
    const SUMMARY: &'static str = "a sequence of instances of Paxos under one leader";
    const SOURCE: &'static str = "Lamport 2001, Paxos made simple, section 3";
    const ROLES: &'static [&'static str] = &[SERVER, CLIENT];
    const MUTANTS: &'static [Mutant] = mutants::ALL;

    type Params = Params;

    fn model(_: &Params, _: &Setting) -> Model {
        let bound = Bound::MINORITY.of(SERVER);
        Model::PARTIALLY_SYNCHRONOUS.crash_recovery(bound).over(Links::FairLoss)
    }

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        if setting.role_size(SERVER) == 0 {
            return Err(Invalid::role(SERVER, "there is no server"));
        }
        for (key, duration) in [("heartbeat", params.heartbeat), ("retry", params.retry)] {
            if duration == Duration::ZERO {
                return Err(Invalid::new(key, "must be longer than zero"));
            }
        }
        if params.election_timeout.min <= params.heartbeat {
            let why = "an election timeout must be longer than the time between two heartbeats";
            return Err(Invalid::new("election_timeout", why));
        }
        for (key, count) in [("window", params.window), ("batch", params.batch)] {
            if count == 0 {
                return Err(Invalid::new(key, "must be at least 1"));
            }
        }
        Ok(())
    }

    fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        match setting.has_role(me, SERVER) {
            true => Self::Server(Server::new(params, setting)),
            false => Self::Client(LeaderClient::new(params.retry, setting)),
        }
    }

    fn claims(_: &Params, _: &Setting) -> Vec<PropertyId> {
        vec![PREFIX, SAFETY, ACKED_SURVIVES]
    }
}
