//! Primary-backup replication: the primary serves, the backups follow, and one of them takes over.
//!
//! Source: Alsberg and Day (1976), *A principle for resilient sharing of distributed resources*;
//! Budhiraja, Marzullo, Schneider and Toueg (1993), *The primary-backup approach*; for the takeover
//! by quorum see there. Spec: [`PrimaryBackupService`]. Model: crash-stop, reliable links; the rest
//! depends on the parameters ([`Protocol::model`]).
//!
//! Steps: a client sends REQUEST to the server that it takes for the primary. The primary executes
//! it, so that any nondeterminism is resolved once, sends the resulting UPDATE to each backup,
//! waits for as many ACKs as `ack_wait` says, and sends REPLY. Backups apply updates in order.
//! Reads go the same way: a value that only the primary knows may be lost with it, and must not be
//! shown. The primary shows that it is alive by a HEARTBEAT every τ.
//!
//! The files: `server`, what servers do within a view; `client`; `state`, what servers replicate;
//! and `takeover`, how one view follows another, with a file for each kind of takeover (`timeout`,
//! `reported`, `quorum`) and for the `succession`, the successor's state. Each says why there is
//! only one primary.
//!
//! Why acknowledged updates survive: a backup acknowledges what it has, and does not lose it while
//! it is up. With `ack_wait = "all"` the primary replies when each backup has acknowledged or is
//! down (one that is up acknowledges within 2δ), so every possible successor has the update: f < n.
//! With `one`, some backup has it, and a successor that asks first (`most-advanced`) finds it after
//! one crash: f = 1. With `none` a crash of the primary can lose it, and with `one` a successor by
//! `rank` may not be the backup that has it: f = 0, if there are more than two servers.
//!
//! Words: the paper's *failover time* lasts from the primary's crash until the successor serves;
//! its *outage* is a time in which requests are lost.

mod client;
mod mutants;
mod params;
mod server;
mod state;
mod takeover;

use ftsim_core::prelude::*;

use crate::spec::primary_backup::{BOFO, PrimaryBackupService};
use crate::spec::service::properties::LIVENESS;
use crate::spec::service::{CLIENT, Key, Operation, Outcome, Request, SERVER};
use client::Client;
use params::{AckWait, Params, Succession, Takeover};
use server::Server;
use state::Entry;

/// The number of a view: its primary is the server with this number modulo that of servers.
pub type View = u64;
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// Client to server: execute this operation.
    Request { number: u64, key: Key, operation: Operation },
    /// Primary to client: the operation is done.
    Reply { number: u64, outcome: Outcome },
    /// Primary to clients: send requests to this server from now on.
    NewPrimary(View),
    /// Primary to backup: the result of a request.
    Update {
        view: View,
        /// The index in the log, from 0.
        index: u64,
        entry: Entry,
    },
    /// Primary to backup: the whole log, at a takeover or for a backup that lags behind.
    Log { view: View, log: Vec<Entry> },
    /// Backup to primary: the backup has this much of the log.
    Ack { view: View, length: u64 },
    /// Primary to backup: a sign of life.
    Heartbeat {
        view: View,
        /// When it was sent, by the sender's clock.
        sent: Instant,
    },
    /// Backup to the servers behind it in rank, with `timeout`: a sign of life.
    Alive,
    /// Backup to primary, with `quorum`: the backup promises nothing to other servers for `timeout`
    /// from the arrival of the heartbeat.
    Echo {
        view: View,
        /// When the heartbeat was sent.
        sent: Instant,
    },
    /// Successor to server: a request to follow it into this view.
    Prepare {
        view: View,
        /// When it was sent, by the sender's clock.
        sent: Instant,
    },
    /// Server to successor: the server has left all earlier views, with this log.
    Promise {
        /// The view to begin.
        view: View,
        /// When the `Prepare` was sent.
        sent: Instant,
        /// The last view whose log this server had.
        log_view: View,
        log: Vec<Entry>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// At a client: no reply came.
    Retry,
    /// At a server: the next sign of life is due.
    Heartbeat,
    /// At a primary, with `timeout`: backups that are up have acknowledged this much of the log.
    AckDue { view: View, length: u64 },
    /// At a primary, with `quorum`: the lease is over.
    Lease,
    /// At a backup, with `quorum`: no heartbeat came.
    Silence,
    /// At a server, with `timeout`: no sign of life came from this predecessor.
    SilenceOf(ProcessId),
    /// At a successor: the promises are due.
    PromisesDue,
}

/// A process: a server or a client of the service.
#[derive(Clone, Debug, Hash)]
#[expect(clippy::large_enum_variant, reason = "there is one for each process")]
pub enum PrimaryBackup {
    /// It keeps the state.
    Server(Server),
    /// It sends requests.
    Client(Client),
}

type Context<'a> = Cx<'a, PrimaryBackup>;

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
    const SUMMARY: &'static str = "one server serves, its backups follow, one of them takes over";
    const SOURCE: &'static str = "Alsberg & Day 1976; Budhiraja, Marzullo, Schneider & Toueg 1993";
    const ROLES: &'static [&'static str] = &[SERVER, CLIENT];
    const STATE_CORRUPTION: Option<StateCorruption<Self>> = Some(|process, _, rng| {
        if let Self::Server(server) = process {
            server.state.corrupt(rng);
        }
    });
    const MUTANTS: &'static [Mutant] = mutants::ALL;

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
        match params.takeover {
            Takeover::Quorum => params.validate_leases(setting.delay_bound),
            _ if params.ack_wait == AckWait::Majority => Err(Invalid::new(
                "ack_wait",
                "a primary that waits for a majority stops when half of the servers are down, but \
                 no majority is needed to take over: \"majority\" goes with takeover = \"quorum\" \
                 only, \"all\" or \"one\" with the others",
            )),
            Takeover::Timeout => params.validate_timeouts(setting.delay_bound),
            Takeover::Perfect | Takeover::Operator | Takeover::Never => Ok(()),
        }
    }

    fn model(params: &Params, setting: &Setting) -> Model {
        let model = match params.takeover {
            Takeover::Timeout => Model::SYNCHRONOUS,
            Takeover::Perfect => Model::ASYNCHRONOUS.with(DetectorClass::Perfect),
            Takeover::Quorum | Takeover::Operator | Takeover::Never => Model::ASYNCHRONOUS,
        };
        let few = setting.role(SERVER).len() <= 2;
        let bound = match (params.ack_wait, params.succession) {
            (AckWait::Majority, _) => Bound::MINORITY,
            (AckWait::All, _) => Bound::ALL_BUT_ONE,
            (AckWait::One, _) if few => Bound::ALL_BUT_ONE,
            (AckWait::One, Succession::MostAdvanced) => Bound::at_most(1),
            (AckWait::One, Succession::Rank) | (AckWait::None, _) => Bound::NONE,
        };
        model.crash_stop(bound.of(SERVER))
    }

    fn can_progress(params: &Params, setting: &Setting, well: &ProcessSet) -> bool {
        let servers = setting.role(SERVER).len();
        let well_servers = setting.role(SERVER).filter(|p| well.contains(*p)).count();
        match params.takeover {
            Takeover::Quorum => 2 * well_servers > servers,
            Takeover::Timeout | Takeover::Perfect => well_servers > 0,
            // No server takes over by itself: the first must be well.
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
