//! Collects what is wrong with a scenario, so that all of it is told at once.

use std::sync::Arc;

use crate::scenario::diagnostic::{Diagnostic, Severity, did_you_mean, nearest};
use crate::scenario::source::{Places, Source, Span};

/// What is wrong so far.
pub struct Problems<'a> {
    source: Arc<Source>,
    /// Where keys and values stand.
    pub places: Places<'a>,
    found: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

impl<'a> Problems<'a> {
    /// Nothing is wrong yet.
    pub const fn new(source: Arc<Source>, places: Places<'a>) -> Self {
        Self { source, places, found: Vec::new(), warnings: Vec::new() }
    }

    /// Whether the file itself says something under `path`.
    pub fn is_given(&self, path: &str) -> bool {
        self.places.get(path).is_some()
    }

    /// Something is wrong with the value under `path`, or under the nearest path above it.
    pub fn value(&mut self, path: &str, message: impl Into<String>) -> Hint<'_> {
        let span = self.places.nearest(path).map(|place| place.value);
        self.push(span, message.into())
    }

    /// The value under `path`, or under the nearest path above it, can be used but may not be
    /// meant.
    pub fn warn(&mut self, path: &str, message: impl Into<String>) -> Hint<'_> {
        let span = self.places.nearest(path).map(|place| place.value);
        let warning = self.diagnostic(Severity::Warning, span, message.into());
        self.warnings.push(warning);
        Hint(self.warnings.last_mut().expect("just pushed"))
    }

    /// The warnings, in the order of the text.
    pub fn take_warnings(&mut self) -> Vec<Diagnostic> {
        let mut warnings = std::mem::take(&mut self.warnings);
        warnings.sort_by_key(|d| d.span.as_ref().map_or(0, |span| span.start));
        warnings
    }

    /// Something is wrong with the key under `path` itself.
    pub fn key(&mut self, path: &str, message: impl Into<String>) -> Hint<'_> {
        let span = self.places.nearest(path).map(|place| place.key);
        self.push(span, message.into())
    }

    /// A value that names none of the valid ones.
    pub fn unknown(&mut self, path: &str, noun: &str, name: &str, valid: &[&str]) {
        self.value(path, format!("unknown {noun} `{name}`")).of(noun, name, valid);
    }

    /// A key that names none of the valid ones.
    pub fn unknown_key(&mut self, path: &str, noun: &str, name: &str, valid: &[&str]) {
        self.key(path, format!("unknown {noun} `{name}`")).of(noun, name, valid);
    }

    /// What serde says of the file. It stops at the first error.
    pub fn serde(&mut self, error: &toml::de::Error) {
        let span = error.span().filter(|span| *span != (0..0));
        let (message, expected) = split_expected(error.message());
        let list = span.as_ref().and_then(|span| self.list_under(span));
        let is_table = message == "duplicate key" || expected == Some("a sequence");
        if is_out_of_range(message) {
            let hint = self.push(span, "this number is out of range".to_owned());
            hint.label(format!("expected {} to {}", i64::MIN, i64::MAX));
            return;
        }
        let hint = self.push(span, message.to_owned()).expected(error.message(), expected);
        if let Some(list) = list.filter(|_| is_table) {
            hint.help(format!("write `[[{list}]]` above each of them, in two pairs of brackets"));
        }
    }

    /// The list that the header in this line is about, if it is written as that of a table.
    fn list_under(&self, span: &Span) -> Option<&'static str> {
        let text = &self.source.text;
        let start = text.get(..span.start)?.rfind('\n').map_or(0, |end| end + 1);
        let line = text.get(start..)?.lines().next()?;
        let header = line.trim().strip_prefix('[')?;
        let name: String = header.split(']').next()?.split_whitespace().collect();
        LISTS.iter().find(|list| **list == name.trim_start_matches('[')).copied()
    }

    /// What a protocol or a spec says of its settings; `key` begins with `params` or `workload`.
    pub fn invalid(&mut self, key: &str, said: &str) {
        let (message, expected) = split_expected(said);
        let hint = match unknown_name(said) {
            Some(_) => self.key(key, message),
            None => self.value(key, message),
        };
        hint.expected(said, expected);
    }

    /// Whether nothing is wrong so far.
    pub const fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// What is wrong, in the order of the text: the first of it, and how much more there is.
    pub fn into_diagnostics(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|d| d.span.as_ref().map_or(0, |span| span.start));
        Diagnostic::bounded(self.found)
    }

    fn push(&mut self, span: Option<std::ops::Range<usize>>, message: String) -> Hint<'_> {
        let error = self.diagnostic(Severity::Error, span, message);
        self.found.push(error);
        Hint(self.found.last_mut().expect("just pushed"))
    }

    fn diagnostic(&self, severity: Severity, span: Option<Span>, message: String) -> Diagnostic {
        let source = Arc::clone(&self.source);
        Diagnostic { severity, message, source, span, label: None, help: None }
    }
}

/// A diagnostic that can still say what was expected, and what to do.
pub struct Hint<'a>(&'a mut Diagnostic);

impl Hint<'_> {
    /// Says beside the text what was expected.
    pub fn label(self, label: impl Into<String>) -> Self {
        self.0.label = Some(label.into());
        self
    }

    /// Says below it what to do.
    pub fn help(self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// The name of a noun is none of the valid ones.
    fn of(self, noun: &str, name: &str, valid: &[&str]) {
        self.0.help = did_you_mean(name, valid.iter().copied());
        self.0.label = match valid {
            [] => Some(format!("there is no {noun}")),
            [only] => Some(format!("expected `{only}`")),
            several if several.len() <= LISTED_MAX => {
                Some(format!("expected one of {}", quoted(several)))
            }
            _ => None,
        };
    }

    /// What serde expected, and what of it the user may have meant.
    fn expected(self, said: &str, expected: Option<&str>) -> Self {
        let Some(expected) = expected else { return self };
        self.0.label = Some(format!("expected {}", plain_words(expected)));
        self.0.help = unknown_name(said).and_then(|name| did_you_mean(name, backquoted(expected)));
        self
    }
}

/// Keys that are lists of tables.
const LISTS: &[&str] = &[
    "fault",
    "message",
    "request",
    "mask",
    "draw",
    "network.link",
    "detector.mistakes",
    "detector.blind",
    "detector.notice",
];

/// A field that serde does not know.
pub struct UnknownField<'m> {
    /// The field that was probably meant.
    pub meant: Option<&'m str>,
}

impl<'m> UnknownField<'m> {
    /// The field that an error is about.
    pub fn of(message: &'m str) -> Option<Self> {
        let name = unknown_name(message).filter(|_| message.starts_with("unknown field"))?;
        let (_, expected) = split_expected(message);
        let meant = expected.and_then(|expected| nearest(name, backquoted(expected)));
        Some(Self { meant })
    }
}

/// Whether serde says that a number is beyond 64 bits, in whatever words.
fn is_out_of_range(message: &str) -> bool {
    let of_all = ["integer number overflowed", "JSON number out of range"];
    of_all.contains(&message) || message.contains("` as i128") || message.contains("` as u128")
}

/// More names than this are not listed: the nearest one must do.
const LISTED_MAX: usize = 24;

/// Rust's names of types as a writer of scenarios would say them.
fn plain_words(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "a table",
        other => other.strip_prefix("struct ").map_or(other, |_| "a table"),
    }
}

/// `` `a`, `b` ``.
pub fn quoted(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// serde's `what is wrong, expected what it should be`.
fn split_expected(message: &str) -> (&str, Option<&str>) {
    match message.split_once(", expected ") {
        Some((wrong, expected)) => (wrong, Some(expected)),
        None => (message, None),
    }
}

/// The name in serde's ``unknown field `x` ``.
fn unknown_name(message: &str) -> Option<&str> {
    let rest = message
        .strip_prefix("unknown field `")
        .or_else(|| message.strip_prefix("unknown variant `"))?;
    rest.split('`').next()
}

/// The names in serde's ``one of `a`, `b` ``.
fn backquoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}
