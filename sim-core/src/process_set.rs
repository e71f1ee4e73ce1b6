//! Sets of processes, as bit sets, because protocols and properties compare them often.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::ProcessId;

/// A set of processes, iterated in the order of their ids.
///
/// Content cannot make it grow: ids from [`ProcessSet::ID_COUNT_MAX`] on are rejected.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessSet {
    /// Bit `p % 64` of word `p / 64`; the last word is never zero, so that equal sets have equal
    /// words.
    words: Vec<u64>,
}

impl ProcessSet {
    /// The bound on ids, more than the processes of any run.
    pub const ID_COUNT_MAX: u32 = 1 << 20;

    /// The empty set.
    pub const fn new() -> Self {
        Self { words: Vec::new() }
    }

    /// Adds `p`; false if it is already a member, or if no process can have this id.
    pub fn insert(&mut self, p: ProcessId) -> bool {
        if p.0 >= Self::ID_COUNT_MAX || self.contains(p) {
            return false;
        }
        let (word, bit) = place(p);
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= bit;
        true
    }

    /// Removes `p`; false if it is not a member.
    pub fn remove(&mut self, p: ProcessId) -> bool {
        if !self.contains(p) {
            return false;
        }
        let (word, bit) = place(p);
        self.words[word] &= !bit;
        while self.words.last() == Some(&0) {
            self.words.pop();
        }
        true
    }

    /// Whether `p` is a member.
    pub fn contains(&self, p: ProcessId) -> bool {
        let (word, bit) = place(p);
        self.words.get(word).is_some_and(|w| w & bit != 0)
    }

    /// The number of members.
    pub fn len(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// Whether there is no member.
    pub const fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether every member of `other` is one of this set.
    pub fn is_superset(&self, other: &Self) -> bool {
        let word = |i: usize| self.words.get(i).copied().unwrap_or(0);
        other.words.iter().enumerate().all(|(i, w)| w & !word(i) == 0)
    }

    /// The members in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = ProcessId> + '_ {
        (0u32..).zip(&self.words).flat_map(|(i, word)| {
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| ProcessId(64 * i + bit))
        })
    }
}

fn place(p: ProcessId) -> (usize, u64) {
    (p.index() / 64, 1 << (p.0 % 64))
}

impl FromIterator<ProcessId> for ProcessSet {
    fn from_iter<I: IntoIterator<Item = ProcessId>>(ids: I) -> Self {
        let mut set = Self::new();
        set.extend(ids);
        set
    }
}

impl Extend<ProcessId> for ProcessSet {
    fn extend<I: IntoIterator<Item = ProcessId>>(&mut self, ids: I) {
        for p in ids {
            self.insert(p);
        }
    }
}

impl fmt::Debug for ProcessSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ProcessSet {
    /// `{p0 p2}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.iter().map(|p| p.to_string()).collect();
        write!(f, "{{{}}}", names.join(" "))
    }
}

impl Serialize for ProcessSet {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for ProcessSet {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Vec::<ProcessId>::deserialize(d)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert_eq, proptest};
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_behaves_as_a_btree_set_does(
            ops in proptest::collection::vec((any::<bool>(), 0u32..200), 0..60),
        ) {
            let (mut set, mut model) = (ProcessSet::new(), BTreeSet::new());
            for (insert, p) in ops {
                let p = ProcessId(p);
                if insert {
                    prop_assert_eq!(set.insert(p), model.insert(p));
                } else {
                    prop_assert_eq!(set.remove(p), model.remove(&p));
                }
                prop_assert_eq!(set.len(), model.len());
                let (members, expected): (Vec<_>, Vec<_>) =
                    (set.iter().collect(), model.iter().copied().collect());
                prop_assert_eq!(members, expected);
                prop_assert_eq!(&set, &model.iter().copied().collect::<ProcessSet>());
            }
        }
    }

    #[test]
    fn it_does_not_grow_by_content() {
        let mut set = ProcessSet::new();
        assert!(!set.insert(ProcessId(u32::MAX)));
        assert!(set.is_empty());
    }

    fn set(ids: &[u32]) -> ProcessSet {
        ids.iter().copied().map(ProcessId).collect()
    }

    #[test]
    fn a_set_is_above_its_subsets_whatever_their_length() {
        let above = |these: &[u32], those: &[u32]| set(these).is_superset(&set(those));
        assert!(above(&[], &[]) && above(&[1, 70], &[1]) && above(&[1, 70], &[70, 1]));
        assert!(above(&[1, 70], &[]) && above(&[0, 1, 2], &[0, 2]));
        assert!(!above(&[1], &[1, 70]) && !above(&[1, 70], &[2]) && !above(&[], &[0]));
        assert!(!above(&[0, 2], &[0, 1, 2]) && !above(&[6], &[5]));
    }

    #[test]
    fn the_last_id_that_is_taken_is_below_the_bound() {
        let last = ProcessId(ProcessSet::ID_COUNT_MAX - 1);
        let mut members = ProcessSet::new();
        assert!(members.insert(last) && !members.insert(last));
        assert!(!members.insert(ProcessId(ProcessSet::ID_COUNT_MAX)));
        assert!(members.contains(last) && members.len() == 1);
        assert_eq!(members.iter().collect::<Vec<_>>(), [last]);
        assert_eq!(ProcessSet::ID_COUNT_MAX, 1_048_576);
    }

    #[test]
    fn it_is_written_as_its_members() {
        let members = set(&[2, 0, 64]);
        assert_eq!(members.to_string(), "{p0 p2 p64}");
        assert_eq!(format!("{members:?}"), "{p0 p2 p64}");
        let json = serde_json::to_string(&members).unwrap();
        assert_eq!(json, serde_json::to_string(&[0, 2, 64].map(ProcessId)).unwrap());
        assert_eq!(serde_json::from_str::<ProcessSet>(&json).unwrap(), members);
    }
}
