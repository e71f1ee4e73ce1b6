//! Tapes are read as they were written, and malformed input does no harm.

use std::io::{self, Read as _};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde::Serialize;

use super::{SLOT_COUNT, TEXT_END, Tape, TapeError, TapeReader};
use crate::environment::network::DropReason;
use crate::id::{MessageId, ProcessId};
use crate::model::data::StorageError;
use crate::outcome::shown::Shown;
use crate::outcome::trace::{Entry, TraceEvent};
use crate::time::Instant;

/// A message: its hash is that of a [`Timer`] with the same number, its text is not.
#[derive(Clone, Debug, Hash, Serialize)]
enum Message {
    Value(u64),
}

#[derive(Clone, Debug, Hash, Serialize)]
struct Timer(u64);

/// Content with any text, including bytes that end a text, a line or a string.
#[derive(Clone, Debug, Hash, Serialize)]
struct Text(String);

/// An entry to write: its distance from the previous one, its process and its event.
#[derive(Clone, Debug)]
struct Line {
    step_by: u64,
    after: u64,
    process: Option<u32>,
    other: u32,
    id: u64,
    extra: u64,
    value: u64,
    text: String,
    which: usize,
}

const KINDS: usize = 16;

impl Line {
    fn happening<'a>(
        &self,
        at: Instant,
        (message, timer, text): (&'a Message, &'a Timer, &'a Text),
    ) -> TraceEvent<Shown<'a>> {
        let (id, other) = (MessageId(self.id), ProcessId(self.other));
        let instant = Instant::from_nanos(at.as_nanos().wrapping_add(self.extra));
        let said = Shown::of(message);
        match self.which % KINDS {
            0 => TraceEvent::Deliver { id, from: other, message: said },
            1 => {
                let kind = Shown::kind_of(message);
                TraceEvent::Send { id, to: other, kind, message: said, arrives: instant }
            }
            2 => {
                let reason = DropReason::ALL[usize::try_from(self.value % 8).unwrap_or(0)];
                TraceEvent::Drop { id, to: other, message: said, reason }
            }
            3 => TraceEvent::Carry { id, to: other, message: said },
            4 => TraceEvent::Timer { timer: Shown::of(timer) },
            5 => TraceEvent::SetTimer { timer: Shown::of(timer), due: instant },
            6 => TraceEvent::CancelTimer { timer: Shown::of(timer) },
            7 => TraceEvent::Request { request: Shown::of(text) },
            8 => TraceEvent::Indicate {
                what: Shown::of(text),
                // The content of equal indications says the same.
                phrase: Some(text.0.clone()).filter(|phrase| !phrase.is_empty()),
                leads: [None, Some(true), Some(false)]
                    [usize::try_from(self.value % 3).unwrap_or(0)],
            },
            9 => TraceEvent::Append { record: Shown::of(text) },
            10 => TraceEvent::Synced,
            11 => TraceEvent::Start,
            12 => TraceEvent::Garble { id, to: other, message: said },
            13 => TraceEvent::Note { remark: self.text.clone() },
            14 => TraceEvent::Crash { effects_lost: 3 },
            _ => TraceEvent::StorageError { error: StorageError::DiskFull },
        }
    }
}

/// Numbers of all sizes, small ones more often.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0..4u64, 2 => 0..(1u64 << 34), 1 => any::<u64>()]
}

fn line() -> impl Strategy<Value = Line> {
    let process = (0..5u32).prop_map(Some);
    let process = prop_oneof![4 => process, 1 => Just(None), 1 => any::<u32>().prop_map(Some)];
    let other = prop_oneof![4 => 0..5u32, 1 => any::<u32>()];
    let numbers = (number(), number(), number(), number(), number());
    (numbers, process, other, ".{0,8}", 0..KINDS).prop_map(
        |(numbers, process, other, text, which)| {
            let (step_by, after, id, extra, value) = numbers;
            Line { step_by, after, process, other, id, extra, value, text, which }
        },
    )
}

/// Writes the lines. Returns the tape, and its contents: values as `Debug` shows them, after a
/// round trip through JSON.
fn written(lines: &[Line]) -> (Vec<u8>, Vec<Entry>) {
    let mut tape = Tape::new(u64::MAX);
    let (mut step, mut at) = (0u64, 0u64);
    let mut entries = Vec::new();
    for line in lines {
        (step, at) = (step.wrapping_add(line.step_by), at.wrapping_add(line.after));
        let instant = Instant::from_nanos(at);
        let contents = (&Message::Value(line.value), &Timer(line.value), &Text(line.text.clone()));
        let what = line.happening(instant, contents);
        tape.put(step, instant, line.process.map(ProcessId), &what);
        let json = serde_json::to_string(&what).expect("it can be written");
        let what = serde_json::from_str(&json).expect("it can be read");
        entries.push(Entry { step, at: instant, process: line.process.map(ProcessId), what });
    }
    assert!(!tape.end(), "all were taken");
    (tape.bytes().to_vec(), entries)
}

/// The entries that can be read, and the error that ends reading.
fn read(bytes: &[u8]) -> (Vec<Entry>, Option<TapeError>) {
    let mut reader = TapeReader::new(bytes);
    let mut entries = Vec::new();
    loop {
        match reader.next_entry() {
            Ok(Some(entry)) => entries.push(entry),
            Ok(None) => return (entries, None),
            Err(error) => return (entries, Some(error)),
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(lines in vec(line(), 0..40)) {
        let (tape, entries) = written(&lines);
        let (found, error) = read(&tape);
        prop_assert!(error.is_none(), "{:?}", error);
        prop_assert_eq!(&found, &entries);
        // Without its end it is short by that byte.
        let last = tape.len() - 1;
        let (found, error) = read(&tape[..last]);
        prop_assert!(matches!(error, Some(TapeError::Short(at)) if at == last as u64));
        prop_assert_eq!(found, entries);
    }

    #[test]
    fn a_cut_tape_gives_what_is_whole(lines in vec(line(), 1..10), cut in any::<Index>()) {
        let (tape, entries) = written(&lines);
        let (found, error) = read(&tape[..cut.index(tape.len())]);
        prop_assert!(matches!(error, Some(TapeError::Short(_))), "{:?}", error);
        prop_assert!(entries.starts_with(&found));
    }

    #[test]
    fn a_damaged_tape_does_no_harm(
        lines in vec(line(), 1..10),
        at in any::<Index>(),
        byte in any::<u8>(),
    ) {
        let (mut tape, _) = written(&lines);
        let at = at.index(tape.len());
        tape[at] = byte;
        let _no_panic = read(&tape);
    }

    #[test]
    fn noise_does_no_harm(noise in vec(any::<u8>(), 0..200)) {
        let _no_panic = read(&noise);
    }
}

#[test]
fn more_contents_than_slots_are_told_apart() {
    let line = |value: usize| {
        let value = value as u64;
        let (text, which) = (String::new(), usize::try_from(value % 7).unwrap_or(0));
        Line {
            step_by: 1,
            after: 5,
            process: Some(1),
            other: 2,
            id: value,
            extra: 9,
            value,
            text,
            which,
        }
    };
    let lines: Vec<Line> = (0..3 * SLOT_COUNT).map(|i| line(i % (2 * SLOT_COUNT))).collect();
    let (tape, entries) = written(&lines);
    assert_eq!(read(&tape).0, entries);
}

#[test]
fn what_is_said_again_is_a_few_bytes() {
    let line = Line {
        step_by: 1,
        after: 1_000_000,
        process: Some(1),
        other: 2,
        id: 7,
        extra: 9,
        value: 1,
        text: String::new(),
        which: 0,
    };
    let (once, _) = written(std::slice::from_ref(&line));
    let (twice, _) = written(&[line.clone(), line]);
    assert_eq!(twice.len() - once.len(), 14);
}

#[test]
fn a_text_without_an_end_does_not_fill_the_memory() {
    let (tape, _) = written(&[sent(1, 1)]);
    let length = tape.iter().position(|byte| *byte == TEXT_END).expect("the end of its kind");
    let endless = io::BufReader::new(tape[..length].chain(io::repeat(b'a')));
    let error = TapeReader::new(endless).next_entry().unwrap_err();
    assert!(error.to_string().ends_with(": a text without an end"), "{error}");
}

#[test]
fn a_full_tape_takes_no_more_and_says_so() {
    let mut tape = Tape::new(2);
    for step in 0..3 {
        tape.put(step, Instant::ZERO, None, &TraceEvent::Heal);
    }
    assert!(tape.end());
    let (entries, error) = read(tape.bytes());
    assert!(error.is_none());
    assert_eq!(entries.iter().map(|entry| entry.step).collect::<Vec<_>>(), [0, 1]);
}

/// A message that is sent, `at` nanoseconds after the line before.
fn sent(step_by: u64, after: u64) -> Line {
    let (process, text) = (Some(1), String::new());
    Line { step_by, after, process, other: 2, id: 0, extra: 5, value: 7, text, which: 1 }
}

#[test]
fn differences_that_are_equal_do_not_make_up_for_each_other() {
    // One step and one nanosecond on, which is not the same step and time.
    let lines = [sent(1, 0), sent(1, 1), sent(0, 0), sent(3, 3)];
    let (tape, entries) = written(&lines);
    assert_eq!(read(&tape).0, entries);
    // Two numbers too large for their places, by as much.
    let beyond = |line: Line, which| match which {
        0 => Line { step_by: 1 << 8, ..line },
        1 => Line { after: 1 << 32, ..line },
        2 => Line { process: Some((1 << 16) - 1), ..line },
        // The difference of the number to the last one takes a bit more.
        3 => Line { id: 1 << 15, ..line },
        4 => Line { other: 1 << 21, ..line },
        _ => Line { extra: 1 << 32, ..line },
    };
    for one in 0..6 {
        for other in 0..6 {
            let lines = [sent(1, 1), beyond(beyond(sent(1, 1), one), other), sent(0, 0)];
            let (tape, entries) = written(&lines);
            assert_eq!(read(&tape).0, entries, "{one} and {other}");
        }
    }
}
