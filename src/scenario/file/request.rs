//! How a scenario writes what a client asks for, and when.

use ftsim_core::Duration;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::value::Count;

/// One request, whatever the clients have drawn.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestFile {
    /// Who is asked.
    pub process: String,
    /// Which of the requests to that process, counted from 1 in the order in which clients decide
    /// on them; the first unless said otherwise.
    pub nth: Option<Count>,
    /// It comes this long after the clients have decided on it.
    pub after: Option<Duration>,
    /// It asks for this instead: a request as its JSON.
    pub replace: Option<Value>,
}
