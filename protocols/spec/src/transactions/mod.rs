//! Distributed transactions: clients read and write items stored on several servers, as if there
//! were a single copy of each item and one transaction ran after the other.
//!
//! Properties after Bernstein, Hadzilacos and Goodman (1987), chapters 3, 7 and 8, and, for
//! deadlocks, Knapp (1987), *Deadlock detection in distributed databases*. A transaction that is
//! aborted is tried again; each *attempt* has a name of its own.
//!
//! A transaction waits for another if it wants a lock that a server refuses it as long as the other
//! has, or comes first. An attempt whose client has given it up, has all its locks, or has crashed,
//! waits for nothing, whatever servers still believe.

mod deadlock;
mod properties;
mod workload;

use std::fmt;

use ftsim_core::{
    FaultClass, Invalid, OperationName, ProcessId, PropertyEntry, PropertyId, Setting, Spec,
};
use serde::{Deserialize, Serialize};

pub use super::atomic_commit::{AGREEMENT, COMMIT_VALIDITY, Decision, ONE_COPY, TERMINATION};
pub use super::one_copy::Transaction;
use deadlock::{Acyclic, NoPhantom, Resolution};
use properties::{Agreement, CommitValidity, Serialisable, Termination};
pub use workload::{Jobs, StorageWorkload};

/// The problem of running transactions over items on several servers.
pub struct Transactions;

/// The role of the processes that run transactions.
pub const CLIENT: &str = "client";
/// The role of the processes that store items.
pub const SERVER: &str = "server";

/// The number of an item.
pub type Item = u32;

/// An attempt to run a transaction; restarted, it is another attempt. The default is no attempt:
/// the name of the version that every item has at first.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Attempt {
    /// The transaction, from 1.
    pub transaction: Transaction,
    /// The number of the attempt, from 1.
    pub number: u64,
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { transaction: 0, number: 0 } => f.write_str("0"),
            Self { transaction, number } => write!(f, "{transaction}.{number}"),
        }
    }
}

/// The copy of an item at a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ItemCopy {
    /// The server.
    pub server: ProcessId,
    /// The item.
    pub item: Item,
}

impl fmt::Display for ItemCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "item {} of {}", self.item, self.server)
    }
}

/// What a transaction does with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// It reads this item.
    Read(Item),
    /// It reads this item and writes it.
    Write(Item),
}

/// A request to a client.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// Run this transaction until it commits. Comes again if the client has crashed and recovered
    /// and its user has not heard that it committed.
    Run {
        /// Its number, unique in the run.
        transaction: Transaction,
        /// Its operations, in their order.
        work: Vec<Operation>,
    },
}

/// An announcement of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// The process has decided to commit. Repeated after a crash, it is not a new decision.
    Committed(Attempt),
    /// The process has decided to abort.
    Aborted(Attempt),
    /// A probe at a client: it begins this attempt.
    Began(Attempt),
    /// A probe at a client: it has heard that its attempt has the lock of a copy, and what it
    /// reads.
    Locked {
        /// The attempt.
        attempt: Attempt,
        /// The copy that is locked.
        copy: ItemCopy,
        /// The version that it reads.
        version: Attempt,
    },
    /// A probe at a client: it aborts its attempt since it holds it to be deadlocked.
    Victim(Attempt),
    /// A probe at a server: an attempt overwrites its copy of an item.
    Wrote {
        /// The writer.
        attempt: Attempt,
        /// The item.
        item: Item,
    },
    /// A probe at a server: an attempt now waits for its copy of an item until these others end.
    Waits {
        /// The attempt that waits.
        attempt: Attempt,
        /// The item.
        item: Item,
        /// The attempts for which it waits; if none, it waits for this copy no longer.
        others: Vec<Attempt>,
    },
    /// A probe at a server: it can commit the attempt, even after a crash, and leaves the decision
    /// to its client.
    VotedYes(Attempt),
}

/// No wait-for graph ever has a cycle.
pub const DEADLOCK_FREE: PropertyId = PropertyId("dl.none");
/// Deadlocks are resolved, and nobody starves.
pub const RESOLUTION: PropertyId = PropertyId("dl.resolution");
/// Only deadlocks have victims.
pub const NO_PHANTOM: PropertyId = PropertyId("dl.no-phantom");

impl Spec for Transactions {
    const NAME: &'static str = "transactions";
    const FAULTS: &'static [FaultClass] =
        &[FaultClass::None, FaultClass::CrashStop, FaultClass::CrashRecovery];
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::safety(
            ONE_COPY,
            "committed transactions are equivalent to a serial history on a single copy",
            |_| Box::new(Serialisable::default()),
        ),
        PropertyEntry::safety(
            AGREEMENT,
            "no two decisions on an attempt differ, of two processes or of one",
            |_| Box::new(Agreement::default()),
        ),
        PropertyEntry::safety(
            COMMIT_VALIDITY,
            "every server at which an attempt has locks has voted Yes before any process commits \
             it",
            |_| Box::new(CommitValidity::default()),
        ),
        PropertyEntry::liveness(
            TERMINATION,
            "once all failures are repaired, every server that voted Yes decides",
            |setting| Box::new(Termination::new(setting)),
        ),
        PropertyEntry::safety(
            DEADLOCK_FREE,
            "no transactions wait for each other in a cycle",
            |_| Box::new(Acyclic::default()),
        )
        .if_claimed(),
        PropertyEntry::liveness(
            RESOLUTION,
            "once all failures are repaired, every cycle of waiting transactions is broken, and \
             every transaction commits",
            |setting| Box::new(Resolution::new(setting)),
        )
        .if_claimed(),
        PropertyEntry::safety(
            NO_PHANTOM,
            "whoever is aborted as deadlocked was on a cycle of waiting transactions",
            |_| Box::new(NoPhantom::default()),
        )
        .if_claimed(),
    ];

    type Request = Request;
    type Indication = Indication;
    type WorkloadSettings = StorageWorkload;
    type Workload = Jobs;

    fn workload(settings: &StorageWorkload, setting: &Setting) -> Result<Jobs, Invalid> {
        settings.resolve(setting)
    }

    fn phrase(indication: &Indication) -> Option<String> {
        Some(match indication {
            Indication::Committed(attempt) => format!("commits transaction {attempt}"),
            Indication::Aborted(attempt) => format!("aborts transaction {attempt}"),
            Indication::Began(attempt) => format!("begins transaction {attempt}"),
            Indication::Locked { attempt, copy, version } => {
                format!("locks {copy} for transaction {attempt}, in version {version}")
            }
            Indication::Victim(attempt) => format!("holds transaction {attempt} to be deadlocked"),
            Indication::Wrote { attempt, item } => {
                format!("writes item {item} for transaction {attempt}")
            }
            Indication::Waits { attempt, item, others } if others.is_empty() => {
                format!("lets transaction {attempt} wait for item {item} no longer")
            }
            Indication::Waits { attempt, item, others } => {
                let others: Vec<_> = others.iter().map(ToString::to_string).collect();
                let others = others.join(", ");
                format!("lets transaction {attempt} wait for item {item}, after {others}")
            }
            Indication::VotedYes(attempt) => format!("votes Yes on transaction {attempt}"),
        })
    }

    fn is_probe(indication: &Indication) -> bool {
        !matches!(indication, Indication::Committed(_) | Indication::Aborted(_))
    }

    /// A transaction is answered when its client announces that it has committed.
    fn operation(p: ProcessId, request: &Request) -> Option<OperationName> {
        let Request::Run { transaction, .. } = request;
        Some(OperationName::at(p, *transaction))
    }

    fn answers(p: ProcessId, indication: &Indication) -> impl Iterator<Item = OperationName> {
        let committed = match indication {
            Indication::Committed(attempt) => Some(OperationName::at(p, attempt.transaction)),
            _ => None,
        };
        committed.into_iter()
    }
}

#[cfg(test)]
mod tests;
