//! The sign of a step, and the words beside it.

use crate::diagram::{Diagram, Part};
use crate::foreign::line;
use crate::step_text::shortened;

/// The maximum length of words beside a step.
const WORDS_LENGTH_MAX: usize = 44;
/// The maximum length of brief words: of values, and of other words.
const BRIEF_LENGTH_MAX: usize = 18;
const SENTENCE_LENGTH_MAX: usize = 32;
/// The maximum length of brackets that brief words keep.
const BRACKETS_LENGTH_MAX: usize = 6;

/// The sign of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Glyph {
    /// Anything else, such as a delivery.
    Dot,
    /// A timer fires.
    Timer,
    /// A suspicion, or its end.
    Suspicion,
    /// A crash.
    Crash,
    /// A recovery.
    Recover,
    /// A pause.
    Pause,
    /// The end of a pause.
    Resume,
    /// Another fault of the process.
    Fault,
    /// A change of the network.
    Network,
}

/// How a step is drawn.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    /// The sign.
    pub glyph: Glyph,
    /// Whether it announces something.
    pub announces: bool,
    /// Whether it appends to the log.
    pub logs: bool,
    /// Whether a client asks for something in it.
    pub asked: bool,
    /// The words, those that matter most first.
    pub words: Vec<Words>,
}

/// Words beside a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    /// How much they matter, up to 10.
    pub weight: u8,
    /// The kind of event, as in a trace's JSON.
    pub event: &'static str,
    /// The words, escaped, on one line.
    pub text: String,
}

impl Words {
    /// A short form: the name of a value, with its brackets if they are short.
    pub fn brief(&self) -> String {
        if !self.is_value() {
            return shortened(&self.text, SENTENCE_LENGTH_MAX);
        }
        let end = self.text.find(['(', '{', '[']).unwrap_or(self.text.len());
        let (name, rest) = self.text.split_at(end);
        let is_short = rest.chars().count() <= BRACKETS_LENGTH_MAX;
        shortened(if is_short { &self.text } else { name.trim_end() }, BRIEF_LENGTH_MAX)
    }

    /// Whether they are a value of the protocol.
    pub fn is_value(&self) -> bool {
        matches!(self.event, "request" | "indicate" | "append" | "timer" | "request-lost")
    }

    /// Whether they are about a fault.
    pub fn is_fault(&self) -> bool {
        !matches!(self.event, "violation" | "panic") && glyph(self.event).1 == 8
    }

    /// Whether they are about the violation.
    pub fn is_violation(&self) -> bool {
        matches!(self.event, "violation" | "panic")
    }
}

impl Mark {
    /// The mark of a step.
    pub fn of(diagram: &Diagram, step: usize) -> Self {
        let step = &diagram.steps[step];
        let has = |event: &str| step.parts.iter().any(|part| part.event == event);
        let drawn = step.parts.iter().filter(|part| part.event != "violation");
        let drawn = drawn.map(|part| glyph(part.event)).max_by_key(|(_, weight)| *weight);
        let glyph = match step.lane {
            Some(_) => drawn.map_or(Glyph::Dot, |(glyph, _)| glyph),
            None => Glyph::Network,
        };
        let mut words: Vec<Words> =
            step.parts.iter().filter_map(|part| words(diagram, part)).collect();
        words.sort_by_key(|words| u8::MAX - words.weight);
        let announced = words.iter().find(|words| words.event == "indicate").map(|w| w.weight);
        words.retain(|words| words.event != "indicate" || Some(words.weight) == announced);
        Self {
            glyph,
            announces: has("indicate"),
            logs: has("append") || has("rewrite"),
            asked: has("request"),
            words,
        }
    }
}

/// The sign of an event, and how much it matters.
const fn glyph(event: &str) -> (Glyph, u8) {
    match event.as_bytes() {
        b"violation" => (Glyph::Dot, 10),
        b"panic" => (Glyph::Fault, 9),
        b"crash" => (Glyph::Crash, 8),
        b"corrupt" | b"doubled" | b"abort" | b"damage" | b"storage-error" => (Glyph::Fault, 8),
        b"state-corrupted" | b"clock-jump" => (Glyph::Fault, 8),
        b"indicate" => (Glyph::Dot, 7),
        b"recover" => (Glyph::Recover, 6),
        b"pause" => (Glyph::Pause, 6),
        b"resume" => (Glyph::Resume, 6),
        b"request" => (Glyph::Dot, 6),
        b"begins" | b"ends" | b"heal" | b"stabilise" | b"unavailable" | b"well" => {
            (Glyph::Network, 5)
        }
        b"suspect" | b"trust" => (Glyph::Suspicion, 4),
        b"request-lost" => (Glyph::Dot, 4),
        b"timer" => (Glyph::Timer, 3),
        b"reach" | b"append" | b"rewrite" => (Glyph::Dot, 2),
        _ => (Glyph::Dot, 0),
    }
}

/// The words for a part, unless its sign says it all.
fn words(diagram: &Diagram, part: &Part) -> Option<Words> {
    let (_, weight) = glyph(part.event);
    let text = line(diagram.text(part.text));
    let told = match part.event {
        "violation" => {
            let text = text.strip_prefix("VIOLATES ").unwrap_or(&text);
            format!("violates {}", text.split(':').next().unwrap_or_default())
        }
        "indicate" => text.strip_prefix("ANNOUNCES ").unwrap_or(&text).to_owned(),
        "request" => text.strip_prefix("is asked for ").unwrap_or(&text).to_owned(),
        "append" => text.strip_prefix("logs ").unwrap_or(&text).to_owned(),
        "timer" => text.strip_suffix(" fires").unwrap_or(&text).to_owned(),
        "crash" => "crashes".to_owned(),
        _ if weight > 0 => in_lower_case(&text),
        _ => return None,
    };
    Some(Words { weight, event: part.event, text: shortened(&told, WORDS_LENGTH_MAX) })
}

/// Writes leading capitals in lower case: `TURNS BYZANTINE: x` becomes `turns Byzantine: x`.
fn in_lower_case(text: &str) -> String {
    let is_shouted =
        |word: &&str| word.chars().all(|c| c.is_ascii_uppercase() || c == ':' || c == ',');
    let count = text.split(' ').take_while(is_shouted).count();
    let told = text.split(' ').enumerate().map(|(place, word)| match place < count {
        true => word.to_ascii_lowercase().replace("byzantine", "Byzantine"),
        false => word.to_owned(),
    });
    told.collect::<Vec<_>>().join(" ")
}
