//! Output formats.

use clap::ValueEnum;

use super::screen::Form;

/// The format of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text.
    Text,
    /// One JSON object.
    Json,
}

impl Format {
    /// The form of the output, for the filter.
    pub(crate) const fn form(self) -> Form {
        match self {
            Self::Text => Form::Text,
            Self::Json => Form::Data,
        }
    }
}

/// The format of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TraceFormat {
    /// Text.
    Text,
    /// One JSON object per line.
    Jsonl,
}

impl TraceFormat {
    /// The form of the output, for the filter.
    pub(crate) const fn form(self) -> Form {
        match self {
            Self::Text => Form::Text,
            Self::Jsonl => Form::Data,
        }
    }
}
