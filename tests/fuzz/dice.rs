//! The randomness of one input: a function of the seed and of the number of the input alone.

use ftsim_core::rng::Rng;

/// Draws for one input.
pub struct Dice(Rng);

impl Dice {
    /// The dice of the input with this number.
    pub fn new(seed: u64, number: u64) -> Self {
        Self(Rng::from_bits(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number))
    }

    /// A number in `0..n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0.below(n)
    }

    /// True once in `n`.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.0.below(n) == 0
    }

    /// All 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0.bits()
    }

    /// A position in `0..len`; 0 if there is none.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.0.below((len as u64).max(1))).expect("it is below a usize")
    }

    /// One of these, of which there is at least one.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.index(items.len())]
    }

    /// A range within `0..len`, often a short one.
    pub fn range(&mut self, len: usize) -> std::ops::Range<usize> {
        let start = self.index(len);
        let left = len - start;
        let longest = if self.one_in(4) { left } else { left.min(16) };
        start..start + self.index(longest + 1)
    }
}
