//! How a scenario writes what becomes of one message.

use ftsim_core::Duration;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::value::Count;

/// One message: that it is lost (`drop`), or how it arrives (`delay`, `duplicate`, and one of
/// `corrupt` and `replace`).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageFile {
    /// Its sender and its receiver: `"p0 -> p2"`.
    pub link: String,
    /// Which message on this link, or of this kind on it, counted from 1; the first unless said
    /// otherwise.
    pub nth: Option<Count>,
    /// Its kind, as traces show it; any unless said otherwise.
    pub kind: Option<String>,
    /// It is lost.
    pub drop: Option<bool>,
    /// It takes exactly this long.
    pub delay: Option<Duration>,
    /// It arrives, and a copy of it this long after it was sent.
    pub duplicate: Option<Duration>,
    /// Its content is changed on the way, in one part of it.
    pub corrupt: Option<bool>,
    /// It says this instead: a message of the protocol, as its JSON.
    pub replace: Option<Value>,
}
