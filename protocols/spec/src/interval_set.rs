//! Sets of mostly consecutive numbers: sequence numbers, rounds.

/// A set of numbers, stored as disjoint intervals.
///
/// Space, and the time of each operation, grow with the number of intervals and not of members, so
/// consecutive numbers cost the same however many there are. Each isolated number is an interval.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct IntervalSet {
    /// In ascending order, with at least one number missing between two of them.
    intervals: Vec<Interval>,
}

/// The numbers from `first` to `last`, inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Interval {
    first: u64,
    last: u64,
}

impl IntervalSet {
    /// Adds `n`; returns false if it is a member already.
    #[inline]
    pub fn insert(&mut self, n: u64) -> bool {
        let is_new = !self.contains(n);
        if is_new {
            self.add(Interval { first: n, last: n });
        }
        is_new
    }

    /// Removes `n`; returns false if it is not a member.
    pub fn remove(&mut self, n: u64) -> bool {
        let index = self.index(n);
        let Some(&Interval { first, last }) = self.intervals.get(index).filter(|i| i.first <= n)
        else {
            return false;
        };
        let below = (first < n).then(|| Interval { first, last: n - 1 });
        let above = (n < last).then(|| Interval { first: n + 1, last });
        self.intervals.splice(index..=index, below.into_iter().chain(above));
        true
    }

    /// Whether `n` is a member.
    #[inline]
    pub fn contains(&self, n: u64) -> bool {
        self.intervals.get(self.index(n)).is_some_and(|interval| interval.first <= n)
    }

    /// Adds all members of `other`.
    pub fn extend(&mut self, other: &Self) {
        other.intervals.iter().for_each(|interval| self.add(*interval));
    }

    /// The smallest member that `other` lacks.
    pub fn first_not_in(&self, other: &Self) -> Option<u64> {
        self.intervals.iter().find_map(|interval| {
            let covering = other.intervals.get(other.index(interval.first));
            match covering.filter(|c| c.first <= interval.first) {
                None => Some(interval.first),
                Some(covering) => (covering.last < interval.last).then(|| covering.last + 1),
            }
        })
    }

    /// Whether there is no member.
    pub const fn is_empty(&self) -> bool {
        self.intervals.is_empty()
    }

    /// The number of members, at most `u64::MAX`.
    pub fn len(&self) -> u64 {
        let lengths = self.intervals.iter().map(|i| (i.last - i.first).saturating_add(1));
        lengths.fold(0, u64::saturating_add)
    }

    /// The smallest member.
    pub fn first(&self) -> Option<u64> {
        self.intervals.first().map(|interval| interval.first)
    }

    /// The number of members not greater than `n`.
    pub fn count_up_to(&self, n: u64) -> u64 {
        let below = self.intervals.iter().take_while(|i| i.first <= n);
        below.fold(0, |count, i| count.saturating_add((i.last.min(n) - i.first).saturating_add(1)))
    }

    /// The index of the first interval that is not entirely below `n`.
    #[inline]
    fn index(&self, n: u64) -> usize {
        self.intervals.partition_point(|interval| interval.last < n)
    }

    /// Adds an interval, and merges it with those that it touches.
    fn add(&mut self, Interval { first, last }: Interval) {
        let from = self.index(first.saturating_sub(1));
        let until = self.intervals.partition_point(|i| i.first <= last.saturating_add(1));
        if from == until {
            return self.intervals.insert(from, Interval { first, last });
        }
        let joined_last = self.intervals[until - 1].last.max(last);
        let joined = &mut self.intervals[from];
        *joined = Interval { first: joined.first.min(first), last: joined_last };
        self.intervals.drain(from + 1..until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
    use std::collections::BTreeSet;

    /// Numbers that meet often, at both ends of what a number can be.
    fn number() -> impl Strategy<Value = u64> {
        prop_oneof![0u64..24, (0u64..8).prop_map(|n| u64::MAX - n)]
    }

    fn set(members: &BTreeSet<u64>) -> IntervalSet {
        let mut set = IntervalSet::default();
        members.iter().for_each(|n| _ = set.insert(*n));
        set
    }

    proptest! {
        #[test]
        fn it_behaves_as_a_btree_set_does(
            ops in proptest::collection::vec((any::<bool>(), number()), 0..80),
        ) {
            let (mut set, mut model) = (IntervalSet::default(), BTreeSet::new());
            for (insert, n) in ops {
                if insert {
                    prop_assert_eq!(set.insert(n), model.insert(n));
                } else {
                    prop_assert_eq!(set.remove(n), model.remove(&n));
                }
                prop_assert_eq!(set.len(), model.len() as u64);
                prop_assert_eq!(set.is_empty(), model.is_empty());
                prop_assert_eq!(set.first(), model.first().copied());
                prop_assert_eq!(set.count_up_to(n), model.range(..=n).count() as u64);
                let gaps = set.intervals.windows(2);
                prop_assert!(gaps.map(|w| w[1].first - w[0].last).all(|gap| gap > 1));
            }
            for n in (0..26).chain(u64::MAX - 9..=u64::MAX) {
                prop_assert_eq!(set.contains(n), model.contains(&n));
            }
        }

        #[test]
        fn two_sets_relate_as_btree_sets_do(
            left in proptest::collection::btree_set(number(), 0..20),
            right in proptest::collection::btree_set(number(), 0..20),
        ) {
            let mut union = set(&left);
            union.extend(&set(&right));
            prop_assert_eq!(union, set(&(&left | &right)));
            let missing = set(&left).first_not_in(&set(&right));
            prop_assert_eq!(missing, left.difference(&right).next().copied());
        }
    }

    #[test]
    fn counting_up_keeps_it_small() {
        let mut set = IntervalSet::default();
        (0..100_000).for_each(|n| assert!(set.insert(n)));
        assert_eq!((set.intervals.len(), set.len()), (1, 100_000));
    }

    #[test]
    fn all_numbers_are_one_interval() {
        let mut set = IntervalSet::default();
        set.add(Interval { first: 0, last: u64::MAX });
        assert!(!set.insert(7) && set.remove(7));
        assert_eq!((set.len(), set.first_not_in(&IntervalSet::default())), (u64::MAX, Some(0)));
    }
}
