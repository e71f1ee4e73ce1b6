//! Primary and backups: one server works, the others keep up, and one of them takes over.
//!
//! Source: Alsberg and Day (1976), *A principle for resilient sharing of distributed resources*;
//! Budhiraja, Marzullo, Schneider and Toueg (1993), *The primary-backup approach*. The takeover by
//! quorum is that of Oki and Liskov (1988), *Viewstamped replication*, with the leases of Gray and
//! Cheriton (1989). Spec: [`PrimaryBackupService`]. Model: crash-stop, f < n of n servers, reliable
//! links; what it needs of time depends on `takeover`.
//!
//! Steps: a client sends REQUEST to the server that it takes for the primary. The primary executes
//! it, so that whatever is left to chance is settled once, sends the resulting UPDATE to each
//! backup, waits for as many ACKs as `ack_wait` says, and sends REPLY. Backups apply updates in
//! order. Reads go the same way: a value that only the primary knows may not survive it, and must
//! not be shown. The primary shows that it is alive by HEARTBEAT, every τ.
//!
//! Takeover: views are numbered, and view v has server v mod n as its primary. Whoever is to
//! follow begins a higher view, sends its whole log to the others, and tells the clients, who send
//! again what is not answered. A server that hears of a higher view leaves its own. Who is to
//! follow is a matter of
//!
//! - `takeover`, when is the primary given up: on τ + δ of silence (`timeout`, right only if δ is a
//!   real bound); when a perfect detector (`perfect`) or a human (`operator`) says that it is down;
//!   when a majority promises to follow another (`quorum`); or `never`.
//! - `succession`, what is the successor's state: its own (`rank`: right if the primary waits for
//!   all), or the most advanced of all who are left, whom it asks first (`most-advanced`).
//!
//! Why it works. With `timeout`, `perfect` or `operator` the primary is really down when it is
//! given up, and what a client saw is in the state of each backup that is not down (`all`), or of
//! one of them (`one`, which survives one crash, if the successor asks). With `quorum` nobody needs
//! to be down: nothing is answered before a majority has it, and a new view begins with the most
//! advanced state of a majority; the two share a server. That there is never a second primary, not
//! even an idle one, takes a lease: a server that has heard a heartbeat promises nothing for as
//! long as its `timeout`, and a primary that has not been echoed by a majority for that long,
//! counted from the sending, resigns. No bound on delays is needed for that, only clocks that run
//! at one rate.
//!
//! Words: the paper's *failover time* is from the primary's crash until the successor serves; its
//! *outage* is a time in which requests are lost.

mod client;
mod server;
mod state;
mod takeover;
#[cfg(test)]
mod tests;

use ftsim_core::{
    Cx, DetectorClass, Duration, FaultClass, Invalid, Links, Model, Mutant, Never, Process,
    ProcessId, ProcessSet, PropertyId, Protocol, Setting, StateCorruption, Timing,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::primary_backup::{BOFO, ONE_PRIMARY, PrimaryBackupService};
use crate::spec::service::properties::{ACKED_SURVIVES, EXACTLY_ONCE, LIVENESS};
use crate::spec::service::{CLIENT, Key, Operation, Outcome, Request, SERVER};
use client::Client;
use server::Server;
use state::Entry;

/// One process: a server or a client of the service.
#[derive(Clone, Debug, Hash)]
#[expect(clippy::large_enum_variant, reason = "there is one for each process")]
pub enum PrimaryBackup {
    /// It keeps the state.
    Server(Server),
    /// It asks.
    Client(Client),
}

/// The number of a view: its primary is the server with this number modulo that of servers.
pub type View = u64;

/// What processes send each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// Client to server: get this done.
    Request {
        /// Which of the client's operations.
        number: u64,
        /// On which key.
        key: Key,
        /// What.
        operation: Operation,
    },
    /// Primary to client: it is done.
    Reply {
        /// Which of the client's operations.
        number: u64,
        /// What came of it.
        outcome: Outcome,
    },
    /// Primary to clients: from now on ask me.
    NewPrimary(View),
    /// Primary to backup: what a request came to.
    Update {
        /// The view.
        view: View,
        /// The place in the log, from 0.
        index: u64,
        /// What belongs there.
        entry: Entry,
    },
    /// Primary to backup: the whole log, at a takeover or to one that lags behind.
    Log {
        /// The view.
        view: View,
        /// The log.
        log: Vec<Entry>,
    },
    /// Backup to primary: I have the log up to here.
    Ack {
        /// The view.
        view: View,
        /// How many entries.
        length: u64,
    },
    /// Primary to backup: I am alive.
    Heartbeat {
        /// The view.
        view: View,
        /// When it was sent, in nanoseconds of the sender's clock.
        sent_ns: u64,
    },
    /// Backup to primary, with `quorum`: for my `timeout` from the heartbeat on I promise nothing
    /// to others.
    Echo {
        /// The view.
        view: View,
        /// When the heartbeat was sent.
        sent_ns: u64,
    },
    /// Successor to server: I want to begin this view.
    Prepare {
        /// The view.
        view: View,
        /// When it was sent, in nanoseconds of the sender's clock.
        sent_ns: u64,
    },
    /// Server to successor: I have left all earlier views, and this is what I know.
    Promise {
        /// The view to begin.
        view: View,
        /// When the `Prepare` was sent.
        sent_ns: u64,
        /// The last view whose log this server had.
        log_view: View,
        /// The log.
        log: Vec<Entry>,
    },
}

/// The timers of both roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// Of a client: no reply came.
    Retry,
    /// Of a primary: it is time for a heartbeat.
    Heartbeat,
    /// Of a primary, with `timeout`: what arrived in time has been acknowledged up to here by now.
    AckDue {
        /// The view.
        view: View,
        /// How many entries.
        length: u64,
    },
    /// Of a primary, with `quorum`: it may have been replaced.
    Lease,
    /// Of a backup: no heartbeat came.
    Silence,
    /// Of a successor: promises that were to come have come.
    PromisesDue,
}

/// For how many backups the primary waits before it replies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AckWait {
    /// For none.
    None,
    /// For one, if there is one left.
    One,
    /// For all that are not known to be down.
    #[default]
    All,
    /// For so many that they and the primary are a majority of all servers.
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

/// The parameters.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// For how many backups the primary waits before it replies; with `takeover = "quorum"`, for a
    /// majority.
    pub ack_wait: AckWait,
    /// When the primary is given up.
    pub takeover: Takeover,
    /// What the state of a successor is.
    pub succession: Succession,
    /// τ: the time between two heartbeats.
    pub heartbeat: Duration,
    /// The silence after which a backup gives the primary up: τ + δ if δ bounds every delay. With
    /// `takeover = "quorum"` the length of a lease too, and at least τ + 2δ.
    pub timeout: Duration,
    /// How long a client waits for a reply before it asks the next server. A reply may take 4δ.
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

impl Process for PrimaryBackup {
    type Spec = PrimaryBackupService;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        if let Self::Server(server) = self {
            server.on_start(cx);
        }
    }

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        match (self, request) {
            (Self::Client(client), Request::Invoke { number, key, operation }) => {
                client.on_invoke(number, key, operation, cx);
            }
            (Self::Server(server), Request::DeclareDown(p)) => server.on_declared_down(p, cx),
            _ => {}
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match self {
            Self::Client(client) => client.on_message(from, msg, cx),
            Self::Server(server) => server.on_message(from, msg, cx),
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<Self>) {
        match self {
            Self::Client(client) => client.on_retry(cx),
            Self::Server(server) => server.on_timer(timer, cx),
        }
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        if let Self::Server(server) = self {
            server.on_suspect(p, cx);
        }
    }
}

impl Protocol for PrimaryBackup {
    const NAME: &'static str = "primary-backup";
    const SUMMARY: &'static str = "one server works, its backups keep up, one of them takes over";
    const MODEL: Model = Model {
        timing: Timing::Synchronous,
        faults: FaultClass::CrashStop,
        bound: "f < n servers; with takeover = \"quorum\": asynchronous, f < n/2",
        links: Links::Reliable,
        detector: DetectorClass::None,
        literature: "Alsberg & Day 1976; Budhiraja, Marzullo, Schneider & Toueg 1993",
    };
    const ROLES: &'static [&'static str] = &[SERVER, CLIENT];
    const STATE_CORRUPTION: Option<StateCorruption<Self>> = Some(|process, _, rng| {
        if let Self::Server(server) = process {
            server.state.corrupt(rng);
        }
    });
    const MUTANTS: &'static [Mutant] = &[
        Mutant::assumption(
            "timeout-no-quorum",
            "takes silence for death while the network is cut, without asking a majority",
            ONE_PRIMARY,
            "fault",
            None,
        ),
        Mutant::assumption(
            "slow-primary",
            "takes silence for death while the primary only hangs",
            ONE_PRIMARY,
            "fault",
            None,
        ),
        Mutant::assumption(
            "async-ack",
            "replies before any backup has the update",
            ACKED_SURVIVES,
            "params.ack_wait",
            Some("\"all\""),
        ),
        Mutant::assumption(
            "rank-not-latest",
            "waits for one backup, and promotes the next in rank as it is",
            ACKED_SURVIVES,
            "params.succession",
            Some("\"most-advanced\""),
        ),
        Mutant::code(
            "two-successors",
            "whoever gives the primary up takes over, whether it is next or not",
            ONE_PRIMARY,
        ),
        Mutant::code(
            "forget-replies",
            "a successor knows the state and no replies, and executes a repeated request again",
            EXACTLY_ONCE,
        ),
    ];

    type Params = Params;

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        if setting.role(SERVER).len() == 0 {
            return Err(Invalid::role(SERVER, "there is no server"));
        }
        for (key, duration) in [("heartbeat", params.heartbeat), ("retry", params.retry)] {
            if duration == Duration::ZERO {
                return Err(Invalid::new(key, "must be longer than zero"));
            }
        }
        if params.takeover != Takeover::Quorum {
            return Ok(());
        }
        if params.ack_wait != AckWait::Majority {
            let why =
                "takeover = \"quorum\" finds what a majority has: ack_wait must be \"majority\"";
            return Err(Invalid::new("ack_wait", why));
        }
        let least = params.heartbeat + setting.delay_bound.times(2);
        if params.timeout < least {
            let why = format!("a lease shorter than {least} (τ + 2δ) is over before it is renewed");
            return Err(Invalid::new("timeout", why));
        }
        Ok(())
    }

    fn can_progress(params: &Params, setting: &Setting, well: &ProcessSet) -> bool {
        let servers = setting.role(SERVER).len();
        let well_servers = setting.role(SERVER).filter(|p| well.contains(*p)).count();
        match params.takeover {
            Takeover::Quorum => 2 * well_servers > servers,
            Takeover::Timeout | Takeover::Perfect => well_servers > 0,
            // Nobody takes over: the first server must be well.
            Takeover::Operator | Takeover::Never => {
                setting.role(SERVER).next().is_some_and(|first| well.contains(first))
            }
        }
    }

    fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        if setting.has_role(me, SERVER) {
            Self::Server(Server::new(params, setting, me))
        } else {
            Self::Client(Client::new(params, setting))
        }
    }

    fn claims(params: &Params, _: &Setting) -> Vec<PropertyId> {
        match params.takeover {
            Takeover::Timeout => vec![BOFO, LIVENESS],
            Takeover::Perfect | Takeover::Quorum => vec![LIVENESS],
            Takeover::Operator | Takeover::Never => Vec::new(),
        }
    }
}
