//! The characters that lanes are drawn with.

use crate::drawing::mark::{Glyph, Mark};

/// The characters to draw with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signs {
    /// All of Unicode.
    #[default]
    Unicode,
    /// ASCII only; other characters of names and messages are escaped.
    Ascii,
}

/// A character for each thing.
pub struct Alphabet {
    signs: Signs,
    pub lane: &'static str,
    /// A lane between steps that are left out.
    pub folded: &'static str,
    pub paused: &'static str,
    pub byzantine: &'static str,
    pub stroke: &'static str,
    /// The stroke of a late message.
    pub dash: &'static str,
    pub crossing: &'static str,
    pub right: &'static str,
    pub left: &'static str,
    pub lost: &'static str,
    /// The end of a message that arrives in a step that is left out.
    pub elsewhere: &'static str,
    pub ellipsis: &'static str,
    /// The end of a label that is cut.
    pub cut: &'static str,
    /// The marker of steps that show the violation.
    pub root: &'static str,
    /// The marker of witnesses at the end of the run.
    pub missing: &'static str,
    /// A fault that lasts: its first row, the rows between, its last row.
    pub fault: [&'static str; 3],
    dot: &'static str,
    announces: &'static str,
    timer: &'static str,
    suspicion: &'static str,
    recover: &'static str,
    pause: &'static str,
    resume: &'static str,
    own_fault: &'static str,
}

const UNICODE: Alphabet = Alphabet {
    signs: Signs::Unicode,
    lane: "│",
    folded: "┊",
    paused: "╎",
    byzantine: "║",
    stroke: "─",
    dash: "┄",
    crossing: "┼",
    right: "▶",
    left: "◀",
    lost: "x",
    elsewhere: "…",
    ellipsis: "…",
    cut: "…",
    root: ">",
    missing: "✗",
    fault: ["┌", "│", "└"],
    dot: "●",
    announces: "■",
    timer: "○",
    suspicion: "◇",
    recover: "▲",
    pause: "=",
    resume: "▷",
    own_fault: "◆",
};

const ASCII: Alphabet = Alphabet {
    signs: Signs::Ascii,
    lane: "|",
    folded: ":",
    paused: "'",
    byzantine: "\"",
    stroke: "-",
    dash: ".",
    crossing: "+",
    right: ">",
    left: "<",
    lost: "x",
    elsewhere: "~",
    ellipsis: "...",
    cut: "",
    root: ">",
    missing: "!",
    fault: [".", ":", "'"],
    dot: "*",
    announces: "#",
    timer: "o",
    suspicion: "?",
    recover: "^",
    pause: "=",
    resume: "~",
    own_fault: "!",
};

impl Alphabet {
    /// The alphabet of these characters.
    pub const fn of(signs: Signs) -> &'static Self {
        match signs {
            Signs::Unicode => &UNICODE,
            Signs::Ascii => &ASCII,
        }
    }

    /// The sign of a step.
    pub const fn sign(&self, mark: &Mark) -> &'static str {
        match mark.glyph {
            Glyph::Crash => "X",
            Glyph::Recover => self.recover,
            Glyph::Pause => self.pause,
            Glyph::Resume => self.resume,
            Glyph::Fault => self.own_fault,
            _ if mark.announces => self.announces,
            Glyph::Suspicion => self.suspicion,
            Glyph::Timer => self.timer,
            Glyph::Dot | Glyph::Network => self.dot,
        }
    }

    /// A text in these characters.
    pub fn text(&self, text: &str) -> String {
        if self.signs == Signs::Unicode {
            return text.to_owned();
        }
        let mut ascii = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '…' => ascii.push_str(self.ellipsis),
                '—' | '–' => ascii.push('-'),
                c if c.is_ascii() => ascii.push(c),
                c => ascii.extend(c.escape_unicode()),
            }
        }
        ascii
    }
}
