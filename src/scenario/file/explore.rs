//! How `ftsim explore` explores a scenario, as a file says it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Count;

/// How `ftsim explore` explores the scenario; options of the command go before.
#[derive(Clone, Debug, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExploreFile {
    /// The crashes in a run. Default: as many as the protocol tolerates.
    pub crashes: Option<Count>,
    /// How many of the crashed processes recover. Default: 1 if the protocol is made for it.
    pub recoveries: Option<Count>,
    /// The messages that are lost in a run. Default: 1 on fair-loss links.
    pub losses: Option<Count>,
    /// The messages that arrive twice in a run. Default: 1 on fair-loss links.
    pub duplicates: Option<Count>,
    /// The wrong suspicions in a run. Default: 0.
    pub suspicions: Option<Count>,
    /// The timers of each process that run out before they are due. Default: 0.
    pub timeouts: Option<Count>,
    /// The small draws of each process that are chosen: its first ones. Default: 0.
    pub coins: Option<Count>,
    /// The small draws of the clients that are chosen: their first ones. Default: 0.
    pub votes: Option<Count>,
    /// The steps after which a run is cut off. Default: 200.
    pub steps: Option<Count>,
    /// How time passes. Default: in lockstep if the protocol needs a bound on delays.
    pub time: Option<ExploreTimeFile>,
}

/// How time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExploreTimeFile {
    /// Any pending event can be next.
    Free,
    /// Every message takes exactly the bound on delays.
    Lockstep,
}
