//! Atomic commitment: all commit or all abort.
//!
//! Properties after Bernstein, Hadzilacos and Goodman (1987), section 7.3. Each participant holds
//! one item. A transaction works there first, reading or writing under locks; then its coordinator
//! is asked to commit it. The properties judge every process, crashed or not: a decision announced
//! before a crash counts.
//!
//! A crash excuses nobody from deciding. A process may have lost every trace of a transaction that
//! it was asked for, so that its client, who is still waiting, asks again once the process is back.

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

/// The role of the one process that is asked to commit.
pub const COORDINATOR: &str = "coordinator";
/// The role of those that hold an item and vote.
pub const PARTICIPANT: &str = "participant";

/// What a process is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// A participant is to do its part of this transaction. Always comes before [`Request::Begin`].
    Perform {
        /// Which.
        transaction: Transaction,
        /// Its part.
        work: Work,
    },
    /// The coordinator is to begin the commitment of this transaction.
    Begin(Transaction),
    /// The process was down, and its client has not heard how this transaction ended: it is to
    /// decide, unless others have decided with its vote.
    Resolve(Transaction),
}

/// The part of a transaction at one participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Work {
    /// It reads the item.
    Read,
    /// It reads the item and writes it.
    Write,
    /// It fails, so that the participant must vote No.
    Fail,
}

/// What a participant answers when it is asked whether to commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Vote {
    /// It can commit, and will if told so.
    Yes,
    /// It cannot.
    No,
    /// It has only read: either decision is fine, and it need not hear of it.
    ReadOnly,
}

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Decision {
    /// All of it takes effect.
    Commit,
    /// None of it does.
    Abort,
}

/// What a process announces.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// The process has decided to commit; said again after a crash, it is no new decision.
    Committed(Transaction),
    /// The process has decided to abort.
    Aborted(Transaction),
    /// The process votes. A probe, unless it has only read: then it leaves, and owes no decision.
    Voted {
        /// On which transaction.
        transaction: Transaction,
        /// How.
        vote: Vote,
    },
    /// A probe: a transaction reads the item of this process.
    Read {
        /// Who reads.
        transaction: Transaction,
        /// What it finds.
        version: Version,
    },
    /// A probe: a transaction writes the item of this process, in place of what was there.
    Wrote {
        /// Who writes; the new version bears its number.
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
/// Skeen (1981): termination whoever stays down.
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
        ),
        PropertyEntry::safety(IRREVOCABLE, "no process changes its decision", |_| {
            Box::new(Irrevocable::default())
        }),
        PropertyEntry::safety(
            COMMIT_VALIDITY,
            "what is committed, every participant voted for before",
            |setting| Box::new(CommitValidity::new(setting)),
        ),
        PropertyEntry::liveness(
            NON_TRIVIALITY,
            "if nothing fails, what every participant votes for is committed in the end",
            |setting| Box::new(NonTriviality::new(setting)),
        ),
        PropertyEntry::liveness(
            TERMINATION,
            "once all failures are repaired and none is new, every process decides, or has \
                   only read and left",
            |setting| Box::new(Termination::new(Premise::AllRepaired, setting)),
        ),
        PropertyEntry::liveness(
            NONBLOCKING,
            "every correct process decides, whoever stays down",
            |setting| Box::new(Termination::new(Premise::SomeDown, setting)),
        )
        .if_claimed(),
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

    fn is_probe(indication: &Indication) -> bool {
        !matches!(
            indication,
            Indication::Committed(_)
                | Indication::Aborted(_)
                | Indication::Voted { vote: Vote::ReadOnly, .. }
        )
    }

    /// A transaction is answered when the process that is asked to commit it announces how it ends.
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
