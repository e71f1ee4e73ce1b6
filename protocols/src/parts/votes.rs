//! Votes: the value for which most processes vote.
//!
//! Source: the *majority* of Lamport, Shostak and Pease (1982), section 3, and the counts of Berman
//! and Garay (1989). A process has one vote: its first counts, so that a liar does not gain by
//! repeating itself.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use ftsim_core::ProcessId;

/// The votes of distinct processes for values.
#[derive(Clone, Debug, Default, Hash)]
pub struct Votes<V> {
    by: BTreeMap<ProcessId, V>,
}

impl<V: Copy + Ord> Votes<V> {
    /// Counts the vote of `p`, unless `p` has voted before.
    pub fn cast(&mut self, p: ProcessId, value: V) {
        self.by.entry(p).or_insert(value);
    }

    /// The vote of `p`.
    pub fn of(&self, p: ProcessId) -> Option<V> {
        self.by.get(&p).copied()
    }

    /// The number of votes.
    pub fn count(&self) -> usize {
        self.by.len()
    }

    /// The number of votes for this value.
    pub fn number_for(&self, value: V) -> usize {
        self.by.values().filter(|other| **other == value).count()
    }

    /// The number of votes for each value.
    fn counts(&self) -> BTreeMap<V, u32> {
        let mut counts = BTreeMap::new();
        for value in self.by.values() {
            *counts.entry(*value).or_default() += 1;
        }
        counts
    }

    /// The values with more votes than this, in their order.
    pub fn above(&self, votes: u32) -> impl Iterator<Item = V> + use<V> {
        let counts = self.counts().into_iter();
        counts.filter(move |(_, count)| *count > votes).map(|(value, _)| value)
    }

    /// The value with the most votes, and their number; the least of several such values.
    pub fn most_frequent(&self) -> Option<(V, u32)> {
        self.counts().into_iter().max_by_key(|(value, count)| (*count, Reverse(*value)))
    }

    /// The value of more than half of the votes.
    pub fn majority(&self) -> Option<V> {
        let (value, count) = self.most_frequent()?;
        (2 * count as usize > self.by.len()).then_some(value)
    }
}

impl<V: Copy + Ord> Votes<Option<V>> {
    /// Of the votes for some value: the value with the most, and their number; the least of several
    /// such values.
    pub fn most_frequent_of_some(&self) -> Option<(V, u32)> {
        let some = self.by.iter().filter_map(|(p, value)| Some((*p, (*value)?)));
        Votes { by: some.collect() }.most_frequent()
    }
}
