//! Snapshots and checkpoints: a global state, composed of local states while the system runs.
//!
//! Properties after Chandy and Lamport (1985) and Elnozahy, Alvisi, Wang and Johnson (2002). The
//! application beside the protocol is a bank: each process starts with the same amount of money and
//! makes transfers to others. A *cut* consists, for each process, of the events before it recorded
//! its state. It is judged when every process announces that the snapshot is complete, and again
//! when every process has restored a state in one recovery. A snapshot that is never complete is
//! judged only by its termination.
//!
//! A channel is directed: a message belongs to the state of the channel that it takes, and to no
//! other. The state is recorded by the channel's receiver ([`Indication::ChannelRecorded`]), or
//! logged by its sender, which after a recovery sends again the messages that the receiver may lack
//! ([`Indication::Logged`]). The receiver accepts no message twice, so a logged message counts only
//! if the receiver has recorded it neither as received nor as in the channel.
//!
//! The state of a FIFO channel is a sequence, in the order of sending. Where messages overtake each
//! other, the literature knows only a multiset for each directed channel. The run shows which of
//! the two a channel is: it counts as FIFO until a message overtakes another on it. The order
//! matters for whether the state is reachable; completeness and sums do not depend on it.
//!
//! A checkpoint may be one of some processes alone: who takes no part ([`Indication::LeftOut`]) has
//! its last permanent checkpoint in the cut. A recovery may likewise leave a process its current
//! state ([`Indication::Kept`]).
//!
//! The core is that a cut has no orphan, and that each snapshot ends; the rest are claims.

mod bank;
mod cut;
mod endings;
mod minimal;
mod recovery;

use std::fmt;

use ftsim_core::{
    FaultClass, Invalid, OperationName, ProcessId, PropertyEntry, PropertyId, Setting, Spec,
};
use serde::{Deserialize, Serialize};

pub use bank::{Bank, BankWorkload, ScriptedTransfer};
use cut::{OfCuts, Question};
use endings::{RollbackBound, Termination};
use minimal::Minimal;
use recovery::Recovery;

/// The problem of recording a global state.
pub struct Snapshot;

/// An amount of money.
pub type Money = u64;

/// The number of a snapshot or checkpoint, from 1. Number 0 is the opening state.
pub type SnapshotNumber = u64;

/// The money of each process at the start.
pub const OPENING_BALANCE: Money = 100;

/// The number of checkpoints of each process that a recovery may lose.
pub const ROLLBACK_BOUND: usize = 1;

/// A message of the application, which moves money from its sender to its receiver.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Transfer {
    /// The sender.
    pub from: ProcessId,
    /// The receiver.
    pub to: ProcessId,
    /// The number of the transfer, as given by the clients of the sender.
    pub number: u64,
    /// The amount.
    pub amount: Money,
}

impl fmt::Debug for Transfer {
    /// Formats as `#3 p0->p1 10`: short, since traces contain many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, number, amount } = self;
        write!(f, "#{number} {from}->{to} {amount}")
    }
}

/// A request to a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// Transfer money to another process.
    Transfer {
        /// The number of the transfer, different for each transfer of a process.
        number: u64,
        /// The receiver.
        to: ProcessId,
        /// The amount.
        amount: Money,
    },
    /// Take the snapshot with this number.
    Take(SnapshotNumber),
}

/// An announcement of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// Money has left the balance.
    Sent(Transfer),
    /// Money has been added to the balance.
    Received(Transfer),
    /// The process has recorded its state.
    Recorded {
        /// The snapshot.
        snapshot: SnapshotNumber,
        /// The balance at that time.
        balance: Money,
    },
    /// The process has recorded the state of the channel from another process to itself.
    ChannelRecorded {
        /// The snapshot.
        snapshot: SnapshotNumber,
        /// The sender of the channel.
        from: ProcessId,
        /// The messages in the channel, in the order in which they are to arrive.
        messages: Vec<Transfer>,
    },
    /// The recorded state includes messages of the process itself, to be sent again after a
    /// recovery.
    Logged {
        /// The snapshot.
        snapshot: SnapshotNumber,
        /// The messages that their receivers may lack.
        messages: Vec<Transfer>,
    },
    /// The process's part of the snapshot is complete, or of the checkpoint permanent.
    Complete(SnapshotNumber),
    /// These processes take no part in the checkpoint: their last permanent ones stand.
    LeftOut {
        /// The checkpoint.
        snapshot: SnapshotNumber,
        /// The processes.
        processes: Vec<ProcessId>,
    },
    /// The process has given up the snapshot.
    Dropped(SnapshotNumber),
    /// The process has returned to the state that it recorded for a snapshot.
    Restored {
        /// The number of the recovery in the system, from 1.
        recovery: u64,
        /// The snapshot.
        snapshot: SnapshotNumber,
    },
    /// The process has taken a checkpoint of its own, which belongs to no snapshot.
    RecordedOwn {
        /// The number of the checkpoint at this process, from 1. Number 0 is the opening state.
        checkpoint: SnapshotNumber,
        /// The balance at that time.
        balance: Money,
        /// Its own messages that their receivers may lack, to be sent again after a recovery.
        messages: Vec<Transfer>,
    },
    /// The process has returned to a checkpoint of its own.
    Returned {
        /// The number of the recovery in the system, from 1.
        recovery: u64,
        /// The number of the checkpoint at this process.
        checkpoint: SnapshotNumber,
    },
    /// The process goes on from its current state in a recovery.
    Kept {
        /// The number of the recovery in the system, from 1.
        recovery: u64,
        /// The balance at that time.
        balance: Money,
        /// Its own messages that their receivers may lack; it sends them again.
        messages: Vec<Transfer>,
    },
}

/// There is no orphan message.
pub const CONSISTENT: PropertyId = PropertyId("cut.consistent");
/// There is no lost message.
pub const COMPLETE: PropertyId = PropertyId("cut.complete");
/// No message is in a channel.
pub const TRANSITLESS: PropertyId = PropertyId("cut.transitless");
/// The state is one that the system could have been in.
pub const REACHABLE: PropertyId = PropertyId("cut.reachable");
/// No money is created or lost.
pub const CONSERVATION: PropertyId = PropertyId("cut.conservation");
/// Every snapshot ends.
pub const TERMINATION: PropertyId = PropertyId("ckpt.termination");
/// No process takes a checkpoint without need.
pub const MINIMAL: PropertyId = PropertyId("ckpt.minimal");
/// Rollback is bounded.
pub const BOUNDED_ROLLBACK: PropertyId = PropertyId("ckpt.rollback-bound");
/// A recovery ends, and nothing is lost or made up by it.
pub const RECOVERY: PropertyId = PropertyId("ckpt.recovery");

impl Spec for Snapshot {
    const NAME: &'static str = "snapshot";
    const FAULTS: &'static [FaultClass] =
        &[FaultClass::None, FaultClass::CrashStop, FaultClass::CrashRecovery];
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::safety(
            CONSISTENT,
            "every message received in the cut was sent in the cut: no orphan message",
            |setting| Box::new(OfCuts::new(Question::Consistent, setting)),
        ),
        PropertyEntry::safety(
            COMPLETE,
            "every message sent but not received in the cut is in its channel or in a log",
            |setting| Box::new(OfCuts::new(Question::Complete, setting)),
        )
        .if_claimed(),
        PropertyEntry::safety(
            TRANSITLESS,
            "every message sent in the cut is received in the cut: nothing is in a channel",
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
            "recorded balances and channels add up to the money in the system",
            |setting| Box::new(OfCuts::new(Question::Conserving, setting)),
        )
        .if_claimed(),
        PropertyEntry::liveness(
            TERMINATION,
            "every snapshot is eventually complete everywhere or dropped everywhere",
            |_| Box::new(Termination::default()),
        ),
        PropertyEntry::safety(
            MINIMAL,
            "only processes on which the initiator transitively depends take a checkpoint",
            |setting| Box::new(Minimal::new(setting)),
        )
        .if_claimed(),
        PropertyEntry::safety(
            BOUNDED_ROLLBACK,
            "recovery loses at most one checkpoint of each process",
            |_| Box::new(RollbackBound::default()),
        )
        .if_claimed(),
        PropertyEntry::liveness(
            RECOVERY,
            "whoever recovers returns to a state, all go on, and what was sent and not undone is \
             received, and nothing else",
            |setting| Box::new(Recovery::new(setting)),
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

    fn phrase(indication: &Indication) -> Option<String> {
        let list = |messages: &[Transfer]| match messages {
            [] => "no messages".to_owned(),
            messages => format!("{messages:?}"),
        };
        Some(match indication {
            Indication::Sent(Transfer { to, number, amount, .. }) => {
                format!("pays {amount} to {to} (transfer {number})")
            }
            Indication::Received(Transfer { from, number, amount, .. }) => {
                format!("gets {amount} from {from} (transfer {number})")
            }
            Indication::Recorded { snapshot, balance } => {
                format!("records its balance of {balance} for snapshot {snapshot}")
            }
            Indication::ChannelRecorded { snapshot, from, messages } => {
                let messages = list(messages);
                format!("records {messages} in the channel from {from} for snapshot {snapshot}")
            }
            Indication::Logged { snapshot, messages } => {
                format!("logs {} for snapshot {snapshot}", list(messages))
            }
            Indication::Complete(snapshot) => format!("completes snapshot {snapshot}"),
            Indication::Dropped(snapshot) => format!("drops snapshot {snapshot}"),
            Indication::LeftOut { snapshot, processes } => {
                let names: Vec<String> = processes.iter().map(ToString::to_string).collect();
                format!("leaves {} out of checkpoint {snapshot}", names.join(", "))
            }
            Indication::RecordedOwn { checkpoint, balance, .. } => {
                format!("takes its checkpoint {checkpoint}, with a balance of {balance}")
            }
            Indication::Returned { recovery, checkpoint } => {
                format!("returns to its checkpoint {checkpoint} in recovery {recovery}")
            }
            Indication::Kept { recovery, balance, .. } => {
                format!("keeps its state in recovery {recovery}, with a balance of {balance}")
            }
            Indication::Restored { recovery, snapshot } => {
                format!("returns to snapshot {snapshot} in recovery {recovery}")
            }
        })
    }

    fn is_probe(indication: &Indication) -> bool {
        !matches!(indication, Indication::Complete(_) | Indication::Dropped(_))
    }

    /// A snapshot is answered when the process that is asked to take it announces that its part is
    /// complete, or that it is given up. Transfers are internal to the application.
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
mod partial_tests;
#[cfg(test)]
mod tests;
