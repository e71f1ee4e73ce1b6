//! How a scenario writes that a request is not made.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::value::Count;

/// A client's request that never reaches its process; the client continues as if it had been made.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaskFile {
    /// The process that it is addressed to.
    pub process: String,
    /// The number of the request among those to that process, counted from 1, including masked
    /// ones.
    pub request: Count,
}
