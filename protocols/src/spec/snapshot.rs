//! Snapshots and checkpoints: a global state put together from local ones while the system runs.
//!
//! Properties after Chandy and Lamport (1985) and Elnozahy, Alvisi, Wang and Johnson (2002). The
//! application beside the protocol is a bank: each process opens with the same money and makes
//! transfers to others. A *cut* is, for each process, what had happened there when it recorded its
//! state. It is judged when every process says that the snapshot is complete, and again when every
//! process has restored a state in one recovery. A snapshot that is never complete is judged by its
//! termination alone.
//!
//! A channel is directed: a message belongs to the state of the one that it takes, and to no other.
//! The state is recorded by the channel's receiver ([`Indication::ChannelRecorded`]), or kept at
//! its sender, who sends again after a recovery what its receiver may lack
//! ([`Indication::Logged`]); the receiver takes no message twice, so that what is logged counts
//! only where the receiver has not recorded it, as received or as under way.
//!
//! What is recorded of a FIFO channel is a sequence, in the order of sending. Where messages
//! overtake each other the literature knows only a multiset for each directed channel. Which of the
//! two a channel is shows in the run: it is taken for FIFO until a message overtakes another on it.
//! The order matters to whether the state is reachable; what is complete, and what the sums are, is
//! the same in any order.
//!
//! That a cut has no orphan, and that each snapshot comes to an end, is the core; the rest are
//! claims.

mod bank;
mod cut;
mod endings;

use std::fmt;

use ftsim_core::{
    FaultClass, Invalid, OperationName, ProcessId, PropertyEntry, PropertyId, Setting, Spec,
};
use serde::{Deserialize, Serialize};

pub use bank::{Bank, BankWorkload, ScriptedTransfer};
use cut::{OfCuts, Question};
use endings::{RollbackBound, Termination};

/// The problem of recording a global state.
pub struct Snapshot;

/// An amount of money.
pub type Money = u64;

/// The number of a snapshot or checkpoint, from 1. Number 0 is the opening state.
pub type SnapshotNumber = u64;

/// What each process holds at the start.
pub const OPENING_BALANCE: Money = 100;

/// Recovery loses at most this many checkpoints of each process.
pub const ROLLBACK_BOUND: usize = 1;

/// A message of the application: its sender has this much less, its receiver will have it more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Transfer {
    /// Who sends it.
    pub from: ProcessId,
    /// Who is to have it.
    pub to: ProcessId,
    /// Which of its sender's transfers, as the clients number them.
    pub number: u64,
    /// How much.
    pub amount: Money,
}

impl fmt::Debug for Transfer {
    /// `#3 p0->p1 10`: short, since traces are full of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, number, amount } = self;
        write!(f, "#{number} {from}->{to} {amount}")
    }
}

/// What a process is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// Transfer money to another process.
    Transfer {
        /// Which of this process's transfers; no number comes twice.
        number: u64,
        /// To whom.
        to: ProcessId,
        /// How much.
        amount: Money,
    },
    /// Take the snapshot with this number.
    Take(SnapshotNumber),
}

/// What a process announces.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// Money has left the balance.
    Sent(Transfer),
    /// Money has come into the balance.
    Received(Transfer),
    /// The process has recorded its state.
    Recorded {
        /// For this snapshot.
        snapshot: SnapshotNumber,
        /// What it has then.
        balance: Money,
    },
    /// The process has recorded the state of the channel from another process to itself.
    ChannelRecorded {
        /// For this snapshot.
        snapshot: SnapshotNumber,
        /// Whose messages.
        from: ProcessId,
        /// The messages under way, in the order in which they are to come.
        messages: Vec<Transfer>,
    },
    /// The recorded state holds messages of its own, to be sent again after a recovery.
    Logged {
        /// For this snapshot.
        snapshot: SnapshotNumber,
        /// All that their receivers may lack.
        messages: Vec<Transfer>,
    },
    /// The process's part of the snapshot is complete; of a checkpoint, permanent.
    Complete(SnapshotNumber),
    /// The snapshot is given up here.
    Dropped(SnapshotNumber),
    /// The process is back in the state that it recorded for a snapshot.
    Restored {
        /// Which recovery of the system this is, from 1.
        recovery: u64,
        /// The snapshot.
        snapshot: SnapshotNumber,
    },
}

/// No orphan message.
pub const CONSISTENT: PropertyId = PropertyId("cut.consistent");
/// No lost message.
pub const COMPLETE: PropertyId = PropertyId("cut.complete");
/// No message under way at all.
pub const TRANSITLESS: PropertyId = PropertyId("cut.transitless");
/// A state that the system could have been in.
pub const REACHABLE: PropertyId = PropertyId("cut.reachable");
/// No money made or lost.
pub const CONSERVATION: PropertyId = PropertyId("cut.conservation");
/// Every snapshot comes to an end.
pub const TERMINATION: PropertyId = PropertyId("ckpt.termination");
/// Recovery does not fall back without bound.
pub const BOUNDED_ROLLBACK: PropertyId = PropertyId("ckpt.rollback-bound");

impl Spec for Snapshot {
    const NAME: &'static str = "snapshot";
    const FAULTS: &'static [FaultClass] =
        &[FaultClass::None, FaultClass::CrashStop, FaultClass::CrashRecovery];
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::safety(
            CONSISTENT,
            "what is received in the cut was sent in the cut: no orphan message",
            |setting| Box::new(OfCuts::new(Question::Consistent, setting)),
        ),
        PropertyEntry::safety(
            COMPLETE,
            "what is sent in the cut and not received in it is in its channel or in a log",
            |setting| Box::new(OfCuts::new(Question::Complete, setting)),
        )
        .if_claimed(),
        PropertyEntry::safety(
            TRANSITLESS,
            "what is sent in the cut is received in the cut: nothing is under way",
            |setting| Box::new(OfCuts::new(Question::Transitless, setting)),
        )
        .if_claimed(),
        PropertyEntry::safety(
            REACHABLE,
            "a permutation of the run passes through the recorded global state",
            |setting| Box::new(OfCuts::new(Question::Reachable, setting)),
        )
        .if_claimed(),
        PropertyEntry::safety(
            CONSERVATION,
            "recorded balances and channels add up to the money there is",
            |setting| Box::new(OfCuts::new(Question::Conserving, setting)),
        )
        .if_claimed(),
        PropertyEntry::liveness(
            TERMINATION,
            "every snapshot is in the end complete everywhere or dropped everywhere",
            |_| Box::new(Termination::default()),
        ),
        PropertyEntry::safety(
            BOUNDED_ROLLBACK,
            "recovery loses at most one checkpoint of each process",
            |_| Box::new(RollbackBound::default()),
        )
        .if_claimed(),
    ];

    type Request = Request;
    type Indication = Indication;
    type WorkloadSettings = BankWorkload;
    type Workload = Bank;

    fn workload(settings: &BankWorkload, setting: &Setting) -> Result<Bank, Invalid> {
        Bank::new(settings, setting)
    }

    fn is_probe(indication: &Indication) -> bool {
        !matches!(indication, Indication::Complete(_) | Indication::Dropped(_))
    }

    /// A snapshot is answered when the process that is asked to take it says that its part is
    /// complete, or that it is given up. Transfers are the application's own matter.
    fn operation(p: ProcessId, request: &Request) -> Option<OperationName> {
        match request {
            Request::Take(snapshot) => Some(OperationName::at(p, *snapshot)),
            Request::Transfer { .. } => None,
        }
    }

    fn answers(p: ProcessId, indication: &Indication) -> impl Iterator<Item = OperationName> {
        let ended = match indication {
            Indication::Complete(snapshot) | Indication::Dropped(snapshot) => {
                Some(OperationName::at(p, *snapshot))
            }
            _ => None,
        };
        ended.into_iter()
    }
}

#[cfg(test)]
mod tests;
