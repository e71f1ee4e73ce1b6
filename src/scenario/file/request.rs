//! How a scenario writes what a client asks for, and when.

use ftsim_core::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::value::Count;

/// An override for one request of a client.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestFile {
    /// The process that it is addressed to.
    pub process: String,
    /// The number of the request among those to that process, counted from 1 in the order in which
    /// clients decide on them. Default: 1.
    pub nth: Option<Count>,
    /// It arrives this long after the client has decided on it.
    pub after: Option<Duration>,
    /// It is replaced by this request, given as JSON.
    pub replace: Option<Value>,
}
