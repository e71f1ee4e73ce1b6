//! Codes: words of bits with redundancy, by which changes are detected or corrected.
//!
//! Bits are in the order of sending, the least significant first, as on an Ethernet. So a burst of
//! errors is a run of neighbours here, too, and CRC-32 has the properties that it is known for.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Bits in the order of sending.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bits(pub Vec<bool>);

impl fmt::Debug for Bits {
    /// Formats as `10110100 0111`, with a space after every eight.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, bit) in self.0.iter().enumerate() {
            let gap = if index > 0 && index % 8 == 0 { " " } else { "" };
            write!(f, "{gap}{}", u8::from(*bit))?;
        }
        Ok(())
    }
}

impl Bits {
    /// The lowest `count` bits of a number.
    pub fn of(number: u64, count: usize) -> Self {
        Self((0..count).map(|place| number >> place & 1 == 1).collect())
    }

    /// The number that these bits are, up to 64.
    pub fn number(&self) -> u64 {
        number(&self.0)
    }

    /// The bitwise sum with `other`, bit by bit, as far as both go.
    #[must_use]
    pub fn xor(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(own, other)| own ^ other).collect())
    }
}

fn number(bits: &[bool]) -> u64 {
    bits.iter().rev().fold(0, |number, bit| number << 1 | u64::from(*bit))
}

fn is_odd(bits: &[bool]) -> bool {
    bits.iter().fold(false, |odd, bit| odd ^ bit)
}

/// A word as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// As it seems to have been sent.
    Intact(Bits),
    /// With its errors corrected.
    Corrected(Bits),
    /// With errors that cannot be corrected.
    Broken,
}

impl Decoded {
    /// Its word, unless it is broken.
    pub fn word(self) -> Option<Bits> {
        match self {
            Self::Intact(word) | Self::Corrected(word) => Some(word),
            Self::Broken => None,
        }
    }

    /// Intact if the check succeeds.
    fn checked(word: &[bool], succeeds: bool) -> Self {
        if succeeds { Self::Intact(Bits(word.to_vec())) } else { Self::Broken }
    }
}

/// No redundancy: nothing is detected.
pub mod none {
    use super::{Bits, Decoded};

    /// The word itself.
    pub fn encode(word: &Bits) -> Bits {
        word.clone()
    }

    /// The word itself, whatever it is.
    pub fn decode(received: &Bits) -> Decoded {
        Decoded::Intact(received.clone())
    }
}

/// One bit that makes the number of ones even.
pub mod parity {
    use super::{Bits, Decoded, is_odd};

    /// The word and its parity.
    pub fn encode(word: &Bits) -> Bits {
        let mut bits = word.0.clone();
        bits.push(is_odd(&word.0));
        Bits(bits)
    }

    /// Detects every odd number of flips, and no even number.
    pub fn decode(received: &Bits) -> Decoded {
        match received.0.split_last() {
            Some((_, word)) => Decoded::checked(word, !is_odd(&received.0)),
            None => Decoded::Broken,
        }
    }
}

/// The checksum of the Internet protocols: the ones' complement of the ones' complement sum of all
/// 16-bit words (Braden, Borman and Partridge 1988, RFC 1071).
pub mod checksum {
    use super::{Bits, Decoded, number};

    fn sum(bits: &[bool]) -> u64 {
        let whole: u64 = bits.chunks(16).map(number).sum();
        // 2^16 is 1 in this arithmetic.
        let mut sum = whole;
        while sum >> 16 > 0 {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        sum
    }

    /// The word, of a multiple of 16 bits, and its checksum.
    pub fn encode(word: &Bits) -> Bits {
        let check = Bits::of(!sum(&word.0), 16);
        Bits([word.0.clone(), check.0].concat())
    }

    /// Detects every burst of up to 15 bits, but not that two words change places.
    pub fn decode(received: &Bits) -> Decoded {
        match received.0.len().checked_sub(16) {
            Some(length) => Decoded::checked(&received.0[..length], sum(&received.0) == 0xffff),
            None => Decoded::Broken,
        }
    }
}

/// CRC-32 of Ethernet (IEEE 802.3), reflected.
pub mod crc32 {
    use super::{Bits, Decoded, number};

    /// The generator polynomial, the highest power first in the lowest bit.
    const GENERATOR: u32 = 0xedb8_8320;

    const TABLE: [u32; 256] = table();

    const fn table() -> [u32; 256] {
        let mut table = [0; 256];
        let (mut index, mut byte) = (0, 0);
        while index < 256 {
            let (mut rest, mut bit) = (byte, 0);
            while bit < 8 {
                rest = if rest & 1 == 1 { rest >> 1 ^ GENERATOR } else { rest >> 1 };
                bit += 1;
            }
            table[index] = rest;
            index += 1;
            byte += 1;
        }
        table
    }

    /// The check value of these bytes.
    pub fn of(bytes: impl IntoIterator<Item = u8>) -> u32 {
        let add = |rest: u32, byte: u8| {
            let [lowest, ..] = rest.to_le_bytes();
            TABLE[usize::from(lowest ^ byte)] ^ rest >> 8
        };
        !bytes.into_iter().fold(!0, add)
    }

    fn check(word: &[bool]) -> u32 {
        of(word.chunks(8).map(|byte| number(byte).to_le_bytes()[0]))
    }

    /// The word, of whole bytes, and its check value.
    pub fn encode(word: &Bits) -> Bits {
        let check = Bits::of(check(&word.0).into(), 32);
        Bits([word.0.clone(), check.0].concat())
    }

    /// Detects every burst of up to 32 bits.
    pub fn decode(received: &Bits) -> Decoded {
        let Some(length) = received.0.len().checked_sub(32) else { return Decoded::Broken };
        let (word, sent) = received.0.split_at(length);
        Decoded::checked(word, number(sent) == u64::from(check(word)))
    }
}

/// Hamming's code of seven bits for four: bit i, from 1, is a check if i is a power of two, namely
/// of all bits in whose number this power occurs.
pub mod hamming74 {
    use super::{Bits, Decoded};

    /// The places of the four bits of a word, from 0.
    const WORD: [usize; 4] = [2, 4, 5, 6];

    /// The sum of the numbers of the bits that are set: 0 in a code word, and the number of the bit
    /// that has flipped if it is one.
    pub(super) fn syndrome(bits: &[bool]) -> usize {
        (1..).zip(bits).filter(|(_, bit)| **bit).fold(0, |sum, (place, _)| sum ^ place)
    }

    pub(super) fn encode_four(four: &[bool]) -> [bool; 7] {
        let mut bits = [false; 7];
        for (place, bit) in WORD.into_iter().zip(four) {
            bits[place] = *bit;
        }
        let sum = syndrome(&bits);
        for check in [1, 2, 4] {
            bits[check - 1] = sum & check > 0;
        }
        bits
    }

    pub(super) fn word_in(bits: &[bool]) -> [bool; 4] {
        WORD.map(|place| bits[place])
    }

    /// Each four bits of the word as seven.
    pub fn encode(word: &Bits) -> Bits {
        Bits(word.0.chunks(4).flat_map(encode_four).collect())
    }

    /// Corrects one flip in each seven bits, and takes two for one elsewhere.
    pub fn decode(received: &Bits) -> Decoded {
        let (mut word, mut is_corrected) = (Vec::new(), false);
        for seven in received.0.chunks(7) {
            if seven.len() < 7 {
                return Decoded::Broken;
            }
            let mut bits = seven.to_vec();
            if let Some(wrong) = syndrome(&bits).checked_sub(1) {
                bits[wrong] ^= true;
                is_corrected = true;
            }
            word.extend(word_in(&bits));
        }
        if is_corrected { Decoded::Corrected(Bits(word)) } else { Decoded::Intact(Bits(word)) }
    }
}

/// Single error correction, double error detection: Hamming's code with a parity of all seven bits
/// (Hamming 1950, section 4).
pub mod secded {
    use super::hamming74::{encode_four, syndrome, word_in};
    use super::{Bits, Decoded, is_odd};

    /// Each four bits of the word as eight.
    pub fn encode(word: &Bits) -> Bits {
        let eight = |four: &[bool]| {
            let seven = encode_four(four);
            seven.into_iter().chain([is_odd(&seven)])
        };
        Bits(word.0.chunks(4).flat_map(eight).collect())
    }

    /// Corrects one flip in each eight bits, and detects two.
    pub fn decode(received: &Bits) -> Decoded {
        let (mut word, mut is_corrected) = (Vec::new(), false);
        for eight in received.0.chunks(8) {
            if eight.len() < 8 {
                return Decoded::Broken;
            }
            let mut seven = eight[..7].to_vec();
            match (is_odd(eight), syndrome(&seven).checked_sub(1)) {
                (false, None) => {}
                // The parity itself has flipped, or one bit of the seven has.
                (true, None) => is_corrected = true,
                (true, Some(wrong)) => {
                    seven[wrong] ^= true;
                    is_corrected = true;
                }
                (false, Some(_)) => return Decoded::Broken,
            }
            word.extend(word_in(&seven));
        }
        if is_corrected { Decoded::Corrected(Bits(word)) } else { Decoded::Intact(Bits(word)) }
    }
}
