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

/// The format of a run that can be made again: the formats of a trace, and those of other tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RunFormat {
    /// Text.
    Text,
    /// One JSON object per line.
    Jsonl,
    /// A log for ShiViz.
    Shiviz,
    /// A trace for Perfetto and for the tracing page of Chrome.
    ChromeTrace,
    /// What happened before what, for Graphviz.
    Dot,
    /// The states of processes, for tools that read ITF (Apalache, Quint).
    Itf,
    /// The operations of clients and the faults, as a Jepsen history.
    Edn,
}

impl RunFormat {
    /// The format of the trace, unless it is one of another tool.
    pub(crate) const fn of_trace(self) -> Option<TraceFormat> {
        match self {
            Self::Text => Some(TraceFormat::Text),
            Self::Jsonl => Some(TraceFormat::Jsonl),
            Self::Shiviz | Self::ChromeTrace | Self::Dot | Self::Itf | Self::Edn => None,
        }
    }
}
