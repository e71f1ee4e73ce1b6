//! Collects what is wrong with a scenario, so that all of it is told at once.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::source::{Places, Source};

/// What is wrong so far.
pub struct Problems<'a> {
    source: Arc<Source>,
    /// Where keys and values stand.
    pub places: Places<'a>,
    found: Vec<Diagnostic>,
}

impl<'a> Problems<'a> {
    /// Nothing is wrong yet.
    pub const fn new(source: Arc<Source>, places: Places<'a>) -> Self {
        Self { source, places, found: Vec::new() }
    }

    /// Something is wrong with the value under `path`, or under the nearest path above it.
    pub fn value(&mut self, path: &str, message: impl Into<String>) -> Hint<'_> {
        let span = self.places.nearest(path).map(|place| place.value);
        self.push(span, message.into())
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
        self.push(span, message.to_owned()).expected(error.message(), expected);
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
        let source = Arc::clone(&self.source);
        self.found.push(Diagnostic { message, source, span, label: None, help: None });
        Hint(self.found.last_mut().expect("just pushed"))
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
    fn expected(self, said: &str, expected: Option<&str>) {
        let Some(expected) = expected else { return };
        self.0.label = Some(format!("expected {}", plain_words(expected)));
        self.0.help = unknown_name(said).and_then(|name| did_you_mean(name, backquoted(expected)));
    }
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
