//! In which form results are written.

use clap::ValueEnum;

use super::screen::Form;

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs: one object.
    Json,
}

impl Format {
    /// What of it may be obeyed.
    pub(crate) const fn form(self) -> Form {
        match self {
            Self::Text => Form::Text,
            Self::Json => Form::Data,
        }
    }
}

/// How a run is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TraceFormat {
    /// For people.
    Text,
    /// For programs: an object a line.
    Jsonl,
}

impl TraceFormat {
    /// What of it may be obeyed.
    pub(crate) const fn form(self) -> Form {
        match self {
            Self::Text => Form::Text,
            Self::Jsonl => Form::Data,
        }
    }
}
