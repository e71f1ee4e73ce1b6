//! The configurations from which a search has found no way on.

use std::hash::{Hash, Hasher};

use ftsim_core::digest::Digest;

/// A set of configurations: a hash table with open addressing over flat arrays, a few words each.
///
/// It only grows. What is in it does not depend on the hash.
#[derive(Clone, Debug)]
pub(super) struct Failed<S> {
    /// Words of a configuration's operations.
    width: usize,
    /// Indices from 1, 0 where there is none; the length is a power of two.
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

    /// Adds a configuration, if it is not there yet.
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

    /// Whether a configuration was added.
    pub fn contains(&self, due: usize, taken: &[u64], state: &S) -> bool {
        !self.table.is_empty() && self.table[self.place(due, taken, state)] != 0
    }

    /// The memory that it takes, as if each entry took no more than its own size.
    pub fn bytes(&self) -> u64 {
        let entry = size_of::<usize>() + self.width * size_of::<u64>() + size_of::<S>();
        (self.table.len() * size_of::<u32>() + self.due.len() * entry) as u64
    }

    /// The place in the table where a configuration is, or would be.
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
