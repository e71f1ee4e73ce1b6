//! Untrusted text, made safe for its destination: the content of scenario files and of results,
//! names of files, and everything that a protocol prints about itself.
//!
//! A terminal interprets escape sequences and control characters, and shows text after a
//! bidirectional override backwards; the log of a CI service interprets lines that begin with `::`,
//! and GitHub interprets Markdown. Such text must be written through [`foreign`].

use std::borrow::Cow;
use std::fmt::Write as _;

/// The destination of untrusted text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// A line on a terminal, or in a log.
    Line,
    /// A line of Markdown, in a table or outside.
    Markdown,
    /// The message of a GitHub annotation.
    Annotation,
    /// The value of a property in a GitHub annotation.
    AnnotationProperty,
    /// A label in a Mermaid diagram.
    Mermaid,
}

/// The text on one line, escaped so that this medium shows it literally.
pub fn foreign(text: &str, medium: Medium) -> Cow<'_, str> {
    let line = one_line(text);
    match medium {
        Medium::Line => line,
        Medium::Markdown => replaced(line, |c| match c {
            '|' | '*' | '_' | '`' | '<' | '>' | '#' | '[' | ']' | '\\' | '&' | '~' | '$' => {
                Some(format!("\\{c}"))
            }
            _ => None,
        }),
        Medium::Annotation => replaced(line, |c| (c == '%').then(|| "%25".to_owned())),
        Medium::AnnotationProperty => replaced(line, |c| match c {
            '%' => Some("%25".to_owned()),
            ':' => Some("%3A".to_owned()),
            ',' => Some("%2C".to_owned()),
            _ => None,
        }),
        // A semicolon would end the line, a number sign begin an entity.
        Medium::Mermaid => replaced(line, |c| match c {
            ';' => Some(",".to_owned()),
            '#' => Some("no. ".to_owned()),
            '<' | '>' => Some("'".to_owned()),
            _ => None,
        }),
    }
}

/// The text as a line on a terminal or in a log.
pub fn line(text: &str) -> Cow<'_, str> {
    foreign(text, Medium::Line)
}

/// Whether a terminal, or a program that reads its text, may interpret this character: controls of
/// ASCII and Latin-1, line separators of Unicode, and characters that change the direction of text.
pub const fn is_active(c: char) -> bool {
    matches!(
        c,
        '\0'..='\x1f'
            | '\x7f'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{206f}'
            | '\u{feff}'
    )
}

/// JSON in which characters that are active, or that `also` names, are escaped; line ends between
/// values stay.
pub(crate) fn calm_json(json: &str, also: &[char]) -> String {
    let mut calm = String::with_capacity(json.len());
    for c in json.chars() {
        if (is_active(c) && c != '\n') || also.contains(&c) {
            let _ = write!(calm, "\\u{:04x}", u32::from(c));
        } else {
            calm.push(c);
        }
    }
    calm
}

fn one_line(text: &str) -> Cow<'_, str> {
    replaced(Cow::Borrowed(text), |c| is_active(c).then(|| escaped(c)))
}

/// The character as a Rust escape sequence.
fn escaped(c: char) -> String {
    match c {
        '\n' | '\r' | '\t' => c.escape_default().to_string(),
        c => c.escape_unicode().to_string(),
    }
}

fn replaced(text: Cow<'_, str>, by: impl Fn(char) -> Option<String>) -> Cow<'_, str> {
    let Some(first) = text.char_indices().find(|(_, c)| by(*c).is_some()).map(|(at, _)| at) else {
        return text;
    };
    let mut new = text[..first].to_owned();
    for c in text[first..].chars() {
        match by(c) {
            Some(other) => new.push_str(&other),
            None => new.push(c),
        }
    }
    Cow::Owned(new)
}

/// The text as a single word for a shell.
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./+:@%,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    if !text.contains(is_active) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    // POSIX.1-2024 has these quotes, in which non-printable bytes can be escaped.
    let mut word = "$'".to_owned();
    for c in text.chars() {
        match c {
            '\'' | '\\' => word.extend(['\\', c]),
            '\n' => word.push_str("\\n"),
            c if is_active(c) => {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(word, "\\{byte:03o}");
                }
            }
            c => word.push(c),
        }
    }
    word.push('\'');
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\u{1b}[2J\n::error::x\u{7}\u{9b}31m\u{85}\u{202e}\u{2066}b\r\tc";

    #[test]
    fn a_line_is_one_line_and_nothing_in_it_is_obeyed() {
        assert_eq!(
            line(HOSTILE),
            r"a\u{1b}[2J\n::error::x\u{7}\u{9b}31m\u{85}\u{202e}\u{2066}b\r\tc"
        );
        assert!(matches!(line("Prepare(1), … é 漢 — \\"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_github_reads_as_its_own_is_escaped() {
        let shown = |text, medium| foreign(text, medium).into_owned();
        assert_eq!(shown("50 %\nof a: b", Medium::Annotation), r"50 %25\nof a: b");
        assert_eq!(shown("a: b, c", Medium::AnnotationProperty), "a%3A b%2C c");
        assert_eq!(shown("p# | a_b\n<c>", Medium::Markdown), "p\\# \\| a\\_b\\\\n\\<c\\>");
        assert_eq!(shown("**x** [a](b) ~c~", Medium::Markdown), r"\*\*x\*\* \[a\](b) \~c\~");
    }

    #[test]
    fn a_word_for_a_shell_is_one_line() {
        assert_eq!(shell_word("a/b-1.toml"), "a/b-1.toml");
        assert_eq!(shell_word("x y's"), r"'x y'\''s'");
        assert_eq!(shell_word("a\u{1b}\n'\u{85}"), r"$'a\033\n\'\302\205'");
        assert!(!shell_word(HOSTILE).contains(is_active));
    }
}
