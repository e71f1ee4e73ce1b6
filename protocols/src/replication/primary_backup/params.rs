//! The parameters, and which of them go together.

use ftsim_core::{Duration, Invalid};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// For how many backups the primary waits before it replies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AckWait {
    /// For none: no crash of a primary is survived.
    None,
    /// For one, if there is one left: one crash is survived, if `succession` is `most-advanced`.
    One,
    /// For all that are not known to be down.
    #[default]
    All,
    /// For as many as make a majority of all servers with the primary: only with
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
    /// When the failure detector, a perfect one, says that it is down.
    Perfect,
    /// When no heartbeat came for `timeout`, and a majority agrees to follow another.
    Quorum,
    /// When the operator says that it is down.
    Operator,
    /// It is not.
    Never,
}

/// What the state of a successor is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Succession {
    /// Its own: the next in rank takes over at once. (With `quorum` it asks in any case.)
    #[default]
    Rank,
    /// The most advanced of those left: the next in rank asks them first.
    MostAdvanced,
}

#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// For how many backups the primary waits before it replies; with `takeover = "quorum"`, and
    /// only then, for a majority.
    pub ack_wait: AckWait,
    /// When the primary is given up.
    pub takeover: Takeover,
    /// What the state of a successor is.
    pub succession: Succession,
    /// τ: the time between two heartbeats.
    pub heartbeat: Duration,
    /// The silence after which a server is given up: with `takeover = "timeout"` at least τ + δ.
    /// With `takeover = "quorum"` the length of a lease, too, and longer than τ + 2δ and than 4δ.
    pub timeout: Duration,
    /// How long a client waits for a reply before it asks the next server: with
    /// `takeover = "timeout"` at least as long as a reply may take, 4δ (2δ if the primary waits for
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
    /// The longest time from a request to its reply while the primary is up: a request, an update
    /// and its acknowledgement (a backup that does not answer is given up by then), and the reply.
    pub(super) fn reply_max(&self, delay_bound: Duration) -> Duration {
        delay_bound.times(if self.ack_wait == AckWait::None { 2 } else { 4 })
    }

    /// What `takeover = "timeout"` needs so that only servers that are down are given up, and only
    /// crashes lose requests.
    pub(super) fn validate_timeouts(&self, delay_bound: Duration) -> Result<(), Invalid> {
        let least = self.heartbeat + delay_bound;
        if self.timeout < least {
            let why = format!(
                "a server that is up can be silent for {least} (τ + δ): a shorter timeout gives it \
                 up; the least is {least}"
            );
            return Err(Invalid::new("timeout", why));
        }
        let least = self.reply_max(delay_bound);
        if self.retry < least {
            let why = format!(
                "a reply can take {least} without any fault, and a client that does not wait for \
                 it counts as an outage; the least is {least}"
            );
            return Err(Invalid::new("retry", why));
        }
        Ok(())
    }

    /// What `takeover = "quorum"` needs so that a primary finds what it has to, and keeps its lease
    /// while all is well.
    pub(super) fn validate_leases(&self, delay_bound: Duration) -> Result<(), Invalid> {
        if self.ack_wait != AckWait::Majority {
            let why =
                "takeover = \"quorum\" finds what a majority has: ack_wait must be \"majority\"";
            return Err(Invalid::new("ack_wait", why));
        }
        let (between, first) = (self.heartbeat + delay_bound.times(2), delay_bound.times(4));
        let (bound, name, what) = if first > between {
            (first, "4δ", "a promise and the first echo of a heartbeat")
        } else {
            (between, "τ + 2δ", "the echoes of two heartbeats")
        };
        if self.timeout > bound {
            return Ok(());
        }
        let least = bound + Duration::from_nanos(1);
        let why = format!(
            "a lease must be longer than {bound} ({name}), the time that {what} can take together: \
             a shorter one is over before it is renewed; the least is {least}"
        );
        Err(Invalid::new("timeout", why))
    }
}
