//! One-copy serialisability: whether what transactions read and wrote could have come from one
//! after the other.
//!
//! Bernstein, Hadzilacos and Goodman (1987), chapters 2 and 5: committed transactions are
//! serialisable exactly if nobody read what was never committed, and the graph of their conflicts
//! has no cycle. Versions of an item are named by their writers and ordered as they were written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The number of a transaction, from 1.
pub type Transaction = u64;

/// A version of an item: the number of the transaction that wrote it.
pub type Version = Transaction;

/// The version that every item has before any transaction.
pub const INITIAL: Version = 0;

/// What transactions did to items, and how they ended.
#[derive(Clone, Debug, Hash)]
pub struct OneCopy<Item> {
    /// The versions of each item, in the order in which they were written.
    written: BTreeMap<Item, Vec<Version>>,
    read: BTreeMap<Transaction, BTreeSet<(Item, Version)>>,
    committed: BTreeSet<Transaction>,
    aborted: BTreeSet<Transaction>,
}

/// Why there is no serial history on a single copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Anomaly<Item> {
    /// A committed transaction has read what no committed transaction wrote.
    DirtyRead {
        /// Who read.
        reader: Transaction,
        /// Of which item.
        item: Item,
        /// What.
        version: Version,
    },
    /// Each of these committed transactions must come before the next, and the last before the
    /// first.
    Cycle(Vec<Transaction>),
}

impl<Item> Default for OneCopy<Item> {
    fn default() -> Self {
        Self {
            written: BTreeMap::new(),
            read: BTreeMap::new(),
            committed: BTreeSet::new(),
            aborted: BTreeSet::new(),
        }
    }
}

impl<Item: Copy + Ord> OneCopy<Item> {
    /// A transaction has read this version of an item.
    pub fn read(&mut self, reader: Transaction, item: Item, version: Version) {
        self.read.entry(reader).or_default().insert((item, version));
    }

    /// A transaction has written an item.
    pub fn write(&mut self, writer: Transaction, item: Item) {
        let versions = self.written.entry(item).or_default();
        if !versions.contains(&writer) {
            versions.push(writer);
        }
    }

    /// A transaction has committed somewhere.
    pub fn commit(&mut self, transaction: Transaction) {
        self.committed.insert(transaction);
    }

    /// A transaction has aborted somewhere. If it has also committed, that is not for this checker
    /// to judge.
    pub fn abort(&mut self, transaction: Transaction) {
        self.aborted.insert(transaction);
    }

    /// How many committed transactions have read or written anything.
    pub fn committed_count(&self) -> usize {
        let wrote = |t| self.written.values().any(|versions| versions.contains(t));
        self.committed.iter().filter(|t| self.read.contains_key(t) || wrote(t)).count()
    }

    /// Whether the committed transactions are equivalent to a serial history on a single copy.
    ///
    /// # Errors
    /// The anomaly. What was read from a transaction that is still undecided is not yet one.
    pub fn judge(&self) -> Result<(), Anomaly<Item>> {
        if let Some(anomaly) = self.dirty_read() {
            return Err(anomaly);
        }
        cycle(&self.conflicts()).map_or(Ok(()), |cycle| Err(Anomaly::Cycle(cycle)))
    }

    /// What committed transactions have read: reader, item, version.
    fn committed_reads(&self) -> impl Iterator<Item = (Transaction, Item, Version)> {
        let reads = |t: &Transaction| self.read.get(t).into_iter().flatten();
        self.committed
            .iter()
            .flat_map(move |t| reads(t).map(|(item, version)| (*t, *item, *version)))
    }

    fn dirty_read(&self) -> Option<Anomaly<Item>> {
        let dirty = |(reader, item, version): &(Transaction, Item, Version)| {
            let written = self.versions(*item).contains(version);
            let undone = self.aborted.contains(version) && !self.committed.contains(version);
            *version != INITIAL && version != reader && (!written || undone)
        };
        let (reader, item, version) = self.committed_reads().find(dirty)?;
        Some(Anomaly::DirtyRead { reader, item, version })
    }

    /// Pairs of committed transactions of which the first must come before the second.
    fn conflicts(&self) -> BTreeSet<(Transaction, Transaction)> {
        let mut before = BTreeSet::new();
        for versions in self.written.values() {
            let last: Vec<_> = versions.iter().filter(|w| self.committed.contains(w)).collect();
            before.extend(last.windows(2).map(|pair| (*pair[0], *pair[1])));
        }
        for (reader, item, version) in self.committed_reads() {
            let versions = self.versions(item);
            if self.committed.contains(&version) {
                before.insert((version, reader));
            }
            let later = versions.iter().position(|w| *w == version).map_or(0, |index| index + 1);
            let overwrites = |w: &&Version| **w != reader && self.committed.contains(w);
            if let Some(writer) = versions[later..].iter().find(overwrites) {
                before.insert((reader, *writer));
            }
        }
        before.retain(|(first, second)| first != second);
        before
    }

    fn versions(&self, item: Item) -> &[Version] {
        self.written.get(&item).map_or(&[], Vec::as_slice)
    }
}

/// A cycle of this graph, if it has one.
fn cycle(before: &BTreeSet<(Transaction, Transaction)>) -> Option<Vec<Transaction>> {
    let mut left = before.clone();
    loop {
        let second: BTreeSet<_> = left.iter().map(|(_, second)| *second).collect();
        let edge_count = left.len();
        // Who comes after nobody is on no cycle.
        left.retain(|(first, _)| second.contains(first));
        if left.len() == edge_count {
            break;
        }
    }
    // Now everybody comes after somebody, so going back leads to a place seen before.
    let mut path = vec![left.first()?.0];
    loop {
        let here = *path.last()?;
        let (previous, _) = *left.iter().find(|(_, second)| *second == here)?;
        if let Some(start) = path.iter().position(|t| *t == previous) {
            path.drain(..start);
            path.reverse();
            return Some(path);
        }
        path.push(previous);
    }
}

impl<Item: fmt::Display> fmt::Display for Anomaly<Item> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DirtyRead { reader, item, version } => write!(
                f,
                "transaction {reader} committed, but at {item} read what transaction {version} \
                 wrote, which never committed"
            ),
            Self::Cycle(cycle) => {
                let names: Vec<_> = cycle.iter().map(ToString::to_string).collect();
                write!(f, "transactions {} must each come before the next", names.join(", "))?;
                write!(f, ", and the last before the first")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Builds a history: (transaction, item, version read), then writes, in order.
    fn history(steps: &[(Transaction, char, Option<Version>)]) -> OneCopy<char> {
        let mut history = OneCopy::default();
        for (transaction, item, read) in steps {
            match read {
                Some(version) => history.read(*transaction, *item, *version),
                None => history.write(*transaction, *item),
            }
        }
        history
    }

    fn judged(steps: &[(Transaction, char, Option<Version>)]) -> Result<(), Anomaly<char>> {
        let mut history = history(steps);
        for (transaction, ..) in steps {
            history.commit(*transaction);
        }
        history.judge()
    }

    #[test]
    fn one_after_the_other_is_serial() {
        let serial = [
            (1, 'x', Some(INITIAL)),
            (1, 'x', None),
            (2, 'x', Some(1)),
            (2, 'x', None),
            (2, 'y', None),
            (3, 'y', Some(2)),
            (3, 'x', Some(2)),
        ];
        assert_eq!(judged(&serial), Ok(()));
    }

    #[test]
    fn a_lost_update_is_a_cycle() {
        let lost =
            [(1, 'x', Some(INITIAL)), (2, 'x', Some(INITIAL)), (1, 'x', None), (2, 'x', None)];
        assert_eq!(judged(&lost), Err(Anomaly::Cycle(vec![2, 1])));
    }

    #[test]
    fn two_writers_that_cross_are_a_cycle() {
        let crossed = [(1, 'x', None), (2, 'x', None), (2, 'y', None), (1, 'y', None)];
        assert_eq!(judged(&crossed), Err(Anomaly::Cycle(vec![2, 1])));
    }

    #[test]
    fn write_skew_is_a_cycle() {
        let skew =
            [(1, 'x', Some(INITIAL)), (2, 'y', Some(INITIAL)), (1, 'y', None), (2, 'x', None)];
        assert!(matches!(judged(&skew), Err(Anomaly::Cycle(_))));
    }

    #[test]
    fn the_dirt_of_a_read_shows_when_its_writer_aborts() {
        let mut dirty = history(&[(1, 'x', None), (2, 'x', Some(1))]);
        dirty.commit(2);
        assert_eq!(dirty.judge(), Ok(()), "transaction 1 may yet commit");
        dirty.abort(1);
        let anomaly = Anomaly::DirtyRead { reader: 2, item: 'x', version: 1 };
        assert_eq!(dirty.judge(), Err(anomaly));
    }

    #[test]
    fn nobody_reads_what_was_never_written() {
        let anomaly = Anomaly::DirtyRead { reader: 1, item: 'x', version: u64::MAX };
        assert_eq!(judged(&[(1, 'x', Some(u64::MAX))]), Err(anomaly));
    }

    #[test]
    fn aborted_transactions_do_not_count() {
        let mut history = history(&[(1, 'x', None), (2, 'x', Some(INITIAL)), (2, 'x', None)]);
        history.abort(1);
        history.commit(2);
        assert_eq!(history.judge(), Ok(()));
        assert_eq!(history.committed_count(), 1);
    }
}
