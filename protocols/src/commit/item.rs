//! The item that a participant holds, under strict two-phase locking without waiting.
//!
//! A transaction reads and writes in place and keeps its locks until its decision; who finds a lock
//! in its way fails at once, so that nobody ever waits in a cycle.

use std::collections::BTreeMap;

use ftsim_core::{Cx, Process};

use crate::spec::atomic_commit::{AtomicCommit, INITIAL, Indication, Transaction, Version, Work};

/// One item, its locks, and what is needed to undo.
#[derive(Clone, Debug, Hash)]
pub(super) struct Item {
    version: Version,
    /// The locks that are held: a writer's excludes all others.
    locks: BTreeMap<Transaction, Lock>,
    /// What undecided writers found: their undo data.
    before: BTreeMap<Transaction, Version>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Lock {
    Shared,
    Exclusive,
}

impl Default for Item {
    fn default() -> Self {
        Self { version: INITIAL, locks: BTreeMap::new(), before: BTreeMap::new() }
    }
}

impl Item {
    /// Does a transaction's work here. False if it fails, or a lock is in its way; then nothing has
    /// changed.
    pub fn perform<P: Process<Spec = AtomicCommit>>(
        &mut self,
        transaction: Transaction,
        work: Work,
        cx: &mut Cx<P>,
    ) -> bool {
        let lock = match work {
            Work::Read => Lock::Shared,
            Work::Write => Lock::Exclusive,
            Work::Fail => return false,
        };
        let excludes = |held: &Lock| lock == Lock::Exclusive || *held == Lock::Exclusive;
        if self.locks.values().any(excludes) {
            return false;
        }
        self.locks.insert(transaction, lock);
        cx.indicate(Indication::Read { transaction, version: self.version });
        if work == Work::Write {
            self.write(transaction);
            cx.indicate(Indication::Wrote { transaction });
        }
        true
    }

    /// Puts a prepared transaction back to where it was before a crash. Its locks are free: those
    /// of all others are gone, or were given back before it took them.
    pub fn restore(&mut self, transaction: Transaction, writes: bool) {
        self.locks.insert(transaction, if writes { Lock::Exclusive } else { Lock::Shared });
        if writes {
            self.write(transaction);
        }
    }

    /// Repeats what a transaction that is known to have committed wrote.
    pub fn redo(&mut self, transaction: Transaction) {
        self.version = transaction;
    }

    /// Whether this transaction has written here and is undecided.
    pub fn has_written(&self, transaction: Transaction) -> bool {
        self.before.contains_key(&transaction)
    }

    /// A transaction commits: its write stays.
    pub fn commit(&mut self, transaction: Transaction) {
        self.before.remove(&transaction);
        self.release(transaction);
    }

    /// A transaction aborts: its write is undone, unless another has been put over it.
    pub fn abort(&mut self, transaction: Transaction) {
        if let Some(before) = self.before.remove(&transaction)
            && self.version == transaction
        {
            self.version = before;
        }
        self.release(transaction);
    }

    /// Gives the locks of a transaction back.
    pub fn release(&mut self, transaction: Transaction) {
        self.locks.remove(&transaction);
    }

    fn write(&mut self, transaction: Transaction) {
        self.before.insert(transaction, self.version);
        self.version = transaction;
    }
}
