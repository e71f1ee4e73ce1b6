//! One-copy serialisability: whether the reads and writes of transactions are equivalent to those
//! of a serial execution.
//!
//! Bernstein, Hadzilacos and Goodman (1987), chapters 2 and 5: committed transactions are
//! serialisable if and only if none has read a version that was never committed, and the graph of
//! their conflicts has no cycle. Versions of an item are ordered as they were written, and are
//! named after their writers; a read of such a version is a read of the writer's last write so far.
//!
//! A transaction may read and write an item repeatedly. Each read and each write counts, in its
//! order: a transaction that reads between two writes of another must come both after and before
//! it, and one that reads after a write of its own must see that write.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The number of a transaction, from 1.
pub type Transaction = u64;

/// A version of an item: the number of the transaction that wrote it.
pub type Version = Transaction;

/// The version that every item has before any transaction.
pub const INITIAL: Version = 0;

/// The reads and writes of transactions, and their outcomes. Transactions have names of type `T`,
/// of which the default is the name of the initial version.
#[derive(Clone, Debug, Hash)]
pub struct OneCopy<Item, T = Transaction> {
    /// The writers of each item, in order, once for each write.
    written: BTreeMap<Item, Vec<T>>,
    read: BTreeMap<T, BTreeSet<Read<Item, T>>>,
    committed: BTreeSet<T>,
    aborted: BTreeSet<T>,
}

/// A read of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Read<Item, T> {
    item: Item,
    version: T,
    /// The number of writes up to the one that was read; `None` if there was no such write.
    writes: Option<usize>,
    /// Whether the reader had written the item itself, and has read an older version.
    misses_own: bool,
}

/// The reason why there is no equivalent serial history on a single copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Anomaly<Item, T = Transaction> {
    /// A committed transaction has read a version that no committed transaction wrote.
    DirtyRead {
        /// The reader.
        reader: T,
        /// The item read.
        item: Item,
        /// The version read.
        version: T,
    },
    /// A committed transaction has read a version that no transaction wrote.
    Unwritten {
        /// The reader.
        reader: T,
        /// The item read.
        item: Item,
        /// The version read.
        version: T,
    },
    /// A committed transaction has written an item, and then read another version.
    OwnWriteMissed {
        /// The reader.
        reader: T,
        /// The item read.
        item: Item,
        /// The version read.
        version: T,
    },
    /// Each of these committed transactions must come before the next, and the last before the
    /// first.
    Cycle(Vec<T>),
}

impl<Item, T> Default for OneCopy<Item, T> {
    fn default() -> Self {
        Self {
            written: BTreeMap::new(),
            read: BTreeMap::new(),
            committed: BTreeSet::new(),
            aborted: BTreeSet::new(),
        }
    }
}

impl<Item: Copy + Ord, T: Copy + Ord + Default> OneCopy<Item, T> {
    /// Notes that a transaction has read this version of an item.
    pub fn read(&mut self, reader: T, item: Item, version: T) {
        let has_written = self.last_write(reader, item).is_some();
        self.note_read(reader, item, version, version != reader && has_written);
    }

    /// Notes that a transaction had read this version of an item before it wrote the item itself,
    /// though that is noted already.
    pub fn read_before_own_write(&mut self, reader: T, item: Item, version: T) {
        self.note_read(reader, item, version, false);
    }

    fn note_read(&mut self, reader: T, item: Item, version: T, misses_own: bool) {
        let writes = if version == T::default() {
            Some(0)
        } else {
            self.last_write(version, item).map(|index| index + 1)
        };
        let read = Read { item, version, writes, misses_own };
        self.read.entry(reader).or_default().insert(read);
    }

    fn last_write(&self, by: T, item: Item) -> Option<usize> {
        self.writes(item).iter().rposition(|writer| *writer == by)
    }

    /// Notes that a transaction has written an item.
    pub fn write(&mut self, writer: T, item: Item) {
        self.written.entry(item).or_default().push(writer);
    }

    /// Notes that these writes of undecided transactions are undone. Their places stay, so that the
    /// others keep theirs, but belong to nobody.
    pub fn undo(&mut self, is_undone: impl Fn(T, Item) -> bool) {
        for (item, writers) in &mut self.written {
            for writer in writers.iter_mut().filter(|writer| is_undone(**writer, *item)) {
                *writer = T::default();
            }
        }
    }

    /// Notes that a transaction has committed somewhere.
    pub fn commit(&mut self, transaction: T) {
        self.committed.insert(transaction);
    }

    /// Notes that a transaction has aborted somewhere. Whether it has also committed elsewhere is
    /// not judged here.
    pub fn abort(&mut self, transaction: T) {
        self.aborted.insert(transaction);
    }

    /// The number of committed transactions that have read or written anything.
    pub fn committed_count(&self) -> usize {
        let wrote = |t| self.written.values().any(|versions| versions.contains(t));
        self.committed.iter().filter(|t| self.read.contains_key(t) || wrote(t)).count()
    }

    /// Judges whether the committed transactions are equivalent to a serial history on a single
    /// copy, assuming that undecided ones commit.
    ///
    /// # Errors
    /// The anomaly.
    pub fn judge(&self) -> Result<(), Anomaly<Item, T>> {
        self.judge_reads(|writer| self.committed.contains(writer) || !self.aborted.contains(writer))
    }

    /// Judges whether the committed transactions are equivalent to a serial history on a single
    /// copy, assuming that no other will commit.
    ///
    /// # Errors
    /// The anomaly.
    pub fn judge_all(&self) -> Result<(), Anomaly<Item, T>> {
        self.judge_reads(|writer| self.committed.contains(writer))
    }

    fn judge_reads(&self, is_clean: impl Fn(&T) -> bool) -> Result<(), Anomaly<Item, T>> {
        for (reader, Read { item, version, writes, misses_own }) in self.committed_reads() {
            if writes.is_none() {
                return Err(Anomaly::Unwritten { reader, item, version });
            }
            if misses_own {
                return Err(Anomaly::OwnWriteMissed { reader, item, version });
            }
            if version != T::default() && !is_clean(&version) {
                return Err(Anomaly::DirtyRead { reader, item, version });
            }
        }
        cycle(&self.conflicts()).map_or(Ok(()), |cycle| Err(Anomaly::Cycle(cycle)))
    }

    /// The reads of committed transactions.
    fn committed_reads(&self) -> impl Iterator<Item = (T, Read<Item, T>)> {
        let reads = |t: &T| self.read.get(t).into_iter().flatten();
        self.committed.iter().flat_map(move |t| reads(t).map(|read| (*t, *read)))
    }

    /// Pairs of committed transactions of which the first must come before the second.
    fn conflicts(&self) -> BTreeSet<(T, T)> {
        let mut before = BTreeSet::new();
        for writers in self.written.values() {
            let last: Vec<_> = writers.iter().filter(|w| self.committed.contains(w)).collect();
            before.extend(last.windows(2).map(|pair| (*pair[0], *pair[1])));
        }
        for (reader, Read { item, version, writes, .. }) in self.committed_reads() {
            if self.committed.contains(&version) {
                before.insert((version, reader));
            }
            let overwrites = |w: &&T| **w != reader && self.committed.contains(w);
            let later = &self.writes(item)[writes.unwrap_or_default()..];
            if let Some(writer) = later.iter().find(overwrites) {
                before.insert((reader, *writer));
            }
        }
        before.retain(|(first, second)| first != second);
        before
    }

    fn writes(&self, item: Item) -> &[T] {
        self.written.get(&item).map_or(&[], Vec::as_slice)
    }
}

/// A cycle of this graph, if it has one.
fn cycle<T: Copy + Ord>(before: &BTreeSet<(T, T)>) -> Option<Vec<T>> {
    let mut left = before.clone();
    loop {
        let second: BTreeSet<_> = left.iter().map(|(_, second)| *second).collect();
        let edge_count = left.len();
        // A transaction without a predecessor is on no cycle.
        left.retain(|(first, _)| second.contains(first));
        if left.len() == edge_count {
            break;
        }
    }
    // Now every transaction has a predecessor, so going back leads to a place seen before.
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

impl<Item: fmt::Display, T: fmt::Display> fmt::Display for Anomaly<Item, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DirtyRead { reader, item, version } => write!(
                f,
                "transaction {reader} committed, but at {item} read what transaction {version} \
                 wrote, which never committed"
            ),
            Self::Unwritten { reader, item, version } => write!(
                f,
                "transaction {reader} committed, but at {item} read a version of transaction \
                 {version}, which had written none"
            ),
            Self::OwnWriteMissed { reader, item, version } => write!(
                f,
                "transaction {reader} committed, but at {item} read version {version} after a \
                 write of its own"
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
        let unwritten = |reader, version| Err(Anomaly::Unwritten { reader, item: 'x', version });
        assert_eq!(judged(&[(1, 'x', Some(u64::MAX))]), unwritten(1, u64::MAX));
        assert_eq!(judged(&[(1, 'x', Some(1)), (1, 'x', None)]), unwritten(1, 1));
        assert_eq!(judged(&[(2, 'x', Some(1)), (1, 'x', None)]), unwritten(2, 1));
    }

    #[test]
    fn a_writer_that_never_commits_leaves_its_reader_dirty() {
        let mut dirty = history(&[(1, 'x', None), (2, 'x', Some(1))]);
        dirty.commit(2);
        assert_eq!(dirty.judge(), Ok(()), "transaction 1 may yet commit");
        let anomaly = Anomaly::DirtyRead { reader: 2, item: 'x', version: 1 };
        assert_eq!(dirty.judge_all(), Err(anomaly));
        dirty.commit(1);
        assert_eq!(dirty.judge_all(), Ok(()));
    }

    #[test]
    fn each_write_counts_and_not_the_first_alone() {
        let between = [(1, 'x', None), (2, 'x', None), (1, 'x', None)];
        assert!(matches!(judged(&between), Err(Anomaly::Cycle(_))));
        assert_eq!(judged(&[(1, 'x', None), (1, 'x', None), (2, 'x', None)]), Ok(()));
    }

    #[test]
    fn who_reads_between_two_writes_of_another_is_on_a_cycle() {
        let between = [(1, 'x', None), (2, 'x', Some(1)), (1, 'x', None)];
        assert!(matches!(judged(&between), Err(Anomaly::Cycle(_))));
        assert_eq!(judged(&[(1, 'x', None), (1, 'x', None), (2, 'x', Some(1))]), Ok(()));
    }

    #[test]
    fn a_read_that_is_repeated_finds_the_same() {
        let changed = [(1, 'x', Some(INITIAL)), (2, 'x', None), (1, 'x', Some(2))];
        assert!(matches!(judged(&changed), Err(Anomaly::Cycle(_))));
        let twice = [(1, 'x', Some(INITIAL)), (1, 'x', Some(INITIAL)), (2, 'x', None)];
        assert_eq!(judged(&twice), Ok(()));
    }

    #[test]
    fn a_transaction_reads_its_own_write() {
        assert_eq!(judged(&[(1, 'x', None), (1, 'x', Some(1))]), Ok(()));
        let missed = Anomaly::OwnWriteMissed { reader: 1, item: 'x', version: INITIAL };
        assert_eq!(judged(&[(1, 'x', None), (1, 'x', Some(INITIAL))]), Err(missed));
    }

    /// Every history of four steps of two transactions on one item, against brute force: some
    /// serial order in which each read finds the last write before it, of all committed.
    #[test]
    fn small_histories_agree_with_all_serial_orders() {
        let steps: Vec<(Transaction, Option<Version>)> = [1, 2]
            .iter()
            .flat_map(|t| [None, Some(0), Some(1), Some(2)].map(|v| (*t, v)))
            .collect();
        let mut counts = [0, 0];
        for code in 0..steps.len().pow(4) {
            let chosen: Vec<_> =
                (0..4).map(|k| steps[code / steps.len().pow(k) % steps.len()]).collect();
            let serial = [[1, 2], [2, 1]].iter().any(|order| is_serial(&chosen, order));
            let named: Vec<_> = chosen.iter().map(|(t, read)| (*t, 'x', *read)).collect();
            assert_eq!(judged(&named).is_ok(), serial, "{chosen:?}");
            counts[usize::from(serial)] += 1;
        }
        assert!(counts[0] > 100 && counts[1] > 100, "{counts:?}");
    }

    /// Whether the steps, each transaction's in their order, make sense one transaction after the
    /// other: writes come in the same order, and every read finds the same write.
    fn is_serial(steps: &[(Transaction, Option<Version>)], order: &[Transaction]) -> bool {
        // Writes by their place among the steps; what each read found is the last of its writer.
        let found = |at: usize, version| {
            (0..at)
                .rev()
                .find(|k| steps[*k] == (version, None))
                .map_or((version == INITIAL).then_some(None), |k| Some(Some(k)))
        };
        let mut now = None;
        for transaction in order {
            for (at, (_, read)) in steps.iter().enumerate().filter(|(_, s)| s.0 == *transaction) {
                match read {
                    None if now > Some(at) => return false,
                    None => now = Some(at),
                    Some(version) if found(at, *version) == Some(now) => {}
                    Some(_) => return false,
                }
            }
        }
        true
    }

    #[test]
    fn aborted_transactions_do_not_count() {
        let mut history = history(&[(1, 'x', None), (2, 'x', Some(INITIAL)), (2, 'x', None)]);
        history.abort(1);
        history.commit(2);
        assert_eq!(history.judge(), Ok(()));
        assert_eq!(history.committed_count(), 1);
    }

    #[test]
    fn a_reader_comes_before_the_next_writer_that_commits_whoever_aborts_between() {
        let mut history = history(&[
            (1, 'x', Some(INITIAL)),
            (2, 'x', None),
            (3, 'x', None),
            (3, 'y', None),
            (1, 'y', Some(3)),
        ]);
        history.abort(2);
        history.commit(3);
        history.commit(1);
        assert!(matches!(history.judge(), Err(Anomaly::Cycle(_))));
    }

    #[test]
    fn committed_transactions_count_if_they_have_read_or_written() {
        let mut history = history(&[(1, 'x', None), (2, 'x', Some(1)), (3, 'x', None)]);
        for (transaction, count) in [(9, 0), (1, 1), (2, 2)] {
            history.commit(transaction);
            assert_eq!(history.committed_count(), count);
        }
    }

    #[test]
    fn an_anomaly_is_told_with_its_transactions() {
        let told = |steps: &[(Transaction, char, Option<Version>)]| {
            judged(steps).expect_err("an anomaly").to_string()
        };
        assert_eq!(
            told(&[(1, 'x', Some(7))]),
            "transaction 1 committed, but at x read a version of transaction 7, which had written \
             none"
        );
        assert_eq!(
            told(&[(1, 'x', None), (1, 'x', Some(INITIAL))]),
            "transaction 1 committed, but at x read version 0 after a write of its own"
        );
        assert_eq!(
            told(&[(1, 'x', None), (2, 'x', None), (2, 'y', None), (1, 'y', None)]),
            "transactions 2, 1 must each come before the next, and the last before the first"
        );
        let dirty = Anomaly::DirtyRead { reader: 2, item: 'x', version: 1 };
        assert_eq!(
            dirty.to_string(),
            "transaction 2 committed, but at x read what transaction 1 wrote, which never committed"
        );
    }
}
