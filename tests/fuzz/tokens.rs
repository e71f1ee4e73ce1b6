//! TOML and JSON as tokens: enough of them to change one thing and leave the rest as it is.

use std::ops::Range;

/// A part of a text that is worth changing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Where it stands.
    pub at: Range<usize>,
    /// What it is.
    pub what: What,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// What stands before `=` or, in JSON, before `:`.
    Key,
    /// A string, a number, a word.
    Value,
    /// A part of `[network]` or `[[fault]]`.
    Header,
    /// A bracket, a comma, a sign.
    Mark,
}

/// The tokens of a text, whole or damaged.
pub fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let (mut at, mut in_header, mut line_begins) = (0, false, true);
    while at < bytes.len() {
        let begins = line_begins;
        match bytes[at] {
            b'\n' => {
                (in_header, line_begins) = (false, true);
                at += 1;
                continue;
            }
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'#' => at = end_of_line(bytes, at),
            quote @ (b'"' | b'\'') => {
                let end = end_of_string(bytes, at, quote);
                found.push(Token { at: at..end, what: what(bytes, end, in_header, true) });
                at = end;
            }
            byte if is_word(byte) => {
                let length = bytes[at..].iter().take_while(|byte| is_word(**byte)).count();
                let end = at + length;
                found.push(Token { at: at..end, what: what(bytes, end, in_header, false) });
                at = end;
            }
            byte => {
                in_header |= begins && byte == b'[';
                found.push(Token { at: at..at + 1, what: What::Mark });
                at += 1;
            }
        }
        line_begins = false;
    }
    found
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'.') || byte >= 0x80
}

fn end_of_line(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| from + at)
}

/// Behind the closing quote, or the end of the line if there is none.
fn end_of_string(bytes: &[u8], from: usize, quote: u8) -> usize {
    let line = end_of_line(bytes, from);
    let mut at = from + 1;
    while at < line {
        match bytes[at] {
            byte if byte == quote => return at + 1,
            b'\\' if quote == b'"' => at += 2,
            _ => at += 1,
        }
    }
    line
}

fn what(bytes: &[u8], end: usize, in_header: bool, is_string: bool) -> What {
    let next = bytes[end..].iter().find(|byte| !matches!(byte, b' ' | b'\t'));
    match next {
        _ if in_header => What::Header,
        Some(b'=') => What::Key,
        Some(b':') if is_string => What::Key,
        _ => What::Value,
    }
}
