//! The parameters of the storage server.

use ftsim_core::{Duration, Invalid, ProcessId, Setting};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::deadlock::Policy;
use crate::spec::transactions::{CLIENT, Item, SERVER};

/// `[params]` of the storage server.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// What is done about deadlocks.
    pub deadlock: Policy,
    /// How a client asks for locks; with `deadlock = "ordered"` always one by one.
    pub locking: Locking,
    /// The servers that have a copy of an item.
    pub copies: Copies,
    /// How many copies a transaction reads.
    pub read: Quantity,
    /// How long a client waits before it sends an unanswered request again.
    pub retry: Duration,
    /// How long a server waits for a decision before it asks, each time.
    pub decision_timeout: Duration,
    /// How long a client first waits for locks before it restarts a transaction, at least; at most
    /// twice as long. Both double with each restart, up to 65,536 times (`deadlock = "timeout"`).
    pub lock_timeout: Duration,
    /// How long a client waits for locks before it suspects a deadlock, each time
    /// (`deadlock = "detect"`).
    pub suspect_after: Duration,
    /// The longest time before the first restart of a transaction; it doubles with each further
    /// one, up to 64 times.
    pub backoff: Duration,
}

/// How a client asks for locks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Locking {
    /// For all at once.
    #[default]
    Parallel,
    /// One by one: in the order of the operations and, for the copies of an item, beginning with
    /// the client's own server.
    OneByOne,
}

/// The servers that have a copy of an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Copies {
    /// All servers.
    #[default]
    All,
    /// One: the items go round the servers.
    One,
}

/// How many copies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// One: that of the client's own server, if there is one.
    #[default]
    One,
    /// All.
    All,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            deadlock: Policy::default(),
            locking: Locking::default(),
            copies: Copies::default(),
            read: Quantity::default(),
            retry: Duration::from_millis(100),
            decision_timeout: Duration::from_millis(200),
            lock_timeout: Duration::from_millis(100),
            suspect_after: Duration::from_millis(50),
            backoff: Duration::from_millis(20),
        }
    }
}

impl Params {
    pub(super) fn validate(&self, setting: &Setting) -> Result<(), Invalid> {
        for role in [CLIENT, SERVER] {
            if setting.role_size(role) == 0 {
                return Err(Invalid::role(role, format!("there is no {role}")));
            }
        }
        let times = [
            ("retry", self.retry),
            ("decision_timeout", self.decision_timeout),
            ("lock_timeout", self.lock_timeout),
            ("suspect_after", self.suspect_after),
            ("backoff", self.backoff),
        ];
        match times.iter().find(|(_, time)| *time == Duration::ZERO) {
            Some((key, _)) => Err(Invalid::new(key, "must be longer than zero")),
            None => Ok(()),
        }
    }
}

impl Copies {
    /// The servers that have a copy of this item, beginning with the one at this place if it is one
    /// of them.
    pub(super) fn of(self, item: Item, place: u32, setting: &Setting) -> Vec<ProcessId> {
        let mut servers: Vec<_> = setting.role(SERVER).collect();
        let count = servers.len().max(1);
        match self {
            Self::All => servers.rotate_left(place as usize % count),
            Self::One => {
                servers = servers.into_iter().skip(item as usize % count).take(1).collect();
            }
        }
        servers
    }
}
