//! Reads a tape.

use std::fmt::Display;
use std::io::{self, BufRead, Read as _};

use super::{SAME, SLOT_COUNT, TEXT_END, WIDE, mark};
use crate::environment::network::DropReason;
use crate::id::{MessageId, ProcessId};
use crate::outcome::trace::{Entry, TraceEvent};
use crate::time::Instant;

/// The maximum length of a text, so that a damaged tape cannot fill the memory.
const TEXT_LENGTH_MAX: u64 = 1 << 28;

/// A reader of a tape, entry by entry. It stores one entry and the texts that may occur again.
#[derive(Debug)]
pub struct TapeReader<R> {
    input: R,
    /// The number of bytes read.
    position: u64,
    step: u64,
    at: Instant,
    who: u64,
    id: MessageId,
    slots: Vec<Content>,
}

/// Content; only messages have a kind, and only indications a phrase.
#[derive(Clone, Debug, Default)]
struct Content {
    kind: String,
    text: String,
    phrase: String,
}

/// The reason why a tape cannot be read further.
#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    /// It is truncated.
    #[error("the record is cut short at byte {0}")]
    Short(u64),
    /// It contains something that is never written.
    #[error("the record is damaged at byte {at}: {what}")]
    Damaged {
        /// The position where this was noticed.
        at: u64,
        /// The error.
        what: String,
    },
    /// An I/O error.
    #[error("cannot be read: {0}")]
    Io(io::Error),
}

impl<R: BufRead> TapeReader<R> {
    /// A reader of the tape that begins here.
    pub fn new(input: R) -> Self {
        Self {
            input,
            position: 0,
            step: 0,
            at: Instant::ZERO,
            who: 0,
            id: MessageId(0),
            slots: vec![Content::default(); SLOT_COUNT],
        }
    }

    /// The input after the tape, once its end has been read.
    pub fn into_rest(self) -> R {
        self.input
    }

    /// The next entry; `None` at the end of the tape.
    ///
    /// # Errors
    /// If the tape is damaged or truncated, or if the input fails. Nothing can be read after that.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, TapeError> {
        let [first] = self.bytes()?;
        if first == mark::END {
            return Ok(None);
        }
        let mark = first & !(SAME | WIDE);
        let numbers = self.numbers(mark, first)?;
        let [step_by, after, who, message, content, extra] = numbers;
        self.step = self.step.wrapping_add(step_by);
        self.at = Instant::from_nanos(self.at.as_nanos().wrapping_add(after));
        self.who = who;
        let zigzag = (message >> 1) ^ (message & 1).wrapping_neg();
        self.id = MessageId(self.id.0.wrapping_add(zigzag));
        let process = who.checked_sub(1).map(|process| self.process(process)).transpose()?;
        let what = self.happening(mark, content, extra)?;
        Ok(Some(Entry { step: self.step, at: self.at, process, what }))
    }

    /// Step, time, process, message, content, and an instant or a reason.
    fn numbers(&mut self, mark: u8, first: u8) -> Result<[u64; 6], TapeError> {
        let mut numbers = [0; 6];
        if first & WIDE != 0 {
            for number in &mut numbers {
                *number = u64::from_le_bytes(self.bytes()?);
            }
            return Ok(numbers);
        }
        let [step_by, after, who, message, content, extra] = &mut numbers;
        if first & SAME == 0 {
            *step_by = u8::from_le_bytes(self.bytes()?).into();
            *after = u32::from_le_bytes(self.bytes()?).into();
            *who = u16::from_le_bytes(self.bytes()?).into();
        } else {
            *who = self.who;
        }
        *message = u16::from_le_bytes(self.bytes()?).into();
        *content = u32::from_le_bytes(self.bytes()?).into();
        if mark::has_extra(mark) {
            *extra = u32::from_le_bytes(self.bytes()?).into();
        }
        Ok(numbers)
    }

    fn happening(&mut self, mark: u8, content: u64, extra: u64) -> Result<TraceEvent, TapeError> {
        let id = self.id;
        let instant = Instant::from_nanos(self.at.as_nanos().wrapping_add(extra));
        if mark == mark::JSON {
            let json = self.text()?;
            return serde_json::from_str(&json).map_err(|error| self.damaged(error));
        }
        if mark == mark::SYNCED {
            return Ok(TraceEvent::Synced);
        }
        let (other, Content { kind, text, phrase }) = self.content(mark, content)?;
        Ok(match mark {
            mark::DELIVER => TraceEvent::Deliver { id, from: other, message: text },
            mark::CARRY => TraceEvent::Carry { id, to: other, message: text },
            mark::SEND => TraceEvent::Send { id, to: other, kind, message: text, arrives: instant },
            mark::DROP => {
                let reason = usize::try_from(extra).ok();
                let reason = reason.and_then(|reason| DropReason::ALL.get(reason).copied());
                let reason = reason.ok_or_else(|| self.damaged("no such reason"))?;
                TraceEvent::Drop { id, to: other, message: text, reason }
            }
            mark::TIMER => TraceEvent::Timer { timer: text },
            mark::SET_TIMER => TraceEvent::SetTimer { timer: text, due: instant },
            mark::CANCEL_TIMER => TraceEvent::CancelTimer { timer: text },
            mark::REQUEST => TraceEvent::Request { request: text },
            mark::INDICATE | mark::LEADS | mark::RESIGNS => TraceEvent::Indicate {
                what: text,
                phrase: Some(phrase).filter(|phrase| !phrase.is_empty()),
                leads: match mark {
                    mark::LEADS => Some(true),
                    mark::RESIGNS => Some(false),
                    _ => None,
                },
            },
            mark::APPEND => TraceEvent::Append { record: text },
            _ => return Err(self.damaged("no such entry")),
        })
    }

    /// The content with this number, and the process at the other end of a message.
    fn content(&mut self, mark: u8, number: u64) -> Result<(ProcessId, Content), TapeError> {
        let (is_new, number, slot_count) = (number & 1 == 1, number >> 1, SLOT_COUNT as u64);
        let slot = usize::try_from(number % slot_count).expect("there are so many slots");
        let other = self.process(number / slot_count)?;
        if is_new {
            let kind = if mark::of_message(mark) { self.text()? } else { String::new() };
            let text = self.text()?;
            let phrase = if mark::of_indication(mark) { self.text()? } else { String::new() };
            self.slots[slot] = Content { kind, text, phrase };
        }
        Ok((other, self.slots[slot].clone()))
    }

    fn process(&self, number: u64) -> Result<ProcessId, TapeError> {
        u32::try_from(number).map(ProcessId).map_err(|_| self.damaged("no such process"))
    }

    fn text(&mut self) -> Result<String, TapeError> {
        let mut text = Vec::new();
        let limit = TEXT_LENGTH_MAX + 1;
        let read = (&mut self.input).take(limit).read_until(TEXT_END, &mut text);
        self.position += read.map_err(TapeError::Io)? as u64;
        if text.pop() != Some(TEXT_END) {
            let is_too_long = text.len() as u64 == TEXT_LENGTH_MAX;
            let short = TapeError::Short(self.position);
            return Err(if is_too_long { self.damaged("a text without an end") } else { short });
        }
        String::from_utf8(text).map_err(|_| self.damaged("a text that is not UTF-8"))
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], TapeError> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => TapeError::Short(self.position),
            _ => TapeError::Io(error),
        })?;
        self.position += N as u64;
        Ok(bytes)
    }

    fn damaged(&self, what: impl Display) -> TapeError {
        TapeError::Damaged { at: self.position, what: what.to_string() }
    }
}
