//! How a scenario writes that a request is not made.

use schemars::JsonSchema;
use serde::Deserialize;

use super::value::Count;

/// A client's request that no process hears of; the client goes on as if it had been made.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaskFile {
    /// For whom it is.
    pub process: String,
    /// Which of the requests for that process, counted from 1; those that are masked count too.
    pub request: Count,
}
