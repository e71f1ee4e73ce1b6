//! The record of a run as bytes: made while the run goes on, small enough to be streamed.
//!
//! An entry is a mark, numbers and texts; numbers are little-endian.
//!
//! - The mark is a byte that says what happened.
//! - Step (1 byte), time in nanoseconds (4 bytes) and process plus one, or 0 for the network (2
//!   bytes): the first two as differences to the entry before. They are left out where they are
//!   those of that entry, which the highest bit of the mark says.
//! - Message (2 bytes): the difference to the one before, zigzag.
//! - Content (4 bytes), from the lowest bit on: whether it is new, the slot that it is in from now
//!   on, and the process at the other end of a message. Only where it is new a text is made, and
//!   written behind the numbers; that of a message follows its kind. The hash of a value says which
//!   slot it has.
//! - Where there is one: when a message arrives or a timer is due, as a difference to now, or why a
//!   message is lost (4 bytes).
//! - Where one of these does not fit, all are there and have eight bytes each, which the second
//!   highest bit of the mark says.
//! - A text is UTF-8 with a byte behind it that is in none, 0xff.
//! - What has no mark of its own has a text: its JSON.
//! - A mark ends the tape.

mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::{TapeError, TapeReader};
pub(crate) use write::Tape;

/// How many slots there are for content.
const SLOT_COUNT: usize = 1 << 10;

/// The byte behind a text.
const TEXT_END: u8 = 0xff;

/// In a mark: same step, time and process as in the entry before.
const SAME: u8 = 0x80;
/// In a mark: all numbers, eight bytes each.
const WIDE: u8 = 0x40;

/// The first byte of an entry, without [`SAME`] and [`WIDE`].
mod mark {
    pub const END: u8 = 0;
    pub const JSON: u8 = 1;
    pub const DELIVER: u8 = 2;
    pub const SEND: u8 = 3;
    pub const DROP: u8 = 4;
    pub const CARRY: u8 = 5;
    pub const TIMER: u8 = 6;
    pub const SET_TIMER: u8 = 7;
    pub const CANCEL_TIMER: u8 = 8;
    pub const REQUEST: u8 = 9;
    pub const INDICATE: u8 = 10;
    pub const APPEND: u8 = 11;
    pub const SYNCED: u8 = 12;

    /// Whether an instant or a reason follows.
    pub const fn has_extra(mark: u8) -> bool {
        matches!(mark, SEND | DROP | SET_TIMER)
    }

    /// Whether its content is a message.
    pub const fn of_message(mark: u8) -> bool {
        matches!(mark, DELIVER | SEND | DROP | CARRY)
    }
}
