//! A lock server: one process knows who is in the critical section, and who waits for it.
//!
//! Source: Tanenbaum and van Steen (2007), section 6.3, for the server; Gray and Cheriton (1989)
//! for leases; Gray (1978) for the state on disk; Postel (1981), *RFC 793*, section 3.3, for the
//! quiet time after a crash. Spec: [`MutualExclusion`]. Model: synchronous, connections that keep
//! the order and break in a crash; clients may crash, and the server may crash and recover.
//!
//! Steps: a client sends ENTER. The server grants the lock if it is free, and otherwise queues the
//! request and tells the client its ticket. A client that leaves sends LEAVE, and the first in the
//! queue is next. The server gives up a client that has crashed: one that waits loses its place,
//! and one that owns the lock loses the lock. An ENTER can arrive after the news that its sender
//! has crashed, so whatever comes from a client that is down waits for the news that it is up
//! again.
//!
//! When the server is up again, it keeps quiet for δ, so that nothing from before the crash is
//! under way any more. Then it listens for `reconnect_deadline` and grants nothing. Each client
//! says what it believes (`Claim`): that it owns the lock, that it waits, or neither. From these
//! claims, and from its disk if it is `stateful`, the server learns what is true ([`server`]).
//!
//! Why it works: a claim to own the lock is true, since only a grant leads to it. If nobody claims
//! it, a `stateful` server looks at its disk, which had the grant before the client could hear of
//! it: the owner that it finds there has crashed, or has left, or has not heard. A `stateless`
//! server may grant the lock anew in all three cases, since no grant from before is under way. Its
//! queue is as the clients remember it, in the order of their tickets: without them
//! (`ticket_hint = false`) the order is lost.
//!
//! With `detection = "lease"` nobody tells the server of crashes: a client keeps what it has only
//! as long as it is heard. A client that hangs for longer loses the lock without knowing. The
//! resource that the lock protects can protect itself: each grant has a higher number than the
//! last, writes carry it, and the resource ignores those with a lower one than it has seen. It
//! keeps the highest one on its disk before it acts on it: late writes may come after a crash, too.

mod client;
mod lock;
mod mutants;
mod params;
mod resource;
mod server;

use ftsim_core::prelude::*;

use crate::spec::mutual_exclusion::{
    CLIENT, EntryNumber, FENCED, MutualExclusion, Request, STARVATION_FREE, TICKET_ORDER, Ticket,
    Token,
};
use client::Client;
use lock::Lock;
use params::{Detection, Memory, OnSuspect, Params};
use resource::Resource;
use server::Server;

const SERVER: &str = "server";
const RESOURCE: &str = "resource";

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// Client to server: a request for the lock.
    Enter { number: EntryNumber },
    /// Server to client: the lock is taken, and the request has this ticket.
    Queued { number: EntryNumber, ticket: Ticket },
    /// Server to client: the lock is its own.
    Grant { number: EntryNumber, ticket: Ticket, token: Token },
    /// Client to server: the lock is free.
    Leave { token: Token },
    /// Server to clients: it has restarted, and asks what they believe.
    Rebooted,
    /// Client to server: this is what it believes.
    Reconnect(Claim),
    /// Client to resource: a write, which needs the lock.
    Write { token: Token },
}

/// What a client believes about its request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Claim {
    /// It has made none, or has left.
    Nothing,
    /// It waits, with the ticket that it has heard of.
    Waits { number: EntryNumber, ticket: Option<Ticket> },
    /// It owns the lock.
    Owns { number: EntryNumber, ticket: Ticket, token: Token },
}

/// What is on a disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    /// The server's: the lock.
    Lock(Lock),
    /// The resource's: the highest token that it has seen.
    Highest(Token),
}

impl Record {
    const fn lock(&self) -> Option<&Lock> {
        match self {
            Self::Lock(lock) => Some(lock),
            Self::Highest(_) => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// At a restarted server: what was under way at the crash has arrived.
    Quiet,
    /// At a restarted server: every client that is up has said what it believes.
    Reconnected,
    /// At a server, with `lease`: this client was not heard.
    Lease(ProcessId),
    /// At a client: time to say again what it believes.
    Repeat,
}

/// A process of the lock server.
#[derive(Clone, Debug, Hash)]
pub enum LockServer {
    /// It keeps the lock.
    Server(Server),
    /// It asks for the lock.
    Client(Client),
    /// It is what the lock protects.
    Resource(Resource),
}

type Context<'a> = Cx<'a, LockServer>;

impl Process for LockServer {
    type Spec = MutualExclusion;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Record;

    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        match self {
            Self::Server(server) => server.on_recover(log, cx),
            Self::Client(client) => client.on_recover(cx),
            Self::Resource(resource) => resource.on_recover(log),
        }
    }

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        if let Self::Client(client) = self {
            match request {
                Request::Enter(number) => client.enter(number, cx),
                Request::Exit(number) => client.exit(number, cx),
            }
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match self {
            Self::Server(server) => server.on_message(from, &msg, cx),
            Self::Client(client) => client.on_message(&msg, cx),
            Self::Resource(resource) => resource.on_message(&msg, cx),
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<Self>) {
        match self {
            Self::Server(server) => server.on_timer(timer, cx),
            Self::Client(client) => client.repeat(cx),
            Self::Resource(_) => {}
        }
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        if let Self::Server(server) = self {
            server.on_suspect(p, cx);
        }
    }

    fn on_trust(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        if let Self::Server(server) = self {
            server.on_trust(p, cx);
        }
    }
}

impl Protocol for LockServer {
    const NAME: &'static str = "lock-server";
    const SUMMARY: &'static str = "mutual exclusion by a server, which survives its own crash";
    const SOURCE: &'static str = "Tanenbaum & van Steen 2007; Gray & Cheriton 1989";
    const ROLES: &'static [&'static str] = &[SERVER, CLIENT, RESOURCE];
    const MUTANTS: &'static [Mutant] = mutants::ALL;

    type Params = Params;

    fn model(params: &Params, _: &Setting) -> Model {
        let bound = match params.on_suspect {
            OnSuspect::Evict => Bound::ANY_THAT_RECOVER.of(SERVER),
            // An owner that stays down keeps the lock.
            OnSuspect::Wait => Bound::ANY_THAT_RECOVER,
        };
        let model = Model::SYNCHRONOUS.crash_recovery(bound).over(Links::ReliableFifo);
        match params.detection {
            Detection::Perfect => model.with(DetectorClass::Perfect),
            Detection::Lease => model,
        }
    }

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        if setting.role_size(SERVER) != 1 {
            return Err(Invalid::role(SERVER, "there is one server"));
        }
        if setting.role_size(CLIENT) == 0 {
            return Err(Invalid::role(CLIENT, "there is no client"));
        }
        if setting.role_size(RESOURCE) > 1 {
            return Err(Invalid::role(RESOURCE, "there is one resource at most"));
        }
        params.validate(setting)
    }

    fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        if setting.has_role(me, SERVER) {
            Self::Server(Server::new(params, setting))
        } else if setting.has_role(me, CLIENT) {
            Self::Client(Client::new(params, setting))
        } else {
            Self::Resource(Resource::new(params))
        }
    }

    fn claims(params: &Params, setting: &Setting) -> Vec<PropertyId> {
        let orders = params.server == Memory::Stateful || params.ticket_hint;
        let fences = params.fencing && setting.role_size(RESOURCE) > 0;
        let claims = [(true, STARVATION_FREE), (orders, TICKET_ORDER), (fences, FENCED)];
        claims.into_iter().filter_map(|(holds, id)| holds.then_some(id)).collect()
    }
}
