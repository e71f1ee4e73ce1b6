//! A distributed storage server: transactions over items on several servers, with single-copy
//! semantics.
//!
//! Source: Bernstein, Hadzilacos and Goodman (1987), chapters 3, 7 and 8; Eswaran, Gray, Lorie and
//! Traiger (1976) for two-phase locking; `deadlock` has the sources of the policies. Spec:
//! [`Transactions`]. Model: asynchronous; fair-loss links; any number of crashes with recovery from
//! a log. Timeouts are needed only for progress.
//!
//! Steps, for a transaction of a client:
//!
//! 1. the client asks the servers for the locks of the copies that it reads or writes: of one copy
//!    of an item to read it, of all copies to write it. A server that grants a lock performs the
//!    operation in place, and answers with the version that it has read;
//! 2. a server at which another transaction has a conflicting lock applies its `deadlock` policy:
//!    it lets the transaction wait, refuses it, or aborts the other. An attempt that is refused or
//!    aborted begins again after a random time (its *backoff*), under a new name and, in all but
//!    the mutant, with its old timestamp;
//! 3. with all locks, the client is the coordinator of two-phase commit with presumed abort:
//!    PREPARE to all servers of the transaction; a server that still has its locks forces a
//!    *prepared* record and votes Yes; with all votes the client forces a *committed* record and
//!    sends COMMIT;
//! 4. a server that hears the decision releases the locks: all locks are held up to here, which
//!    makes the locking *strict*. It acknowledges a commit, so that the client can forget it.
//!
//! Why it works: of two committed transactions that conflict, one had its lock until it was
//! decided, before the other got it. So both are in this order at every server. A crash of a server
//! takes the locks of transactions that are not prepared. A server therefore counts its lives, and
//! votes Yes only on what was locked in its present life; prepared transactions get their locks
//! back before anything else.
//!
//! A server asks the client of a transaction that stays undecided; a client answers ABORT for every
//! attempt that it does not know (*presumed abort*). This also ends attempts that only a late copy
//! of a message has begun.
//!
//! Each noun is a file: `client`, `server`, `locks` (the lock table), `deadlock` (the policies),
//! `detection` (edge chasing).

mod client;
mod deadlock;
mod detection;
mod locks;
mod mutants;
mod params;
mod server;

use ftsim_core::prelude::*;

use crate::spec::transactions::{
    Attempt, CLIENT, DEADLOCK_FREE, Decision, Item, NO_PHANTOM, RESOLUTION, Request, SERVER,
    Transaction, Transactions,
};
use client::Client;
use deadlock::Policy;
use locks::Access;
use params::Params;
use server::Server;

/// The age of a transaction: when it first began, and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(Instant, Transaction);

/// The number of times that a server has recovered.
type Life = u64;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A request for a lock.
    Lock { attempt: Attempt, timestamp: Timestamp, item: Item, access: Access },
    /// The sender has granted the lock; the version is what the transaction reads.
    Locked { attempt: Attempt, item: Item, version: Attempt, life: Life },
    /// The sender has aborted the attempt: "no".
    Refused(Attempt),
    /// A request for the receiver's vote on what was locked in this life of it.
    Prepare(Attempt, Life),
    /// The sender's vote: whether it can commit.
    Vote(Attempt, bool),
    /// The attempt commits.
    Commit(Attempt),
    /// The attempt aborts.
    Abort(Attempt),
    /// The commit is in the sender's log.
    Ack(Attempt),
    /// The sender asks for the decision.
    Inquiry(Attempt),
    /// The path of an edge-chasing computation: each attempt waits for the next.
    Probe(detection::Probe),
    /// The cycle that a probe has found is followed once more.
    Confirm(detection::Confirm),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Timer {
    /// A client sends its requests again.
    Retry(Attempt),
    /// A client has waited too long for locks.
    Locks(Attempt),
    /// A client has waited long enough to suspect a deadlock.
    Suspicion(Attempt),
    /// A client begins its transaction again.
    Restart(Transaction),
    /// A client sends a decision again.
    Acks(Attempt),
    /// A server asks for a decision.
    Decision(Attempt),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    /// A client begins an attempt.
    Began(Attempt, Timestamp),
    /// A client has decided to commit; these servers must acknowledge it.
    Decided(Attempt, ProcessSet),
    /// All have acknowledged it.
    End(Attempt),
    /// A server is in a new life.
    Recovered,
    /// A server is about to vote Yes.
    Prepared {
        attempt: Attempt,
        client: ProcessId,
        timestamp: Timestamp,
        /// Its locks; the writes are the redo data.
        locks: Vec<(Item, Access)>,
    },
    /// A server that voted Yes knows the decision.
    Learnt(Attempt, Decision),
}

/// A process of the storage system.
#[derive(Clone, Debug, Hash)]
pub enum StorageServer {
    /// It runs transactions.
    Client(Client),
    /// It stores items.
    Server(Server),
}

type Context<'a> = Cx<'a, StorageServer>;

impl Process for StorageServer {
    type Spec = Transactions;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Record;

    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        match self {
            Self::Client(client) => client.on_recover(log, cx),
            Self::Server(server) => server.on_recover(log, cx),
        }
    }

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        if let Self::Client(client) = self {
            client.on_request(request, cx);
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match self {
            Self::Client(client) => client.on_message(from, msg, cx),
            Self::Server(server) => server.on_message(from, msg, cx),
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<Self>) {
        match self {
            Self::Client(client) => client.on_timer(timer, cx),
            Self::Server(server) => server.on_timer(timer, cx),
        }
    }
}

impl Protocol for StorageServer {
    const NAME: &'static str = "storage-server";
    const SUMMARY: &'static str =
        "transactions on replicated items: strict two-phase locking, two-phase commit";
    const SOURCE: &'static str = "Bernstein, Hadzilacos & Goodman 1987, chapters 3, 7 and 8; \
                                  Rosenkrantz, Stearns & Lewis 1978; Chandy, Misra & Haas 1983";
    const ROLES: &'static [&'static str] = &[CLIENT, SERVER];
    const MUTANTS: &'static [Mutant] = mutants::ALL;

    type Params = Params;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_recovery(Bound::ANY_THAT_RECOVER).over(Links::FairLoss)
    }

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        params.validate(setting)
    }

    fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        if setting.has_role(me, CLIENT) {
            Self::Client(Client::new(params, setting, me))
        } else {
            Self::Server(Server::new(params))
        }
    }

    fn claims(params: &Params, _: &Setting) -> Vec<PropertyId> {
        match params.deadlock {
            Policy::None => vec![],
            Policy::Ordered | Policy::NoWait | Policy::WaitDie | Policy::WoundWait => {
                vec![DEADLOCK_FREE, RESOLUTION]
            }
            Policy::Timeout => vec![RESOLUTION],
            Policy::Detect => vec![RESOLUTION, NO_PHANTOM],
        }
    }
}
