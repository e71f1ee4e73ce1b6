//! How a repro says which run it stands for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::value::Count;

/// The run that this file reproduces; `ftsim replay` compares with it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReproFile {
    /// The seed, the only one of this scenario.
    pub seed: Count,
    /// The digest of the run.
    pub digest: String,
    /// The version of ftsim that executed the run.
    pub engine: String,
    /// The properties that the run violated; `panicked` for a panic.
    pub violated: Vec<String>,
    /// The command that found it.
    pub command: Option<String>,
    /// The number of events that each of `marks` covers.
    pub marks_every: Option<Count>,
    /// A rolling digest of the events, four hexadecimal digits each, which shows where another run
    /// begins to differ.
    pub marks: Option<String>,
}
