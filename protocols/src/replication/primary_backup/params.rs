//! The parameters of primary-backup.

use ftsim_core::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The backups whose acknowledgements the primary awaits before it replies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AckWait {
    /// None: a crash of the primary can lose acknowledged updates.
    None,
    /// One, if there is one left: tolerates one crash if `succession` is `most-advanced`.
    One,
    /// All that are not known to be down.
    #[default]
    All,
    /// Enough to be a majority of all servers together with the primary: only with
    /// `takeover = "quorum"`.
    Majority,
}

/// When the primary is given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Takeover {
    /// When no heartbeat came for `timeout`.
    #[default]
    Timeout,
    /// When a perfect failure detector reports its crash.
    Perfect,
    /// When no heartbeat came for `timeout`, and a majority promises to follow another server.
    Quorum,
    /// When the operator declares it down.
    Operator,
    /// Never.
    Never,
}

/// The state with which the successor begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Succession {
    /// Its own: the next in rank takes over at once. (With `quorum` it always asks first.)
    #[default]
    Rank,
    /// The most advanced of the remaining servers: the next in rank asks them first.
    MostAdvanced,
}

/// `[params]` of primary-backup.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The backups whose acknowledgements the primary awaits before it replies; `majority` with
    /// `takeover = "quorum"`, and only then.
    pub ack_wait: AckWait,
    /// When the primary is given up.
    pub takeover: Takeover,
    /// The state with which the successor begins.
    pub succession: Succession,
    /// τ: the time between two heartbeats.
    pub heartbeat: Duration,
    /// The silence after which a server is given up: with `takeover = "timeout"` at least τ + δ.
    /// With `takeover = "quorum"` also the length of a lease, and longer than both τ + 2δ and 4δ.
    pub timeout: Duration,
    /// How long a client waits for a reply before it tries the next server: with
    /// `takeover = "timeout"` at least as long as a reply can take, 4δ (2δ if the primary waits for
    /// no backup).
    pub retry: Duration,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            ack_wait: AckWait::default(),
            takeover: Takeover::default(),
            succession: Succession::default(),
            heartbeat: Duration::from_millis(50),
            timeout: Duration::from_millis(60),
            retry: Duration::from_millis(100),
        }
    }
}

impl Params {
    /// The longest time from a request to its reply while the primary is up: the request, an update
    /// and its acknowledgement (a backup that does not answer is given up by then), and the reply.
    pub(super) fn reply_max(&self, delay_bound: Duration) -> Duration {
        delay_bound.times(if self.ack_wait == AckWait::None { 2 } else { 4 })
    }
}
