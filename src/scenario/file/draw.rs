//! How a scenario writes what is drawn.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The first small draws of a process, of the clients, or of the disks.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DrawFile {
    /// A process, `"clients"`, or `"disks"`, which draw what a crash leaves.
    pub by: String,
    /// What each of its draws from at most 16 values comes to, in their order: 0 for the first
    /// value, or for no; what it draws after these is drawn from the seed.
    pub values: Vec<u8>,
}
