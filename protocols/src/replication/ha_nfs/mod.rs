//! HA-NFS: two file servers share their disks, and each takes over the volume of the other.
//!
//! Source: Bhide, Elnozahy and Morgan (1991), *A highly available network file server*. Spec:
//! [`VolumeService`]. Model: synchronous, reliable links, crash-recovery, one process at a time.
//!
//! Steps: each server is the primary of one volume, and both are wired to both disks. A primary
//! executes an update, has it logged on the disk of its volume, and only then replies; it answers
//! reads once what they have seen is logged. The log is also the table of duplicate requests.
//! Servers show that they are alive by HEARTBEATs. When one is silent, the other looks for it on
//! another path: PROBE to the disks, which pass it on as KNOCK. If no answer comes this way either,
//! the partner is down. Then the server reserves the disk of the partner, replays its log, and is
//! primary of this volume too. A server that returns sends REJOIN; the other gives the volume up,
//! and tells it so by RELINQUISH. Then the first reserves its disk and replays the log itself.
//!
//! Why it works: what a client knows to be done is in the log, which outlives both servers. A
//! server that is up is heard within τ + δ, or at least answers on the other path, so it is never
//! taken for down, whatever becomes of the network between the servers, as long as a disk passes
//! messages on at once, and is not busy with a long sync. A disk accepts writes only from whoever
//! has reserved it last, in a reservation with a number of its own, so that nothing of an earlier
//! life is written after the log has been read.
//!
//! Words: the paper's *impersonation* of the partner's address is that clients try the other server
//! when no reply comes. Its second network interfaces, and the mirrors of its disks, are left out.

mod client;
mod disk;
mod server;

use ftsim_core::prelude::*;

use crate::spec::primary_backup::ONE_PRIMARY;
use crate::spec::service::properties::{ACKED_SURVIVES, EXACTLY_ONCE};
use crate::spec::service::{CLIENT, Command, Key, Operation, Outcome, Request, SERVER, Value};
use crate::spec::volumes::{DISK, VolumeService};
use client::Client;
use disk::Disk;
use server::Server;

/// An update in a log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Entry {
    command: Command,
    key: Key,
    /// The value of the key after it.
    value: Value,
    /// The reply.
    outcome: Outcome,
}

/// The name of an attempt to reserve a disk: a number that the server has drawn.
pub type Ticket = u64;
/// The number of a reservation of a disk, from 1; 0 is that of the first primary.
pub type Reservation = u64;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// Client to server: execute this operation.
    Request { number: u64, key: Key, operation: Operation },
    /// Server to client: it is executed.
    Reply { number: u64, outcome: Outcome },
    /// Server to server: a sign of life.
    Heartbeat,
    /// Server to server: the sender has returned, and has not got its volume back.
    Rejoin,
    /// Server to server: the sender does not hold the volume of the receiver.
    Relinquish,
    /// Server to disk: is the other server alive?
    Probe,
    /// Disk to server: the other server asks whether this one is alive.
    Knock,
    /// Server to disk, and disk to the server that asks: it is.
    Answer,
    /// Server to disk: reserve the disk, and send the log.
    Reserve(Ticket),
    /// Disk to server: this is the log, and nobody else can write from now on.
    Reserved { ticket: Ticket, reservation: Reservation, log: Vec<Entry> },
    /// Server to disk: log these updates, the first in this place, from 0.
    Write { reservation: Reservation, place: u64, entries: Vec<Entry> },
    /// Disk to server: the log has this length.
    Written { reservation: Reservation, length: u64 },
    /// Disk to server: the reservation is over.
    Refused(Reservation),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// At a client: no reply came.
    Retry,
    /// At a server: the next sign of life is due.
    Heartbeat,
    /// At a server: no sign of life came from the other.
    Silence,
    /// At a server: nor an answer by way of the disks.
    ProbeDue,
    /// At a server: no answer came from the disk of this volume.
    Disk(u32),
}

/// The records of a disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    /// This server has reserved the disk.
    Reserved { server: ProcessId, ticket: Ticket },
    /// The update in this place.
    Entry { place: u64, entry: Entry },
}

/// A process: a server, a disk or a client.
#[derive(Clone, Debug, Hash)]
pub enum HaNfs {
    /// It serves volumes.
    Server(Server),
    /// It keeps a volume.
    Disk(Disk),
    /// It sends requests.
    Client(Client),
}

type Context<'a> = Cx<'a, HaNfs>;

impl Process for HaNfs {
    type Spec = VolumeService;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Record;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        if let Self::Server(server) = self {
            server.on_start(cx);
        }
    }

    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        match self {
            Self::Server(server) => server.on_recover(cx),
            Self::Disk(disk) => disk.on_recover(log),
            Self::Client(_) => {}
        }
    }

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        if let (Self::Client(client), Request::Invoke { number, key, operation }) = (self, request)
        {
            client.on_invoke(number, key, operation, cx);
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match self {
            Self::Server(server) => server.on_message(from, msg, cx),
            Self::Disk(disk) => disk.on_message(from, msg, cx),
            Self::Client(client) => client.on_message(msg, cx),
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<Self>) {
        match self {
            Self::Server(server) => server.on_timer(timer, cx),
            Self::Client(client) => client.on_retry(cx),
            Self::Disk(_) => {}
        }
    }
}

/// `[params]` of `ha-nfs`.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// τ: the time between two heartbeats.
    pub heartbeat: Duration,
    /// The silence after which a server looks for the other on the other path: at least τ + δ.
    pub timeout: Duration,
    /// How long a client waits for a reply before it tries the other server, and a server for a
    /// disk before it asks again.
    pub retry: Duration,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_millis(50),
            timeout: Duration::from_millis(60),
            retry: Duration::from_millis(100),
        }
    }
}

const NETWORK_ONLY: Mutant = Mutant::code(
    "network-only",
    "takes over when the other is silent on the network, and reserves no disk",
    ONE_PRIMARY,
);
const ACK_BEFORE_LOG: Mutant =
    Mutant::code("ack-before-log", "replies before the update is in the log", ACKED_SURVIVES);
const VOLATILE_DUP_TABLE: Mutant = Mutant::code(
    "volatile-dup-table",
    "takes over without the replies in the log, and executes a repeated request again",
    EXACTLY_ONCE,
);

impl Protocol for HaNfs {
    const NAME: &'static str = "ha-nfs";
    const SUMMARY: &'static str = "two servers share their disks, and take over from each other";
    const SOURCE: &'static str = "Bhide, Elnozahy & Morgan 1991";
    const ROLES: &'static [&'static str] = &[SERVER, DISK, CLIENT];
    const MUTANTS: &'static [Mutant] = &[NETWORK_ONLY, ACK_BEFORE_LOG, VOLATILE_DUP_TABLE];

    type Params = Params;

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        if setting.role_size(SERVER) != 2 {
            return Err(Invalid::role(SERVER, "there are two servers"));
        }
        if setting.role_size(DISK) != 2 {
            return Err(Invalid::role(DISK, "there are two disks, one for each server"));
        }
        for (key, duration) in [("heartbeat", params.heartbeat), ("retry", params.retry)] {
            if duration == Duration::ZERO {
                return Err(Invalid::new(key, "must be longer than zero"));
            }
        }
        let least = params.heartbeat + setting.delay_bound;
        if params.timeout < least {
            let message = format!("must be at least the heartbeat and the delay bound, {least}");
            return Err(Invalid::new("timeout", message));
        }
        Ok(())
    }

    fn model(_: &Params, _: &Setting) -> Model {
        Model::SYNCHRONOUS.crash_recovery(Bound::at_once(1))
    }

    fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        if setting.has_role(me, SERVER) {
            Self::Server(Server::new(params, setting, me))
        } else if setting.has_role(me, DISK) {
            Self::Disk(Disk::new(setting, me))
        } else {
            Self::Client(Client::new(params, setting))
        }
    }
}
