//! The parameters of the lock server.

use ftsim_core::{Duration, Invalid, Setting};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the server remembers after a crash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Memory {
    /// Owner and queue: it forces each change to its disk before it tells anybody.
    #[default]
    Stateful,
    /// Nothing: it learns owner and queue from the clients.
    Stateless,
}

/// Who restores the connection after a crash of the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Dial {
    /// The server, whose configuration lists its clients.
    #[default]
    Server,
    /// The clients: one that waits or owns the lock says so every `repeat`.
    Client,
}

/// How the server learns that a client has crashed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Detection {
    /// From a perfect failure detector.
    #[default]
    Perfect,
    /// From its silence for `lease`: a client that waits or owns the lock says so every `repeat`.
    Lease,
}

/// What the server does to an owner that it takes for crashed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnSuspect {
    /// It gives the lock to the next.
    #[default]
    Evict,
    /// It waits until the owner is back: if it never is, nobody enters any more.
    Wait,
}

/// `[params]` of the lock server.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// What the server remembers after a crash.
    pub server: Memory,
    /// Whether clients that reconnect tell a stateless server their tickets.
    pub ticket_hint: bool,
    /// Who restores the connection after a crash of the server.
    pub dial: Dial,
    /// How long a restarted server listens before it drops the clients that it has not heard: at
    /// least 2δ, or `repeat` + δ with `dial = "client"`.
    pub reconnect_deadline: Duration,
    /// How the server learns that a client has crashed.
    pub detection: Detection,
    /// What the server does to an owner that it takes for crashed.
    pub on_suspect: OnSuspect,
    /// The time between two messages of a client that shows that it is up.
    pub repeat: Duration,
    /// With `detection = "lease"`: the silence after which a client is taken for crashed, at least
    /// `repeat` + δ.
    pub lease: Duration,
    /// Whether the resource ignores writes with a lower token than it has seen. Only a stateful
    /// server knows which token is higher than those that it has issued before a crash.
    pub fencing: bool,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            server: Memory::default(),
            ticket_hint: true,
            dial: Dial::default(),
            reconnect_deadline: Duration::from_millis(100),
            detection: Detection::default(),
            on_suspect: OnSuspect::default(),
            repeat: Duration::from_millis(50),
            lease: Duration::from_millis(100),
            fencing: false,
        }
    }
}

impl Params {
    /// Whether clients that wait or own the lock say so every `repeat`.
    pub(super) fn clients_repeat(&self) -> bool {
        self.dial == Dial::Client || self.detection == Detection::Lease
    }

    pub(super) fn validate(&self, setting: &Setting) -> Result<(), Invalid> {
        let delay = setting.delay_bound;
        if self.clients_repeat() && self.repeat == Duration::ZERO {
            return Err(Invalid::new("repeat", "must be longer than zero"));
        }
        if self.reconnect_deadline < self.claims_due(delay) {
            return Err(Invalid::new(
                "reconnect_deadline",
                format!("clients may need {} to reconnect", self.claims_due(delay)),
            ));
        }
        if self.detection == Detection::Lease && self.lease < self.repeat + delay {
            let needed = self.repeat + delay;
            return Err(Invalid::new("lease", format!("a client may be silent for {needed}")));
        }
        if self.fencing && self.server == Memory::Stateless {
            return Err(Invalid::new("fencing", "needs server = \"stateful\""));
        }
        Ok(())
    }

    /// The longest time until the claim of a client that is up has arrived.
    pub(super) fn claims_due(&self, delay: Duration) -> Duration {
        match self.dial {
            Dial::Server => delay.times(2),
            Dial::Client => self.repeat + delay,
        }
    }
}
