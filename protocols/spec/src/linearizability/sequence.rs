//! Sequences that only grow at their end, of which many copies are cheap.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use ftsim_core::digest::Digest;

use super::value::Value;

/// A sequence of values. A copy shares its elements: searches hold one for each configuration.
#[derive(Clone, Debug, Default)]
pub struct Sequence {
    last: Option<Arc<Element>>,
}

#[derive(Debug)]
struct Element {
    before: Option<Arc<Element>>,
    value: Value,
    length: usize,
    digest: u64,
}

/// The base of the digests of sequences, which are polynomials modulo 2^64.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;

impl Sequence {
    /// The sequence with one more value.
    #[must_use]
    pub fn with(&self, value: Value) -> Self {
        let mut digest = Digest::EMPTY;
        value.hash(&mut digest);
        let digest = self.digest().wrapping_mul(BASE).wrapping_add(digest.finish() | 1);
        let length = self.len() + 1;
        Self { last: Some(Arc::new(Element { before: self.last.clone(), value, length, digest })) }
    }

    /// How many values it holds.
    pub fn len(&self) -> usize {
        self.last.as_ref().map_or(0, |last| last.length)
    }

    /// Whether it holds none.
    pub const fn is_empty(&self) -> bool {
        self.last.is_none()
    }

    /// Its values, the last first.
    pub fn backwards(&self) -> impl Iterator<Item = &Value> {
        self.elements().map(|element| &element.value)
    }

    /// Its values.
    pub fn values(&self) -> Vec<Value> {
        let mut values: Vec<_> = self.backwards().cloned().collect();
        values.reverse();
        values
    }

    fn elements(&self) -> impl Iterator<Item = &Element> {
        let last = self.last.as_deref();
        std::iter::successors(last, |element| element.before.as_deref())
    }

    fn digest(&self) -> u64 {
        self.last.as_ref().map_or(0, |last| last.digest)
    }

    /// Whether the last `length` values of both are equal.
    fn ends_alike(&self, other: &Self, length: usize) -> bool {
        for (one, two) in self.elements().zip(other.elements()).take(length) {
            if std::ptr::eq(one, two) {
                return true;
            }
            if one.value != two.value {
                return false;
            }
        }
        true
    }
}

impl FromIterator<Value> for Sequence {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        values.into_iter().fold(Self::default(), |sequence, value| sequence.with(value))
    }
}

impl PartialEq for Sequence {
    fn eq(&self, other: &Self) -> bool {
        let alike = self.len() == other.len() && self.digest() == other.digest();
        alike && self.ends_alike(other, self.len())
    }
}

impl Eq for Sequence {}

impl Hash for Sequence {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest().hash(state);
    }
}

impl Drop for Element {
    /// One after another: a long sequence would exhaust the stack.
    fn drop(&mut self) {
        let mut before = self.before.take();
        while let Some(mut element) = before.and_then(Arc::into_inner) {
            before = element.before.take();
        }
    }
}

/// A queue: the end of a sequence.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    all: Sequence,
    length: usize,
    /// The digest of what is no longer waiting.
    gone: u64,
}

impl Waiting {
    /// The queue with one more value behind all others.
    #[must_use]
    pub fn with(&self, value: Value) -> Self {
        Self { all: self.all.with(value), length: self.length + 1, gone: self.gone }
    }

    /// The first value, and the queue without it.
    pub fn split_first(&self) -> Option<(Value, Self)> {
        let first = self.all.elements().nth(self.length.checked_sub(1)?)?;
        let rest = match self.length {
            1 => Self::default(),
            length => Self { all: self.all.clone(), length: length - 1, gone: first.digest },
        };
        Some((first.value.clone(), rest))
    }

    fn digest(&self) -> u64 {
        let power = BASE.wrapping_pow(u32::try_from(self.length).unwrap_or(u32::MAX));
        self.all.digest().wrapping_sub(self.gone.wrapping_mul(power))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        let alike = self.length == other.length && self.digest() == other.digest();
        alike && self.all.ends_alike(&other.all, self.length)
    }
}

impl Eq for Waiting {}

impl Hash for Waiting {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.length, self.digest()).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn numbers(range: std::ops::Range<i128>) -> impl Iterator<Item = Value> {
        range.map(Value::Integer)
    }

    #[test]
    fn sequences_are_equal_if_their_values_are() {
        let (one, two): (Sequence, Sequence) = (numbers(0..5).collect(), numbers(0..5).collect());
        assert_eq!(one, two);
        assert_ne!(one, numbers(1..6).collect());
        assert_ne!(one, one.with(Value::Nil));
        assert!(Sequence::default().is_empty());
        assert!(!one.is_empty());
        assert_eq!(one.values(), numbers(0..5).collect::<Vec<_>>());
    }

    fn digest(value: &impl Hash) -> u64 {
        let mut digest = Digest::EMPTY;
        value.hash(&mut digest);
        digest.finish()
    }

    #[test]
    fn different_sequences_and_queues_have_different_digests() {
        let sequences: BTreeSet<u64> =
            (0..100).map(|n| digest(&numbers(n..n + 2).collect::<Sequence>())).collect();
        assert_eq!(sequences.len(), 100);
        let fill = |range| numbers(range).fold(Waiting::default(), |queue, n| queue.with(n));
        let queues: BTreeSet<u64> = (0..100).map(|n| digest(&fill(n..n + 2))).collect();
        assert_eq!(queues.len(), 100);
        assert_eq!(digest(&fill(0..2).split_first().unwrap().1), digest(&fill(1..2)));
    }

    /// The sequence of Thue and Morse and its complement: modulo a power of two, their polynomials
    /// have one value at every odd base.
    #[test]
    fn different_sequences_and_queues_of_one_digest_differ() {
        let values = |first: u32| {
            (0_u32..2048).map(move |n| Value::Integer(((n.count_ones() + first) % 2).into()))
        };
        let (one, two): (Sequence, Sequence) = (values(0).collect(), values(1).collect());
        assert_eq!(one.digest(), two.digest());
        assert_ne!(one, two);
        let fill = |first| values(first).fold(Waiting::default(), |queue, n| queue.with(n));
        assert_eq!(fill(0).digest(), fill(1).digest());
        assert_ne!(fill(0), fill(1));
        assert_eq!(fill(0), fill(0));
    }

    #[test]
    fn queues_are_equal_however_they_came_about() {
        let fill = |range| numbers(range).fold(Waiting::default(), |queue, n| queue.with(n));
        let (first, rest) = fill(0..4).split_first().unwrap();
        assert_eq!((first, &rest), (Value::Integer(0), &fill(1..4)));
        assert_eq!(Waiting::default().split_first(), None);
        assert_ne!(rest, fill(2..5));
        let (_, empty) = fill(0..1).split_first().unwrap();
        assert_eq!(empty, Waiting::default());
    }

    #[test]
    fn a_long_sequence_is_dropped() {
        assert_eq!(numbers(0..1_000_000).collect::<Sequence>().len(), 1_000_000);
    }
}
