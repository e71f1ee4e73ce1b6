//! Filters standard output and standard error: nothing passes that a terminal or a CI service would
//! interpret, except our own styles and line ends.
//!
//! Reports write untrusted text with [`ftsim_reports::foreign`], on one line. This filter is the
//! second line of defence: it escapes, character by character, whatever bypassed the first.

use std::borrow::Cow;
use std::io::{self, Write};

use ftsim_reports::is_active;

/// The form of the output, which determines how a dangerous character is escaped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Plain text.
    #[default]
    Text,
    /// JSON or TOML: both read `\u009b` inside a string as the character itself.
    Data,
    /// Commands for GitHub Actions: lines that begin with `::`.
    Commands,
}

/// The number of bytes that are buffered before they are passed on.
const GATHERED: usize = 1 << 16;

/// A filter in front of a writer. It buffers whole lines and passes them on in large pieces; in
/// between it holds no lock, so that a protocol can print.
pub struct Screen<W> {
    to: W,
    form: Form,
    gathered: Vec<u8>,
    /// The length of the whole lines in the buffer.
    whole: usize,
    closed: bool,
}

impl<W: Write> Screen<W> {
    /// A filter in front of this writer.
    pub const fn new(to: W) -> Self {
        Self { to, form: Form::Text, gathered: Vec::new(), whole: 0, closed: false }
    }

    /// Sets the form of the output that follows.
    ///
    /// # Errors
    /// If the output so far cannot be passed on.
    pub fn begin(&mut self, form: Form) -> io::Result<()> {
        self.pass_on(self.gathered.len())?;
        self.form = form;
        Ok(())
    }

    /// Whether the reader closed the pipe. Further output is then discarded, which is no error: the
    /// exit status does not depend on how much of the output is read.
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Passes on the first `count` bytes.
    fn pass_on(&mut self, count: usize) -> io::Result<()> {
        let result = if count == 0 || self.closed {
            Ok(())
        } else {
            let text = String::from_utf8_lossy(&self.gathered[..count]);
            self.to.write_all(defused(&text, self.form).as_bytes())
        };
        self.gathered.drain(..count);
        self.whole = 0;
        self.unless_closed(result)
    }

    fn unless_closed(&mut self, result: io::Result<()>) -> io::Result<()> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            other => other,
        }
    }
}

impl<W: Write> Write for Screen<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.closed {
            return Ok(bytes.len());
        }
        if let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') {
            self.whole = self.gathered.len() + end + 1;
        }
        self.gathered.extend_from_slice(bytes);
        if self.whole >= GATHERED {
            self.pass_on(self.whole)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass_on(self.gathered.len())?;
        if self.closed {
            return Ok(());
        }
        let flushed = self.to.flush();
        self.unless_closed(flushed)
    }
}

/// The text with everything that would be interpreted escaped.
pub fn defused(text: &str, form: Form) -> Cow<'_, str> {
    let is_suspicious = |byte: u8| {
        // The first byte of an active character outside ASCII, or of a command.
        byte < b' ' && byte != b'\n' || matches!(byte, 0x7f | 0xc2 | 0xd8 | 0xe2 | 0xef | b'#')
    };
    let begins_a_command =
        || text.split_inclusive('\n').any(|line| line.trim_start().starts_with(':'));
    if !text.bytes().any(is_suspicious) && (form == Form::Commands || !begins_a_command()) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    let mut begins = true;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let style = style(rest);
        if let Some(length) = style {
            safe.push_str(&rest[..length]);
            rest = &rest[length..];
            continue;
        }
        let after = &rest[c.len_utf8()..];
        let is_command = match c {
            ':' => begins && form != Form::Commands && shown(after).starts_with(':'),
            '#' => ["#[", "#vso[", "#teamcity["].iter().any(|other| after.starts_with(other)),
            _ => false,
        };
        if is_command || (is_active(c) && !matches!(c, '\n' | '\t')) {
            push_escaped(&mut safe, c, form);
        } else {
            safe.push(c);
        }
        begins = c == '\n' || (begins && c.is_whitespace());
        rest = after;
    }
    Cow::Owned(safe)
}

/// The text after its leading styles.
fn shown(text: &str) -> &str {
    let mut text = text;
    while let Some(length) = style(text) {
        text = &text[length..];
    }
    text
}

/// The length of the style that the text begins with, if it is one that we write: no colour that
/// could hide text, no blinking.
fn style(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("\u{1b}[")?;
    let codes = rest.split_once('m')?.0;
    let is_ours =
        |code: &str| matches!(code, "0" | "1" | "2" | "4" | "22") || is_colour(code.as_bytes());
    codes.split(';').all(is_ours).then_some("\u{1b}[m".len() + codes.len())
}

/// Red to cyan, dark or bright.
const fn is_colour(code: &[u8]) -> bool {
    matches!(code, [b'3' | b'9', b'1'..=b'6'])
}

fn push_escaped(text: &mut String, c: char, form: Form) {
    match (form, c) {
        (Form::Data, c) => text.push_str(&format!("\\u{:04x}", u32::from(c))),
        (_, '\r') => text.push_str("\\r"),
        (_, c) => text.extend(c.escape_unicode()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_styles_pass() {
        let ours = "\u{1b}[1m\u{1b}[91mVIOLATED\u{1b}[0m and\ttext\n";
        assert_eq!(defused(ours, Form::Text), ours);
        let theirs = "\u{1b}[2J\u{1b}]0;x\u{7}\u{1b}[8m\u{9b}31m\u{85}\r\u{202e}\u{1b}[";
        assert_eq!(
            defused(theirs, Form::Text),
            r"\u{1b}[2J\u{1b}]0;x\u{7}\u{1b}[8m\u{9b}31m\u{85}\r\u{202e}\u{1b}["
        );
        assert_eq!(defused("{\"a\u{9b}\":1}", Form::Data), r#"{"a\u009b":1}"#);
    }

    #[test]
    fn no_line_is_a_command() {
        let lines = "::error::a\n  ::error::b\n\u{1b}[1m:\u{1b}[0m:error::c\na ::error\n";
        let safe = r"\u{3a}:error::a
  \u{3a}:error::b
E1m\u{3a}E0m:error::c
a ::error
";
        assert_eq!(defused(lines, Form::Text), safe.replace('E', "\u{1b}["));
        assert_eq!(defused("::error::a\n", Form::Commands), "::error::a\n");
        assert_eq!(
            defused("x ##[error]y ##vso[a]", Form::Text),
            r"x \u{23}#[error]y \u{23}#vso[a]"
        );
        assert_eq!(defused("## a # [b]", Form::Text), "## a # [b]");
    }

    /// A writer that fails with this error after this many bytes.
    struct Full(usize, io::ErrorKind);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(self.1.into());
            }
            let count = bytes.len().min(self.0);
            self.0 -= count;
            Ok(count)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_no_error_and_a_full_device_is_one() {
        let mut closed = Screen::new(Full(10, io::ErrorKind::BrokenPipe));
        for _ in 0..100_000 {
            writeln!(closed, "a line").expect("a closed pipe is no error");
        }
        closed.flush().expect("a closed pipe is no error");
        assert!(closed.is_closed());
        let mut full = Screen::new(Full(10, io::ErrorKind::StorageFull));
        writeln!(full, "a longer line").expect("it is buffered");
        assert_eq!(full.flush().map_err(|e| e.kind()), Err(io::ErrorKind::StorageFull));
    }

    #[test]
    fn characters_in_two_pieces_are_whole() {
        let mut bytes = Vec::new();
        let mut screen = Screen::new(&mut bytes);
        for byte in "é…\n".repeat(50_000).bytes() {
            screen.write_all(&[byte]).expect("writing to a vector cannot fail");
        }
        screen.flush().expect("writing to a vector cannot fail");
        assert_eq!(String::from_utf8(bytes).expect("UTF-8"), "é…\n".repeat(50_000));
    }
}
