//! The rolling digest of a run: runs with equal digests behaved identically.

use std::fmt;
use std::hash::Hasher;

/// A 64-bit rolling hash over our own fixed encoding of [`std::hash::Hash`].
///
/// Not cryptographic: it distinguishes runs that differ by accident. Every step adds a constant
/// before the multiplication, so that zeros are not absorbed; a last word that is not full contains
/// the number of its bytes. `usize` and `isize` count as 64 bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest(u64);

/// An odd constant with well-spread bits (2^64 divided by the golden ratio).
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
/// Added in each step (the fractional part of the square root of 3).
const INCREMENT: u64 = 0xbb67_ae85_84ca_a73b;

impl Digest {
    /// The initial digest.
    pub const EMPTY: Self = Self(0x6a09_e667_f3bc_c908);

    /// Mixes in one word.
    #[inline]
    pub const fn mix(&mut self, word: u64) {
        let x = (self.0 ^ word).wrapping_add(INCREMENT).wrapping_mul(MULTIPLIER);
        self.0 = x ^ (x >> 32);
    }

    /// The value so far.
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Hasher for Digest {
    fn finish(&self) -> u64 {
        self.0
    }
    #[expect(clippy::cast_possible_truncation, reason = "fewer than eight bytes are left")]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            // The highest byte is free: with the length in it, trailing zeros are not absorbed.
            let mut word = [0, 0, 0, 0, 0, 0, 0, rest.len() as u8];
            word[..rest.len()].copy_from_slice(rest);
            self.mix(u64::from_le_bytes(word));
        }
    }
    #[inline]
    fn write_u8(&mut self, n: u8) {
        self.mix(n.into());
    }
    #[inline]
    fn write_u16(&mut self, n: u16) {
        self.mix(n.into());
    }
    #[inline]
    fn write_u32(&mut self, n: u32) {
        self.mix(n.into());
    }
    #[inline]
    fn write_u64(&mut self, n: u64) {
        self.mix(n);
    }
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
    fn write_u128(&mut self, n: u128) {
        self.mix(n as u64);
        self.mix((n >> 64) as u64);
    }
    #[inline]
    fn write_usize(&mut self, n: usize) {
        self.mix(n as u64);
    }
    #[inline]
    fn write_i8(&mut self, n: i8) {
        self.mix(i64::from(n).cast_unsigned());
    }
    #[inline]
    fn write_i16(&mut self, n: i16) {
        self.mix(i64::from(n).cast_unsigned());
    }
    #[inline]
    fn write_i32(&mut self, n: i32) {
        self.mix(i64::from(n).cast_unsigned());
    }
    #[inline]
    fn write_i64(&mut self, n: i64) {
        self.mix(n.cast_unsigned());
    }
    #[inline]
    fn write_isize(&mut self, n: isize) {
        self.mix((n as i64).cast_unsigned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::hash::Hash;

    #[test]
    fn runs_of_zeros_of_different_length_differ() {
        let digests: BTreeSet<u64> = (0..2_000)
            .map(|n| {
                let mut digest = Digest::EMPTY;
                (0..n).for_each(|_| digest.mix(0));
                digest.value()
            })
            .collect();
        assert_eq!(digests.len(), 2_000);
    }

    #[test]
    fn the_encoding_is_fixed() {
        let mut digest = Digest::EMPTY;
        (1u8, -2i32, 3usize, "abc", [4u64, 5], Some(6u16)).hash(&mut digest);
        assert_eq!(digest.to_string(), "95ec897b189d8717");
    }

    /// The digest of these words.
    fn of(words: &[u64]) -> u64 {
        let mut digest = Digest::EMPTY;
        words.iter().for_each(|word| digest.mix(*word));
        digest.value()
    }

    /// The digest of a value.
    fn hashed(value: impl Hash) -> u64 {
        let mut digest = Digest::default();
        value.hash(&mut digest);
        digest.finish()
    }

    #[test]
    fn every_number_is_one_word_and_negative_ones_are_those_of_64_bits() {
        assert_eq!(hashed(7u8), of(&[7]));
        assert_eq!(hashed(700u16), of(&[700]));
        assert_eq!(hashed(70_000u32), of(&[70_000]));
        assert_eq!(hashed(u64::MAX - 1), of(&[u64::MAX - 1]));
        assert_eq!(hashed(7usize), of(&[7]));
        assert_eq!(hashed(5 << 64 | 3u128), of(&[3, 5]));
        let minus_two = of(&[u64::MAX - 1]);
        assert_eq!([hashed(-2i8), hashed(-2i16), hashed(-2i32)], [minus_two; 3]);
        assert_eq!([hashed(-2i64), hashed(-2isize)], [minus_two; 2]);
    }

    #[test]
    fn bytes_are_words_and_what_is_left_is_one_more() {
        let written = |bytes: &[u8]| {
            let mut digest = Digest::EMPTY;
            digest.write(bytes);
            digest.value()
        };
        assert_eq!(written(&[]), of(&[]));
        assert_eq!(written(&[1, 0, 0, 0, 0, 0, 0, 0]), of(&[1]));
        assert_eq!(written(&[1, 0, 0, 0, 0, 0, 0, 0, 2, 1]), of(&[1, 2 << 56 | 258]));
    }

    #[test]
    fn texts_that_differ_in_zeros_at_their_end_differ() {
        let text = "a\0\0\0\0\0\0\0\0\0";
        let digests: BTreeSet<u64> = (0..=text.len()).map(|end| hashed(&text[..end])).collect();
        assert_eq!(digests.len(), text.len() + 1);
    }

    #[test]
    fn a_digest_shows_all_of_its_digits() {
        assert_eq!(Digest(0xab).to_string(), "00000000000000ab");
        assert_eq!(format!("{:?}", Digest(0xab)), "00000000000000ab");
        let mut digest = Digest::EMPTY;
        digest.mix(1);
        assert_eq!(digest.to_string(), MIXED_1);
    }
    const MIXED_1: &str = "26708ad88b55af4c";
}
