//! Writes a tape.

use std::fmt::{self, Write as _};

use super::{SAME, SLOT_COUNT, TEXT_END, WIDE, mark};
use crate::id::{MessageId, ProcessId};
use crate::outcome::shown::Shown;
use crate::outcome::trace::TraceEvent;
use crate::time::Instant;

/// The groups of contents; within a group, contents are distinguished only by their hashes.
#[derive(Clone, Copy)]
enum Group {
    Message,
    Timer,
    Request,
    Indication,
    Record,
}

/// A tape that is being written.
#[derive(Clone, Debug)]
pub(crate) struct Tape {
    bytes: Vec<u8>,
    /// The number of entries that may still be written.
    left: u64,
    truncated: bool,
    step: u64,
    at: Instant,
    /// The process plus one, or 0 for the network.
    who: u64,
    id: MessageId,
    /// The fingerprint of the content in each slot, or 0.
    slots: Vec<u64>,
}

impl Tape {
    /// An empty tape for at most this many entries.
    pub fn new(entry_count_max: u64) -> Self {
        Self {
            bytes: Vec::new(),
            left: entry_count_max,
            truncated: false,
            step: 0,
            at: Instant::ZERO,
            who: 0,
            id: MessageId(0),
            slots: vec![0; SLOT_COUNT],
        }
    }

    /// The bytes written since [`clear`](Self::clear).
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Discards the bytes written so far; later ones continue them.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Ends the tape. Returns whether there were more entries than the maximum.
    pub fn end(&mut self) -> bool {
        self.bytes.push(mark::END);
        self.truncated
    }

    /// Writes an entry.
    pub fn put(
        &mut self,
        step: u64,
        at: Instant,
        process: Option<ProcessId>,
        what: &TraceEvent<Shown<'_>>,
    ) {
        if self.left == 0 {
            self.truncated = true;
            return;
        }
        self.left -= 1;
        let step_by = step.wrapping_sub(self.step);
        let after = at.as_nanos().wrapping_sub(self.at.as_nanos());
        let who = process.map_or(0, |p| u64::from(p.0) + 1);
        let is_same = (step_by | after | (who ^ self.who)) == 0;
        (self.step, self.at, self.who) = (step, at, who);
        let (mark, body) = self.happening(what);
        let Body { message, content, extra, new } = body;
        // Mark, step, time and process take eight bytes, message and content six.
        if (step_by >> 8 | after >> 32 | who >> 16 | message >> 16 | content >> 32 | extra >> 32)
            == 0
        {
            if is_same {
                self.bytes.push(mark | SAME);
            } else {
                let head = u64::from(mark) | step_by << 8 | after << 16 | who << 48;
                self.bytes.extend_from_slice(&head.to_le_bytes());
            }
            let end = self.bytes.len() + 6;
            self.bytes.extend_from_slice(&(message | content << 16).to_le_bytes());
            self.bytes.truncate(end);
            if mark::has_extra(mark) {
                let end = self.bytes.len() + 4;
                self.bytes.extend_from_slice(&extra.to_le_bytes());
                self.bytes.truncate(end);
            }
        } else {
            self.wide(mark, &[step_by, after, who, message, content, extra]);
        }
        if let Some(content) = new {
            if mark::of_message(mark) {
                self.text(content.kind());
            }
            self.text(content);
            if let TraceEvent::Indicate { phrase, .. } = what {
                self.text(phrase.as_deref().unwrap_or_default());
            }
        }
        if mark == mark::JSON {
            let written = serde_json::to_writer(&mut self.bytes, what);
            written.expect("an event can be written as JSON");
            self.bytes.push(TEXT_END);
        }
    }

    #[cold]
    fn wide(&mut self, mark: u8, numbers: &[u64]) {
        self.bytes.push(mark | WIDE);
        self.bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    }

    /// The mark and the body of an entry.
    #[inline]
    fn happening<'a>(&mut self, what: &TraceEvent<Shown<'a>>) -> (u8, Body<'a>) {
        match what {
            TraceEvent::Deliver { id, from, message } => {
                (mark::DELIVER, self.message(*id, *from, *message))
            }
            TraceEvent::Carry { id, to, message } => {
                (mark::CARRY, self.message(*id, *to, *message))
            }
            TraceEvent::Send { id, to, message, arrives, .. } => {
                let message = self.message(*id, *to, *message);
                (mark::SEND, Body { extra: self.until(*arrives), ..message })
            }
            TraceEvent::Drop { id, to, message, reason } => {
                let message = self.message(*id, *to, *message);
                (mark::DROP, Body { extra: *reason as u64, ..message })
            }
            TraceEvent::SetTimer { timer, due } => {
                let timer = self.content(0, Group::Timer, *timer);
                (mark::SET_TIMER, Body { extra: self.until(*due), ..timer })
            }
            TraceEvent::Timer { timer } => (mark::TIMER, self.content(0, Group::Timer, *timer)),
            TraceEvent::CancelTimer { timer } => {
                (mark::CANCEL_TIMER, self.content(0, Group::Timer, *timer))
            }
            TraceEvent::Request { request } => {
                (mark::REQUEST, self.content(0, Group::Request, *request))
            }
            TraceEvent::Indicate { what, leads, .. } => {
                let mark = match leads {
                    None => mark::INDICATE,
                    Some(true) => mark::LEADS,
                    Some(false) => mark::RESIGNS,
                };
                (mark, self.content(0, Group::Indication, *what))
            }
            TraceEvent::Append { record } => {
                (mark::APPEND, self.content(0, Group::Record, *record))
            }
            TraceEvent::Synced => (mark::SYNCED, Body::default()),
            _ => (mark::JSON, Body::default()),
        }
    }

    #[inline]
    fn message<'a>(&mut self, id: MessageId, other: ProcessId, message: Shown<'a>) -> Body<'a> {
        let difference = id.0.wrapping_sub(self.id.0).cast_signed();
        self.id = id;
        let zigzag = ((difference << 1) ^ (difference >> 63)).cast_unsigned();
        Body { message: zigzag, ..self.content(other.0, Group::Message, message) }
    }

    /// The content, by its slot if it is the last one there, or as new content of that slot.
    #[inline]
    fn content<'a>(&mut self, process: u32, group: Group, content: Shown<'a>) -> Body<'a> {
        let fingerprint = content.fingerprint().wrapping_add(group as u64).max(1);
        #[expect(clippy::cast_possible_truncation, reason = "the lowest bits are wanted")]
        let slot = fingerprint as usize % SLOT_COUNT;
        let is_new = self.slots[slot] != fingerprint;
        self.slots[slot] = fingerprint;
        let number = u64::from(process) << SLOT_COUNT.trailing_zeros() | slot as u64;
        Body {
            content: number << 1 | u64::from(is_new),
            new: is_new.then_some(content),
            ..Body::default()
        }
    }

    fn until(&self, at: Instant) -> u64 {
        at.as_nanos().wrapping_sub(self.at.as_nanos())
    }

    fn text(&mut self, text: impl fmt::Display) {
        write!(Utf8(&mut self.bytes), "{text}").expect("writing to a vector cannot fail");
        self.bytes.push(TEXT_END);
    }
}

/// The body of an entry.
#[derive(Clone, Copy, Default)]
struct Body<'a> {
    message: u64,
    content: u64,
    extra: u64,
    /// The content, if its text has to be written.
    new: Option<Shown<'a>>,
}

/// A writer that collects text.
struct Utf8<'a>(&'a mut Vec<u8>);

impl fmt::Write for Utf8<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
