//! The item at a participant, under strict two-phase locking without waiting.
//!
//! A transaction reads and writes in place and keeps its locks until its decision. One that meets a
//! conflicting lock fails at once, so there is no deadlock.

use std::collections::BTreeMap;

use ftsim_core::{Cx, Process};

use crate::spec::atomic_commit::{AtomicCommit, INITIAL, Indication, Transaction, Version, Work};

/// One item, its locks, and its undo data.
#[derive(Clone, Debug, Hash)]
pub(super) struct Item {
    version: Version,
    /// The locks that are held; a writer's excludes all others.
    locks: BTreeMap<Transaction, Lock>,
    /// The versions that undecided writers replaced: their undo data.
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
    /// Performs a transaction's work. Returns false, and changes nothing, if the work fails or
    /// meets a conflicting lock.
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

    /// Restores a prepared transaction after a crash. Its locks are free, since all others were
    /// lost in the crash or released before it took them.
    pub fn restore(&mut self, transaction: Transaction, writes: bool) {
        self.locks.insert(transaction, if writes { Lock::Exclusive } else { Lock::Shared });
        if writes {
            self.write(transaction);
        }
    }

    /// Redoes the write of a committed transaction.
    pub fn redo(&mut self, transaction: Transaction) {
        self.version = transaction;
    }

    /// Whether this transaction has written the item and is undecided.
    pub fn has_written(&self, transaction: Transaction) -> bool {
        self.before.contains_key(&transaction)
    }

    /// Commits a transaction: its write stays.
    pub fn commit(&mut self, transaction: Transaction) {
        self.before.remove(&transaction);
        self.release(transaction);
    }

    /// Aborts a transaction: its write is undone, unless it has been overwritten.
    pub fn abort(&mut self, transaction: Transaction) {
        if let Some(before) = self.before.remove(&transaction)
            && self.version == transaction
        {
            self.version = before;
        }
        self.release(transaction);
    }

    /// Releases the locks of a transaction.
    pub fn release(&mut self, transaction: Transaction) {
        self.locks.remove(&transaction);
    }

    fn write(&mut self, transaction: Transaction) {
        self.before.insert(transaction, self.version);
        self.version = transaction;
    }
}
