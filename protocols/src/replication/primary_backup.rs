//! Primary and backups: one server works, the others keep up, and one of them takes over.
//!
//! Source: Alsberg and Day (1976), *A principle for resilient sharing of distributed resources*;
//! Budhiraja, Marzullo, Schneider and Toueg (1993), *The primary-backup approach*. The takeover by
//! quorum is that of Oki and Liskov (1988), *Viewstamped replication*, with the leases of Gray and
//! Cheriton (1989). Spec: [`PrimaryBackupService`]. Model: crash-stop, reliable links; the rest
//! depends on the parameters ([`Protocol::model`]).
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
//! - `takeover`, when is a server given up: on τ + δ of silence (`timeout`, right only if δ is a
//!   real bound); when a perfect detector (`perfect`) or a human (`operator`) says that it is down;
//!   when a majority promises to follow another (`quorum`); or `never`.
//! - `succession`, what is the successor's state: its own (`rank`: right if the primary waits for
//!   all), or the most advanced of all who are left, whom it asks first (`most-advanced`).
//!
//! # Why it works
//!
//! **One primary, with `timeout`, after any number of crashes.** Rank is the order of ids. Server k
//! takes over once it has given up every server before it in rank, and gives up j when nothing came
//! from j for `timeout` >= τ + δ. Every server, primary or not, shows those behind it that it is
//! alive (HEARTBEAT or ALIVE) at the start and then every τ, whatever else it does: it does so as a
//! backup, as a successor that still asks others, and as primary. So while j is up, two signs of it
//! reach k at most τ + δ apart (a message that arrives at the very instant when a timer runs out
//! comes first), and k gives up j only after j's crash. Hence if k is primary, all before it have
//! crashed, and nobody behind it gives it up while it is up: there is never a second one. The
//! argument needs no order among takeovers and no word of who heard whom, so that neither the
//! number of crashes nor what a crash in mid-broadcast leaves matters.
//!
//! A last sign of j arrives δ after its crash at the latest. So k knows of each crash before it
//! after δ + `timeout` (τ + 2δ at the least), and takes over that long after the last of them: how
//! many there were does not matter. The price is a sign of life for each pair of servers every τ,
//! rather than one for each backup. With heartbeats of the primary alone, k would have to wait for
//! the first heartbeat of each possible successor in turn; and since a successor's first heartbeat
//! can reach one server and not another before it crashes, that wait depends on who follows whom,
//! and grows by more than τ + 2δ a rank. (The simple protocol of Budhiraja et al. 1993 has two
//! servers, where both schemes are the same.)
//!
//! With `perfect` or `operator`, the same argument holds with suspicions in place of silence.
//!
//! **What a client saw is kept.** A backup acknowledges what it has, and does not lose it while it
//! is up. With `ack_wait = "all"` the primary replies when each backup has acknowledged or is down
//! (one that is up acknowledges within 2δ), so that any successor has it: f < n. With `one`, a
//! backup has it, and the successor that asks first (`most-advanced`) finds it after one crash: f
//! is 1. With `none` a crash of the primary can lose it, and with `one` a successor by `rank` may
//! not be the one who has it: f = 0, if there are more than two servers. Among logs the most
//! advanced is the one of the highest view, then the longest: a view begins with a log that has all
//! that was replied to, and grows.
//!
//! **With `quorum`** nobody needs to be down: f < n/2, whatever the delays. Nothing is answered
//! before a majority has it, and a new view begins with the most advanced state of a majority; the
//! two share a server. That there is never a second primary, not even an idle one, takes a lease: a
//! server that has heard a heartbeat, or has promised, promises nothing to others for as long as
//! its `timeout`, and a primary that has not been answered by a majority for that long, counted
//! from the sending, resigns. Leases are half open: at the very instant when one ends, its holder
//! is no longer primary, and another may be. No bound on delays is needed for that, only clocks
//! that run at one rate.
//!
//! Once δ holds, a primary keeps its lease if `timeout` is longer than both
//!
//! - τ + 2δ: the echo of a heartbeat returns 2δ after its sending, and the next one is sent τ
//!   later. A lease of exactly τ + 2δ is over at the instant at which the echo arrives.
//! - 4δ: the first lease is counted from a PREPARE, which is repeated every 2δ. Let the last
//!   one before the new primary begins be sent at a. The primary begins by a + 2δ, and the echoes
//!   of its first heartbeat return by a + 4δ. By a + 2δ the majority has answered that PREPARE, too
//!   (promises that arrive late count), and until then it has the answers to the PREPARE before,
//!   which are good for longer than 4δ from its sending, that is, until after a + 2δ.
//!
//! Servers stand for a view in turn, `timeout` + δ apart. Who stands lowest gives way to a higher
//! view, and who stands highest is promised by each server whose loyalty to another has run out.
//!
//! Words: the paper's *failover time* is from the primary's crash until the successor serves; its
//! *outage* is a time in which requests are lost.

mod client;
mod mutants;
mod params;
mod server;
mod state;
mod takeover;
#[cfg(test)]
mod tests;

use ftsim_core::prelude::*;

use crate::spec::primary_backup::{BOFO, PrimaryBackupService};
use crate::spec::service::properties::LIVENESS;
use crate::spec::service::{CLIENT, Key, Operation, Outcome, Request, SERVER};
use client::Client;
use params::{AckWait, Params, Succession, Takeover};
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

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// Client to server: get this done.
    Request { number: u64, key: Key, operation: Operation },
    /// Primary to client: it is done.
    Reply { number: u64, outcome: Outcome },
    /// Primary to clients: from now on ask me.
    NewPrimary(View),
    /// Primary to backup: what a request came to.
    Update {
        view: View,
        /// The place in the log, from 0.
        index: u64,
        /// What belongs there.
        entry: Entry,
    },
    /// Primary to backup: the whole log, at a takeover or to one that lags behind.
    Log { view: View, log: Vec<Entry> },
    /// Backup to primary: I have the log up to here.
    Ack { view: View, length: u64 },
    /// Primary to backup: I am alive.
    Heartbeat {
        view: View,
        /// When it was sent, in nanoseconds of the sender's clock.
        sent_ns: u64,
    },
    /// Backup to those behind it in rank, with `timeout`: I am alive, though I am not primary.
    Alive,
    /// Backup to primary, with `quorum`: for my `timeout` from the heartbeat on I promise nothing
    /// to others.
    Echo {
        view: View,
        /// When the heartbeat was sent.
        sent_ns: u64,
    },
    /// Successor to server: I want to begin this view.
    Prepare {
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
        log: Vec<Entry>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// Of a client: no reply came.
    Retry,
    /// Of a server: it is time to show that it is alive.
    Heartbeat,
    /// Of a primary, with `timeout`: what arrived in time has been acknowledged up to here by now.
    AckDue { view: View, length: u64 },
    /// Of a primary, with `quorum`: it may have been replaced.
    Lease,
    /// Of a backup, with `quorum`: no heartbeat came.
    Silence,
    /// Of a server, with `timeout`: this predecessor did not show that it is alive.
    SilenceOf(ProcessId),
    /// Of a successor: promises that were to come have come.
    PromisesDue,
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
