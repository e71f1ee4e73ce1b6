//! Tapes: the record of a run as bytes, written during the run and small enough to be streamed.
//!
//! An entry consists of a mark, numbers and texts; numbers are little-endian.
//!
//! - The mark is a byte that gives the event.
//! - Step (1 byte), time in nanoseconds (4 bytes) and process plus one, or 0 for the network (2
//!   bytes): the first two as differences to the previous entry. They are omitted if they are equal
//!   to those of that entry, which the highest bit of the mark indicates.
//! - Message (2 bytes): the difference to the previous one, zigzag-encoded.
//! - Content (4 bytes), from the lowest bit on: whether it is new, its slot from now on, and the
//!   process at the other end of a message. Only new content is formatted as a text, which follows
//!   the numbers: the kind and the text of a message; the text and the phrase of an indication,
//!   which is empty if it has none. The slot is chosen by the hash of the value.
//! - Optionally (4 bytes): the time when a message arrives or a timer is due, as a difference to
//!   now, or the reason why a message is lost.
//! - If one of these does not fit, all are present and have eight bytes each, which the second
//!   highest bit of the mark indicates.
//! - A text is UTF-8 followed by a byte that cannot occur in it, 0xff.
//! - An event without a mark of its own has a text: its JSON.
//! - A mark ends the tape.

mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::{TapeError, TapeReader};
pub(crate) use write::Tape;

/// The number of slots for content.
const SLOT_COUNT: usize = 1 << 10;

/// The byte after a text.
const TEXT_END: u8 = 0xff;

/// Flag in a mark: same step, time and process as in the previous entry.
const SAME: u8 = 0x80;
/// Flag in a mark: all numbers are present, with eight bytes each.
const WIDE: u8 = 0x40;

/// The first bytes of entries, without [`SAME`] and [`WIDE`].
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
    pub const LEADS: u8 = 13;
    pub const RESIGNS: u8 = 14;

    /// Whether an instant or a reason follows.
    pub const fn has_extra(mark: u8) -> bool {
        matches!(mark, SEND | DROP | SET_TIMER)
    }

    /// Whether the content is a message, which has a kind.
    pub const fn of_message(mark: u8) -> bool {
        matches!(mark, DELIVER | SEND | DROP | CARRY)
    }

    /// Whether the content is an indication, which can have a phrase.
    pub const fn of_indication(mark: u8) -> bool {
        matches!(mark, INDICATE | LEADS | RESIGNS)
    }
}
