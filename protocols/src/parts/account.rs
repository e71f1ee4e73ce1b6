//! The money of a process, and what its checkpoints have in common: the state of which they are
//! taken, and a recovery for which all processes stop.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::ProcessId;
use serde::{Deserialize, Serialize};

use crate::spec::snapshot::{Money, OPENING_BALANCE, SnapshotNumber, Transfer};

/// A balance, with all transfers that have led to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Account {
    balance: Money,
    /// The transfers sent, each with the last checkpoint of its sender before it.
    sent: BTreeMap<Transfer, SnapshotNumber>,
    /// The transfers received, by sender and number.
    received: BTreeSet<(ProcessId, u64)>,
}

impl Account {
    /// The opening balance.
    pub const fn opening() -> Self {
        Self { balance: OPENING_BALANCE, sent: BTreeMap::new(), received: BTreeSet::new() }
    }

    /// The balance.
    pub const fn balance(&self) -> Money {
        self.balance
    }

    /// Takes a transfer from the balance, after this checkpoint; false if it does not suffice.
    pub fn pay(&mut self, transfer: Transfer, after: SnapshotNumber) -> bool {
        let Some(balance) = self.balance.checked_sub(transfer.amount) else { return false };
        self.balance = balance;
        self.sent.insert(transfer, after);
        true
    }

    /// Adds a transfer to the balance; false if it has been received before.
    pub fn accept(&mut self, transfer: &Transfer) -> bool {
        let is_new = self.received.insert((transfer.from, transfer.number));
        if is_new {
            self.balance = self.balance.saturating_add(transfer.amount);
        }
        is_new
    }

    /// The transfers sent, each with the last checkpoint before it.
    pub fn sent(&self) -> impl Iterator<Item = (Transfer, SnapshotNumber)> + '_ {
        self.sent.iter().map(|(transfer, after)| (*transfer, *after))
    }

    /// The transfers sent.
    pub fn messages(&self) -> Vec<Transfer> {
        self.sent.keys().copied().collect()
    }
}

/// At the process that coordinates: a recovery, and the answers of those that have stopped for it.
#[derive(Clone, Debug, Hash)]
pub struct Stops<T> {
    recovery: u64,
    answers: BTreeMap<ProcessId, T>,
}

impl<T> Default for Stops<T> {
    fn default() -> Self {
        Self { recovery: 0, answers: BTreeMap::new() }
    }
}

impl<T> Stops<T> {
    /// The number of the last recovery started.
    pub const fn recovery(&self) -> u64 {
        self.recovery
    }

    /// Goes on from the recovery with this number, which was started in an earlier life.
    pub const fn go_on_from(&mut self, recovery: u64) {
        self.recovery = recovery;
    }

    /// Starts the next recovery: its number.
    pub fn start(&mut self) -> u64 {
        self.recovery = self.recovery.saturating_add(1);
        self.answers.clear();
        self.recovery
    }

    /// Takes note of an answer. The answers of all processes, once all have stopped.
    pub fn answer(
        &mut self,
        p: ProcessId,
        answer: T,
        mut all: impl Iterator<Item = ProcessId>,
    ) -> Option<&BTreeMap<ProcessId, T>> {
        self.answers.insert(p, answer);
        all.all(|p| self.answers.contains_key(&p)).then_some(&self.answers)
    }
}
