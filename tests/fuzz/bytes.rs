//! Damage to bytes: records.

use super::dice::Dice;
use super::text::LENGTH_MAX;

/// The bytes with a damage, or with several; `other` are bytes of the same kind.
pub fn damaged(bytes: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    loop {
        damage(&mut bytes, other, dice);
        bytes.truncate(LENGTH_MAX);
        if dice.one_in(2) {
            return bytes;
        }
    }
}

fn damage(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let at = dice.index(bytes.len());
    let range = dice.range(bytes.len());
    match dice.below(10) {
        0 | 1 if !bytes.is_empty() => bytes[at] ^= 1 << dice.index(8),
        2 | 3 if !bytes.is_empty() => {
            bytes[at] = *dice.pick(&[0, 1, 2, 3, 12, 13, 0x3f, 0x40, 0x7f, 0x80, 0xc1, 0xfe, 0xff]);
        }
        4 => {
            let number = *dice.pick(&[0, 1, u64::MAX, 1 << 63, 1 << 32, u64::MAX / 2, 1 << 16]);
            let width = *dice.pick(&[1usize, 2, 4, 8]);
            let end = (at + width).min(bytes.len());
            bytes.splice(at..end, number.to_le_bytes()[..width].iter().copied());
        }
        5 => drop(bytes.drain(range)),
        6 => {
            let copy: Vec<u8> = bytes[range].to_vec();
            let times = *dice.pick(&[1usize, 1, 1, 50]);
            bytes.splice(at..at, copy.repeat(times));
        }
        7 => bytes.truncate(at),
        8 => {
            let theirs = &other[dice.range(other.len())];
            bytes.splice(range, theirs.iter().copied());
        }
        _ => {
            bytes.truncate(at);
            bytes.extend_from_slice(&other[dice.index(other.len())..]);
        }
    }
}
