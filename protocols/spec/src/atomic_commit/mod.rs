//! Atomic commitment: all processes commit or all abort.
//!
//! Properties after Bernstein, Hadzilacos and Goodman (1987), section 7.3. Each participant holds
//! one item. A transaction first works there, reading or writing under locks; then its coordinator
//! is asked to commit it. The properties judge every process, crashed or not: a decision announced
//! before a crash counts.
//!
//! A crash excuses no process from deciding. A process may have lost every trace of a transaction
//! that it was asked for, so its client, which is still waiting, asks again once the process has
//! recovered.

mod properties;
#[cfg(test)]
mod tests;
mod workload;

use ftsim_core::{
    FaultClass, Invalid, OperationName, ProcessId, PropertyEntry, PropertyId, Setting, Spec,
};
use serde::{Deserialize, Serialize};

pub use super::one_copy::{INITIAL, Transaction, Version};
use properties::{
    Agreement, CommitValidity, Irrevocable, NonTriviality, Premise, Serialisable, Termination,
};
pub use workload::{TransactionWorkload, Transactions};

/// The problem of committing a transaction everywhere or nowhere.
pub struct AtomicCommit;

/// The role of the process that is asked to commit.
pub const COORDINATOR: &str = "coordinator";
/// The role of the processes that hold an item and vote.
pub const PARTICIPANT: &str = "participant";

/// A request to a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// To a participant: perform the transaction's work here. Always comes before
    /// [`Request::Begin`].
    Perform {
        /// The transaction.
        transaction: Transaction,
        /// Its work here.
        work: Work,
    },
    /// To the coordinator: begin the commitment of this transaction.
    Begin(Transaction),
    /// The process was down, and its client does not know the outcome of this transaction. The
    /// process is to decide, unless others can have decided with its vote.
    Resolve(Transaction),
}

/// The work of a transaction at one participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Work {
    /// It reads the item.
    Read,
    /// It reads the item and writes it.
    Write,
    /// It fails, so the participant must vote No.
    Fail,
}

/// The vote of a participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Vote {
    /// It can commit, and will if that is the decision.
    Yes,
    /// It cannot commit.
    No,
    /// The transaction has only read here: the participant accepts either decision and need not
    /// know it.
    ReadOnly,
}

/// The outcome of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Decision {
    /// All of the transaction takes effect.
    Commit,
    /// None of the transaction takes effect.
    Abort,
}

/// An announcement of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// The process has decided to commit. Repeated after a crash, it is not a new decision.
    Committed(Transaction),
    /// The process has decided to abort.
    Aborted(Transaction),
    /// The process votes. A probe, except for a read-only vote: with that the process leaves, and
    /// owes no decision.
    Voted {
        /// The transaction.
        transaction: Transaction,
        /// The vote.
        vote: Vote,
    },
    /// A probe: a transaction reads the item of this process.
    Read {
        /// The reader.
        transaction: Transaction,
        /// The version that it reads.
        version: Version,
    },
    /// A probe: a transaction overwrites the item of this process.
    Wrote {
        /// The writer; the new version has its number.
        transaction: Transaction,
    },
}

impl Decision {
    /// The decision on this transaction, as a process announces it.
    pub const fn announced(self, transaction: Transaction) -> Indication {
        match self {
            Self::Commit => Indication::Committed(transaction),
            Self::Abort => Indication::Aborted(transaction),
        }
    }
}

/// AC1 of Bernstein, Hadzilacos and Goodman (1987), section 7.3.
pub const AGREEMENT: PropertyId = PropertyId("ac.agreement");
/// AC2.
pub const IRREVOCABLE: PropertyId = PropertyId("ac.irrevocability");
/// AC3.
pub const COMMIT_VALIDITY: PropertyId = PropertyId("ac.commit-validity");
/// AC4.
pub const NON_TRIVIALITY: PropertyId = PropertyId("ac.non-triviality");
/// AC5.
pub const TERMINATION: PropertyId = PropertyId("ac.termination");
/// Skeen (1981): termination even if processes stay down.
pub const NONBLOCKING: PropertyId = PropertyId("ac.nonblocking");
/// One-copy serialisability.
pub const ONE_COPY: PropertyId = PropertyId("txn.one-copy");

impl Spec for AtomicCommit {
    const NAME: &'static str = "atomic-commit";
    const FAULTS: &'static [FaultClass] =
        &[FaultClass::None, FaultClass::CrashStop, FaultClass::CrashRecovery];
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::safety(
            AGREEMENT,
            "no process commits a transaction that another aborts",
            |_| Box::new(Agreement::default()),
        )
        .in_any_order(),
        PropertyEntry::safety(IRREVOCABLE, "no process changes its decision", |_| {
            Box::new(Irrevocable::default())
        })
        .in_any_order(),
        PropertyEntry::safety(
            COMMIT_VALIDITY,
            "every participant has voted for a transaction before any process commits it",
            |setting| Box::new(CommitValidity::new(setting)),
        )
        .in_any_order(),
        PropertyEntry::liveness(
            NON_TRIVIALITY,
            "if nothing fails and no message exceeds the bound, a transaction with all votes Yes \
             is eventually committed",
            |setting| Box::new(NonTriviality::new(setting)),
        )
        .in_any_order(),
        PropertyEntry::liveness(
            TERMINATION,
            "once all failures are repaired and none is new, every process decides, or has \
                   only read and left",
            |setting| Box::new(Termination::new(Premise::AllRepaired, setting)),
        )
        .in_any_order(),
        PropertyEntry::liveness(
            NONBLOCKING,
            "every correct process decides, whoever stays down",
            |setting| Box::new(Termination::new(Premise::SomeDown, setting)),
        )
        .if_claimed()
        .in_any_order(),
        PropertyEntry::safety(
            ONE_COPY,
            "committed transactions are equivalent to a serial history on a single copy",
            |_| Box::new(Serialisable::default()),
        )
        .if_claimed(),
    ];

    type Request = Request;
    type Indication = Indication;
    type WorkloadSettings = TransactionWorkload;
    type Workload = Transactions;

    fn workload(
        settings: &TransactionWorkload,
        setting: &Setting,
    ) -> Result<Transactions, Invalid> {
        settings.resolve(setting)
    }

    fn phrase(indication: &Indication) -> Option<String> {
        Some(match indication {
            Indication::Committed(transaction) => format!("commits transaction {transaction}"),
            Indication::Aborted(transaction) => format!("aborts transaction {transaction}"),
            Indication::Voted { transaction, vote } => {
                format!("votes {vote:?} on transaction {transaction}")
            }
            Indication::Read { transaction, version } => {
                format!("reads version {version} for transaction {transaction}")
            }
            Indication::Wrote { transaction } => format!("writes for transaction {transaction}"),
        })
    }

    fn is_probe(indication: &Indication) -> bool {
        !matches!(
            indication,
            Indication::Committed(_)
                | Indication::Aborted(_)
                | Indication::Voted { vote: Vote::ReadOnly, .. }
        )
    }

    /// A transaction is answered when the process that is asked to commit it announces the outcome.
    fn operation(p: ProcessId, request: &Request) -> Option<OperationName> {
        match request {
            Request::Begin(transaction) => Some(OperationName::at(p, *transaction)),
            Request::Perform { .. } | Request::Resolve(_) => None,
        }
    }

    fn answers(p: ProcessId, indication: &Indication) -> impl Iterator<Item = OperationName> {
        let ended = match indication {
            Indication::Committed(transaction) | Indication::Aborted(transaction) => {
                Some(OperationName::at(p, *transaction))
            }
            _ => None,
        };
        ended.into_iter()
    }
}
