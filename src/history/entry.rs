//! One entry of a history, and what can be wrong with it.

use std::fmt;

use ftsim_protocols::spec::linearizability::value::Value;

/// A position in a file, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Place {
    /// The position of this byte of a text.
    pub(crate) fn of(text: &str, byte: usize) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        Self { line, column: before[start..].chars().count() + 1 }
    }
}

/// Why a file is no history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub(crate) struct HistoryError {
    pub(crate) place: Place,
    pub(crate) message: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// An entry: its fields, each with the place of its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) place: Place,
    pub(crate) fields: Vec<(String, Value, Place)>,
}

impl Entry {
    /// A field, by its name without a colon.
    pub(crate) fn field(&self, name: &str) -> Option<(&Value, Place)> {
        let field = self.fields.iter().find(|(known, ..)| known == name)?;
        Some((&field.1, field.2))
    }

    /// A field that must be there.
    pub(crate) fn needs(&self, name: &str) -> Result<(&Value, Place), HistoryError> {
        self.field(name).ok_or_else(|| HistoryError {
            place: self.place,
            message: format!("an entry needs the field `{name}`"),
        })
    }

    /// A field that must be a name: a keyword, or a text in JSON.
    pub(crate) fn name(&self, field: &str) -> Result<(&str, Place), HistoryError> {
        let (value, place) = self.needs(field)?;
        name(value).map(|name| (name, place)).ok_or_else(|| HistoryError {
            place,
            message: format!("`{field}` must be a name, but is {value}"),
        })
    }
}

/// A keyword, symbol or text, without a colon.
pub(crate) fn name(value: &Value) -> Option<&str> {
    match value {
        Value::Name(name) => Some(name.strip_prefix(':').unwrap_or(name)),
        Value::Text(text) => Some(text),
        _ => None,
    }
}
