//! The lock table of a server: shared locks to read, exclusive ones to write, and queues.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Timestamp;
use crate::spec::transactions::{Attempt, Item};

/// What a transaction does with an item, and so the lock that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Access {
    /// It reads: the lock is shared.
    Read,
    /// It reads and writes: the lock is exclusive.
    Write,
}

impl Access {
    fn conflicts(self, other: Self) -> bool {
        self == Self::Write || other == Self::Write
    }
}

/// A lock that is held or waited for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Lock {
    pub attempt: Attempt,
    pub timestamp: Timestamp,
    pub access: Access,
    /// Those that the attempt waits for.
    pub blockers: Vec<Attempt>,
}

/// The locks of all items.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct LockTable {
    items: BTreeMap<Item, Queue>,
}

/// The locks of an item.
#[derive(Clone, Debug, Default, Hash)]
struct Queue {
    held: Vec<Lock>,
    /// In the order in which they are to be granted.
    waiting: Vec<Lock>,
}

/// A change for an attempt that waited.
pub(super) enum Change {
    /// It now has the lock.
    Granted(Lock),
    /// It now waits for these others.
    Waits(Attempt, Vec<Attempt>),
}

impl LockTable {
    /// Whether an attempt has a lock on an item.
    pub fn holds(&self, attempt: Attempt, item: Item) -> bool {
        self.items.get(&item).is_some_and(|queue| queue.held.iter().any(|l| l.attempt == attempt))
    }

    /// Whether an attempt waits for an item.
    pub fn waits(&self, attempt: Attempt, item: Item) -> bool {
        let is_its = |lock: &Lock| lock.attempt == attempt;
        self.items.get(&item).is_some_and(|queue| queue.waiting.iter().any(is_its))
    }

    /// The locks that an attempt has.
    pub fn held_by(&self, attempt: Attempt) -> Vec<(Item, Access)> {
        let locks = self.items.iter().flat_map(|(item, q)| q.held.iter().map(move |l| (item, l)));
        let its = locks.filter(|(_, lock)| lock.attempt == attempt);
        its.map(|(item, lock)| (*item, lock.access)).collect()
    }

    /// The items for which an attempt waits.
    pub fn wanted_by(&self, attempt: Attempt) -> Vec<Item> {
        self.items.keys().copied().filter(|item| self.waits(attempt, *item)).collect()
    }

    /// The attempts for which an attempt waits for an item.
    pub fn blockers_of(&self, attempt: Attempt, item: Item) -> &[Attempt] {
        let waiting = self.items.get(&item).into_iter().flat_map(|queue| &queue.waiting);
        let mut its = waiting.filter(|lock| lock.attempt == attempt);
        its.next().map_or(&[], |lock| &lock.blockers)
    }

    /// The locks that a new one would have to wait for, with those that wait before it; by age if
    /// older transactions come first.
    pub fn conflicts(&self, lock: &Lock, item: Item, oldest_first: bool) -> Vec<Lock> {
        let Some(queue) = self.items.get(&item) else { return Vec::new() };
        let ahead = queue.place(lock, oldest_first);
        let before = queue.held.iter().chain(&queue.waiting[..ahead]);
        before.filter(|other| other.access.conflicts(lock.access)).cloned().collect()
    }

    /// Grants a lock. Returns what changes for those that wait and are overtaken.
    pub fn grant(&mut self, lock: Lock, item: Item) -> Vec<Change> {
        let queue = self.items.entry(item).or_default();
        queue.held.push(lock);
        queue.advance()
    }

    /// Has a lock wait. Returns what changes for this attempt and for those that it overtakes.
    pub fn enqueue(&mut self, lock: Lock, item: Item, oldest_first: bool) -> Vec<Change> {
        let queue = self.items.entry(item).or_default();
        let place = queue.place(&lock, oldest_first);
        queue.waiting.insert(place, lock);
        queue.advance()
    }

    /// Releases what an attempt has of an item, or waits for. Returns what changes for others.
    pub fn release(&mut self, attempt: Attempt, item: Item) -> Vec<Change> {
        let Some(queue) = self.items.get_mut(&item) else { return Vec::new() };
        queue.held.retain(|lock| lock.attempt != attempt);
        queue.waiting.retain(|lock| lock.attempt != attempt);
        queue.advance()
    }
}

impl Queue {
    /// The place of a new lock among those that wait.
    fn place(&self, lock: &Lock, oldest_first: bool) -> usize {
        let is_later = |other: &Lock| oldest_first && other.timestamp > lock.timestamp;
        self.waiting.iter().position(is_later).unwrap_or(self.waiting.len())
    }

    /// Grants what can be granted, in order.
    fn advance(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut still = Vec::new();
        for mut lock in std::mem::take(&mut self.waiting) {
            let before = self.held.iter().chain(&still);
            let conflicting = before.filter(|other: &&Lock| other.access.conflicts(lock.access));
            let blockers: Vec<_> = conflicting.map(|other| other.attempt).collect();
            if blockers.is_empty() {
                self.held.push(lock.clone());
                changes.push(Change::Granted(lock));
                continue;
            }
            if blockers != lock.blockers {
                lock.blockers.clone_from(&blockers);
                changes.push(Change::Waits(lock.attempt, blockers));
            }
            still.push(lock);
        }
        self.waiting = still;
        changes
    }
}
