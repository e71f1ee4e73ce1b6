//! Text that somebody else wrote, made safe for where it goes: the content of scenario files and of
//! results, names of files, whatever a protocol says of itself.
//!
//! A terminal obeys escape sequences and control characters, and shows text behind a bidirectional
//! override backwards; the log of a CI service obeys lines that begin with `::`, and GitHub reads
//! Markdown. Whoever writes such text writes it with [`foreign`].

use std::borrow::Cow;
use std::fmt::Write as _;

/// Where foreign text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// A line of a terminal, or of a log.
    Line,
    /// A line of Markdown, in a table or outside of one.
    Markdown,
    /// The message of an annotation of GitHub.
    Annotation,
    /// The value of a property of an annotation of GitHub.
    AnnotationProperty,
    /// A label in a diagram for Mermaid.
    Mermaid,
}

/// The text as this medium shows it, in one line, and takes none of it for its own.
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

/// The text as a line of a terminal or of a log.
pub fn line(text: &str) -> Cow<'_, str> {
    foreign(text, Medium::Line)
}

/// Whether a terminal, or who reads its text, may take this character for something else than a
/// character: controls of ASCII and of Latin-1, line separators of Unicode, and what turns the
/// direction of text.
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

fn one_line(text: &str) -> Cow<'_, str> {
    replaced(Cow::Borrowed(text), |c| is_active(c).then(|| escaped(c)))
}

/// The character as Rust writes it in a literal.
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

/// The text as a shell takes it for one word.
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./+:@%,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    if !text.contains(is_active) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    // POSIX.1-2024 has these quotes; they say each byte of what cannot be shown.
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
