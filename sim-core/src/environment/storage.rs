//! The stable log of a process: records, and the effect of crashes on them.

use std::fmt;

use crate::model::data::Stored;
use crate::rng::Rng;

/// The records that remain after a crash, of those that were not synced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnCrash {
    /// None.
    #[default]
    LoseUnsynced,
    /// All of them.
    KeepAll,
    /// A prefix, whose length is drawn from the seed.
    KeepPrefix,
    /// Some of them, in order.
    KeepSubset,
    /// A prefix, followed by the next record, torn.
    TornLast,
    /// None, not even the synced ones: amnesia.
    LoseAll,
}

/// Damage to a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DiskFault {
    /// A durable record, drawn from the seed, becomes corrupt, as its checksum shows.
    CorruptRecord,
    /// The whole log is lost.
    LoseDisk,
    /// An old snapshot is restored: this many of the newest durable records are lost.
    Rollback(u32),
}

impl fmt::Display for OnCrash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LoseUnsynced => "loses what was not synced",
            Self::KeepAll => "keeps all",
            Self::KeepPrefix => "keeps the first of what was not synced",
            Self::KeepSubset => "keeps some of what was not synced",
            Self::TornLast => "tears a record that was not synced",
            Self::LoseAll => "loses all",
        })
    }
}

impl fmt::Display for DiskFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CorruptRecord => f.write_str("a record is corrupt"),
            Self::LoseDisk => f.write_str("all records are gone"),
            Self::Rollback(count) => write!(f, "the newest {count} records are gone"),
        }
    }
}

/// An append-only log with a volatile tail.
///
/// `append` and `rewrite` are volatile until `sync`; a crash can lose unsynced data.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Log<R> {
    durable: Vec<Stored<R>>,
    /// Boxed, so that the log of a process that stores nothing takes little memory.
    unsynced: Option<Box<Unsynced<R>>>,
}

/// What a process has written and not synced.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Unsynced<R> {
    /// The base that replaces `durable` at the next sync.
    rewritten: Option<Vec<R>>,
    tail: Vec<R>,
}

impl<R> Default for Log<R> {
    fn default() -> Self {
        Self { durable: Vec::new(), unsynced: None }
    }
}

impl<R> Default for Unsynced<R> {
    fn default() -> Self {
        Self { rewritten: None, tail: Vec::new() }
    }
}

impl<R> Log<R> {
    /// Appends a record to the volatile tail.
    pub fn append(&mut self, record: R) {
        self.unsynced.get_or_insert_default().tail.push(record);
    }

    /// Replaces the whole log, including the volatile tail, at the next sync.
    pub fn rewrite(&mut self, records: Vec<R>) {
        let unsynced = self.unsynced.get_or_insert_default();
        unsynced.rewritten = Some(records);
        unsynced.tail.clear();
    }

    /// Makes the whole log durable.
    pub fn sync(&mut self) {
        let Some(unsynced) = &mut self.unsynced else { return };
        if let Some(records) = unsynced.rewritten.take() {
            self.durable.clear();
            self.durable.extend(records.into_iter().map(Stored::Intact));
        }
        self.durable.extend(unsynced.tail.drain(..).map(Stored::Intact));
    }

    /// Applies a crash.
    pub fn crash(&mut self, policy: OnCrash, rng: &mut Rng) {
        match policy {
            OnCrash::LoseUnsynced => self.lose_unsynced(),
            OnCrash::KeepAll => self.sync(),
            OnCrash::LoseAll => self.clear(),
            OnCrash::KeepPrefix => {
                self.keep_prefix(rng);
            }
            OnCrash::KeepSubset => {
                let Some(unsynced) = &mut self.unsynced else { return };
                // A rewrite is one piece; without it, its tail has nothing to follow.
                if unsynced.rewritten.is_some() && rng.below(2) == 0 {
                    return self.lose_unsynced();
                }
                unsynced.tail.retain(|_| rng.below(2) == 0);
                self.sync();
            }
            OnCrash::TornLast => {
                if self.keep_prefix(rng) {
                    self.durable.push(Stored::Torn);
                }
            }
        }
    }

    /// Keeps a random number of unsynced items; returns whether the next one was a record, not a
    /// rewrite.
    fn keep_prefix(&mut self, rng: &mut Rng) -> bool {
        let unsynced = self.unsynced.get_or_insert_default();
        let rewrites = usize::from(unsynced.rewritten.is_some());
        let pieces = rewrites + unsynced.tail.len();
        let kept = usize::try_from(rng.between(0, pieces as u64)).unwrap_or(pieces);
        if kept < rewrites {
            self.lose_unsynced();
            return false;
        }
        let records = kept - rewrites;
        let next = unsynced.tail.len() > records;
        unsynced.tail.truncate(records);
        self.sync();
        next
    }

    /// Damages durable data. The running process does not notice; its next life does.
    pub fn damage(&mut self, fault: DiskFault, rng: &mut Rng) {
        match fault {
            DiskFault::CorruptRecord if self.durable.is_empty() => {}
            DiskFault::CorruptRecord => {
                let index = rng.below(self.durable.len() as u64);
                if let Some(record) =
                    usize::try_from(index).ok().and_then(|i| self.durable.get_mut(i))
                {
                    *record = Stored::Corrupt;
                }
            }
            DiskFault::LoseDisk => self.durable.clear(),
            DiskFault::Rollback(count) => {
                self.durable.truncate(self.durable.len().saturating_sub(count as usize));
            }
        }
    }

    fn lose_unsynced(&mut self) {
        self.unsynced = None;
    }

    /// All records, durable or not.
    pub fn records(&self) -> impl Iterator<Item = &R> {
        let durable = self.durable.iter().filter_map(Stored::intact);
        let unsynced = self.unsynced.iter();
        durable.chain(unsynced.flat_map(|u| u.rewritten.iter().flatten().chain(&u.tail)))
    }

    /// The records that a recovering process finds.
    pub fn durable(&self) -> &[Stored<R>] {
        &self.durable
    }

    /// Restores the state of a process that never ran.
    pub fn clear(&mut self) {
        self.durable.clear();
        self.lose_unsynced();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};
    use std::collections::BTreeSet;

    #[derive(Clone, Debug)]
    enum Op {
        Append(u8),
        Rewrite(Vec<u8>),
        Sync,
        Crash,
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            4 => any::<u8>().prop_map(Op::Append),
            1 => proptest::collection::vec(any::<u8>(), 0..4).prop_map(Op::Rewrite),
            2 => Just(Op::Sync),
            1 => Just(Op::Crash),
        ]
    }

    proptest! {
        /// The model consists of two whole copies: what the process wrote, and what it last synced.
        #[test]
        fn a_crash_leaves_exactly_what_was_synced(ops in proptest::collection::vec(op(), 0..60)) {
            let mut log = Log::default();
            let mut rng = Rng::new(1, crate::rng::Stream::Storage);
            let (mut written, mut synced) = (Vec::new(), Vec::new());
            for op in ops {
                match op {
                    Op::Append(r) => {
                        log.append(r);
                        written.push(r);
                    }
                    Op::Rewrite(rs) => {
                        log.rewrite(rs.clone());
                        written = rs;
                    }
                    Op::Sync => {
                        log.sync();
                        synced.clone_from(&written);
                    }
                    Op::Crash => {
                        log.crash(OnCrash::LoseUnsynced, &mut rng);
                        written.clone_from(&synced);
                    }
                }
                let found: Vec<u8> = log.durable().iter().map(|r| *r.intact().unwrap()).collect();
                prop_assert_eq!(&found, &synced);
            }
        }
    }

    /// The records that a recovering process finds.
    fn shown(log: &Log<i32>) -> String {
        let show = |r: &Stored<i32>| r.intact().map_or("torn".into(), ToString::to_string);
        log.durable().iter().map(show).collect::<Vec<_>>().join(" ")
    }

    /// A log with records 1 and 2 synced and 3, 4 and 5 unsynced, after a crash; over many draws.
    fn leftovers(policy: OnCrash) -> BTreeSet<String> {
        let mut rng = Rng::new(1, crate::rng::Stream::Storage);
        let crash = |_| {
            let mut log = Log::default();
            [1, 2].into_iter().for_each(|r| log.append(r));
            log.sync();
            [3, 4, 5].into_iter().for_each(|r| log.append(r));
            log.crash(policy, &mut rng);
            shown(&log)
        };
        (0..200).map(crash).collect()
    }

    #[test]
    fn each_policy_leaves_what_it_says_and_every_such_rest() {
        let rests = |policy| leftovers(policy).into_iter().collect::<Vec<_>>();
        assert_eq!(rests(OnCrash::LoseUnsynced), ["1 2"]);
        assert_eq!(rests(OnCrash::KeepAll), ["1 2 3 4 5"]);
        assert_eq!(rests(OnCrash::LoseAll), [""]);
        assert_eq!(rests(OnCrash::KeepPrefix), ["1 2", "1 2 3", "1 2 3 4", "1 2 3 4 5"]);
        let torn = ["1 2 3 4 5", "1 2 3 4 torn", "1 2 3 torn", "1 2 torn"];
        assert_eq!(rests(OnCrash::TornLast), torn);
        assert_eq!(leftovers(OnCrash::KeepSubset).len(), 8);
    }

    /// A log with records 1 and 2 synced, then an unsynced rewrite of 8 and 9 and unsynced records
    /// 3 and 4, after a crash; over many draws.
    fn leftovers_of_a_rewrite(policy: OnCrash) -> Vec<String> {
        let mut rng = Rng::new(1, crate::rng::Stream::Storage);
        let crash = |_| {
            let mut log = Log::default();
            [1, 2].into_iter().for_each(|r| log.append(r));
            log.sync();
            log.rewrite(vec![8, 9]);
            [3, 4].into_iter().for_each(|r| log.append(r));
            log.crash(policy, &mut rng);
            let left = shown(&log);
            log.sync();
            assert_eq!(shown(&log), left, "a crash leaves nothing that a later sync could keep");
            left
        };
        (0..200).map(crash).collect::<BTreeSet<_>>().into_iter().collect()
    }

    #[test]
    fn a_rewrite_is_one_piece_and_what_follows_it_is_kept_only_with_it() {
        let rests = leftovers_of_a_rewrite;
        assert_eq!(rests(OnCrash::LoseUnsynced), ["1 2"]);
        assert_eq!(rests(OnCrash::KeepAll), ["8 9 3 4"]);
        assert_eq!(rests(OnCrash::LoseAll), [""]);
        assert_eq!(rests(OnCrash::KeepPrefix), ["1 2", "8 9", "8 9 3", "8 9 3 4"]);
        assert_eq!(rests(OnCrash::KeepSubset), ["1 2", "8 9", "8 9 3", "8 9 3 4", "8 9 4"]);
        assert_eq!(rests(OnCrash::TornLast), ["1 2", "8 9 3 4", "8 9 3 torn", "8 9 torn"]);
    }

    /// The meaning of a seed must not change: a record is kept if the draw for it is 0.
    #[test]
    fn what_is_kept_is_what_the_seed_says() {
        let mut rng = Rng::new(7, crate::rng::Stream::Storage);
        for _ in 0..100 {
            let mut draws = rng.clone();
            let left = |policy, rng: &mut Rng| {
                let mut log = Log::default();
                log.rewrite(vec![8]);
                [1, 2, 3].into_iter().for_each(|r| log.append(r));
                log.crash(policy, rng);
                shown(&log)
            };
            let pieces = ["8", "1", "2", "3"];
            let kept = usize::try_from(draws.between(0, 4)).unwrap();
            assert_eq!(left(OnCrash::KeepPrefix, &mut rng), pieces[..kept].join(" "));
            let subset = left(OnCrash::KeepSubset, &mut rng);
            if draws.below(2) == 0 {
                assert_eq!(subset, "");
            } else {
                let tail = pieces[1..].iter().filter(|_| draws.below(2) == 0);
                let kept: Vec<&str> = pieces[..1].iter().chain(tail).copied().collect();
                assert_eq!(subset, kept.join(" "));
            }
        }
    }

    #[test]
    fn a_cleared_log_is_that_of_a_process_that_never_ran() {
        let mut log = Log::default();
        log.append(1);
        log.sync();
        log.rewrite(vec![2]);
        log.append(3);
        log.clear();
        log.sync();
        assert_eq!(log, Log::default());
    }

    #[test]
    fn damage_hits_any_record_and_spares_an_empty_log() {
        let mut rng = Rng::new(1, crate::rng::Stream::Storage);
        let hit = |_| {
            let mut log = Log::default();
            [1, 2, 3].into_iter().for_each(|r| log.append(r));
            log.sync();
            log.damage(DiskFault::CorruptRecord, &mut rng);
            log.durable().iter().position(|record| *record == Stored::Corrupt)
        };
        let hits: BTreeSet<_> = (0..100).map(hit).collect();
        assert_eq!(hits, BTreeSet::from([Some(0), Some(1), Some(2)]));
        let mut empty = Log::<u8>::default();
        for fault in [DiskFault::CorruptRecord, DiskFault::LoseDisk, DiskFault::Rollback(1)] {
            empty.damage(fault, &mut rng);
            assert_eq!(empty.durable(), []);
        }
    }

    #[test]
    fn policies_and_damage_say_what_they_do() {
        let policies = [
            (OnCrash::LoseUnsynced, "loses what was not synced"),
            (OnCrash::KeepAll, "keeps all"),
            (OnCrash::KeepPrefix, "keeps the first of what was not synced"),
            (OnCrash::KeepSubset, "keeps some of what was not synced"),
            (OnCrash::TornLast, "tears a record that was not synced"),
            (OnCrash::LoseAll, "loses all"),
        ];
        for (policy, text) in policies {
            assert_eq!(policy.to_string(), text);
        }
        assert_eq!(DiskFault::CorruptRecord.to_string(), "a record is corrupt");
        assert_eq!(DiskFault::LoseDisk.to_string(), "all records are gone");
        assert_eq!(DiskFault::Rollback(3).to_string(), "the newest 3 records are gone");
    }

    #[test]
    fn damage_hits_what_is_durable() {
        let mut rng = Rng::new(1, crate::rng::Stream::Storage);
        let mut damaged = |fault| {
            let mut log = Log::default();
            [1, 2, 3].into_iter().for_each(|r| log.append(r));
            log.sync();
            log.damage(fault, &mut rng);
            log.durable().to_vec()
        };
        let corrupt = damaged(DiskFault::CorruptRecord);
        assert_eq!(corrupt.iter().filter(|r| **r == Stored::Corrupt).count(), 1);
        assert_eq!(damaged(DiskFault::LoseDisk), []);
        assert_eq!(damaged(DiskFault::Rollback(2)), [Stored::Intact(1)]);
        assert_eq!(damaged(DiskFault::Rollback(9)), []);
    }
}
