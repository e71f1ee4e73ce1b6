//! The configurations that led to dead ends.

use std::hash::{Hash, Hasher};

use ftsim_core::digest::Digest;

/// A set of configurations: a hash table with open addressing over flat arrays.
///
/// It only grows. Its contents do not depend on the hash function.
#[derive(Clone, Debug)]
pub(super) struct Failed<S> {
    /// The number of words of a configuration's operations.
    width: usize,
    /// Indices from 1, or 0 for an empty place; the length is a power of two.
    table: Vec<u32>,
    due: Vec<usize>,
    taken: Vec<u64>,
    states: Vec<S>,
}

impl<S: Clone + Eq + Hash> Failed<S> {
    /// The empty set of configurations whose operations are `width` words of bits.
    pub const fn new(width: usize) -> Self {
        Self { width, table: Vec::new(), due: Vec::new(), taken: Vec::new(), states: Vec::new() }
    }

    /// Adds a configuration, unless it is a member.
    pub fn insert(&mut self, due: usize, taken: &[u64], state: &S) {
        if (self.due.len() + 1) * 4 > self.table.len() * 3 {
            self.grow();
        }
        let place = self.place(due, taken, state);
        let next = u32::try_from(self.due.len() + 1).unwrap_or(0);
        if self.table[place] == 0 && next > 0 {
            self.table[place] = next;
            self.due.push(due);
            self.taken.extend_from_slice(taken);
            self.states.push(state.clone());
        }
    }

    /// Whether a configuration is a member.
    pub fn contains(&self, due: usize, taken: &[u64], state: &S) -> bool {
        !self.table.is_empty() && self.table[self.place(due, taken, state)] != 0
    }

    /// The memory that it uses, not counting allocations inside states.
    pub fn bytes(&self) -> u64 {
        let entry = size_of::<usize>() + self.width * size_of::<u64>() + size_of::<S>();
        (self.table.len() * size_of::<u32>() + self.due.len() * entry) as u64
    }

    /// The index in the table of a configuration, or the free index for it.
    fn place(&self, due: usize, taken: &[u64], state: &S) -> usize {
        let mut digest = Digest::EMPTY;
        (due, taken, state).hash(&mut digest);
        let mask = self.table.len() - 1;
        #[expect(clippy::cast_possible_truncation, reason = "the table is shorter than that")]
        let mut place = digest.finish() as usize & mask;
        while let Some(index) = (self.table[place] as usize).checked_sub(1) {
            let known = &self.taken[index * self.width..][..self.width];
            if self.due[index] == due && known == taken && self.states[index] == *state {
                break;
            }
            place = (place + 1) & mask;
        }
        place
    }

    fn grow(&mut self) {
        let length = (self.table.len() * 2).max(16);
        self.table.clear();
        self.table.resize(length, 0);
        for index in 0..self.due.len() {
            let taken = &self.taken[index * self.width..][..self.width];
            let place = self.place(self.due[index], taken, &self.states[index]);
            self.table[place] = u32::try_from(index + 1).unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A set of configurations with two words of operations each.
    type Set = Failed<u64>;

    #[test]
    fn it_holds_what_was_added_and_nothing_else() {
        let mut set = Set::new(2);
        assert!(!set.contains(0, &[0, 0], &0));
        let numbers = || (0..).zip(0..1_000).map(|(due, k)| (due % 7, [k % 11, k % 13], k));
        for (due, taken, state) in numbers() {
            assert!(!set.contains(due, &taken, &state));
            set.insert(due, &taken, &state);
            assert!(set.contains(due, &taken, &state));
        }
        for (due, taken, state) in numbers() {
            let [first, second] = taken;
            assert!(set.contains(due, &taken, &state));
            assert!(!set.contains(due + 7, &taken, &state));
            assert!(!set.contains(due, &[first + 11, second], &state));
            assert!(!set.contains(due, &[first, second + 13], &state));
            assert!(!set.contains(due, &taken, &(state + 1_000)));
        }
    }

    #[test]
    fn it_costs_its_entries_and_a_table_of_which_a_quarter_is_free() {
        let mut set = Set::new(2);
        assert_eq!(set.bytes(), 0);
        let entry = (size_of::<usize>() + 3 * size_of::<u64>()) as u64;
        let mut table = 16;
        for count in 1..=200 {
            set.insert(0, &[0, count], &7);
            if count > table * 3 / 4 {
                table *= 2;
            }
            assert_eq!(set.bytes(), table * 4 + count * entry, "{count} entries");
        }
        // What is a member already costs nothing.
        (1..=200).for_each(|count| set.insert(0, &[0, count], &7));
        assert_eq!(set.bytes(), table * 4 + 200 * entry);
    }
}
