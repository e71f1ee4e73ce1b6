//! How a scenario writes what becomes of one message.

use ftsim_core::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::value::Count;

/// An override for one message: it is lost (`drop`), or it arrives as stated (`delay`, `duplicate`,
/// and one of `corrupt` and `replace`).
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageFile {
    /// Its sender and its receiver: `"p0 -> p2"`.
    pub link: String,
    /// The number of the message on this link, or of this kind on it, counted from 1. Default: 1.
    pub nth: Option<Count>,
    /// Its kind, as traces show it. Default: any kind.
    pub kind: Option<String>,
    /// It is lost.
    pub drop: Option<bool>,
    /// It arrives exactly this long after it was sent.
    pub delay: Option<Duration>,
    /// It arrives, and a copy arrives this long after it was sent.
    pub duplicate: Option<Duration>,
    /// One part of its content is changed in transit.
    pub corrupt: Option<bool>,
    /// Its content is replaced by this message of the protocol, given as JSON.
    pub replace: Option<Value>,
}
