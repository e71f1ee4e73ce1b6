//! Viewstamped replication: in each view one replica orders operations; when it fails, a majority
//! begins the next view with all that was committed.
//!
//! Source: Liskov and Cowling (2012), *Viewstamped replication revisited*, section 4, whose order
//! the files follow; Oki and Liskov (1988), *Viewstamped replication: a new primary copy method to
//! support highly-available distributed systems*. Spec: [`ReplicatedService`]. Model: partially
//! synchronous, crash-recovery, f < n/2 of the servers, any number of clients, fair-loss links.
//! With `storage = "memory"` a server that returns has forgotten everything but its view, and
//! counts as down until it has recovered from the others: less than half may be down at once.
//!
//! - *Normal operation* (`normal`): the primary appends a command to its log, and sends PREPARE to
//!   the backups, which append it in this order and send PREPARE-OK. With the PREPARE-OK of f
//!   backups the command, and all before it, is committed; the primary executes it, and replies.
//!   Backups hear with the next PREPARE, or a COMMIT, what is committed, and execute it.
//! - *View change* (`view_change`): a backup that hears nothing begins the next view, of which the
//!   next replica in turn is primary, and sends START-VIEW-CHANGE to all. Who hears it from f
//!   others sends DO-VIEW-CHANGE with its log to the new primary. From f + 1 logs this takes the
//!   longest of the latest view, and sends START-VIEW with it.
//! - *State transfer* (`recovery`): a replica that lags behind, or hears of a later view, gets the
//!   rest of the log with GET-STATE.
//! - *Recovery* (`recovery`): a replica that has forgotten its state takes part in nothing. It
//!   sends RECOVERY, and waits for f + 1 responses, one of them with the log of the primary of the
//!   latest view among them.
//!
//! Why it works: what is committed is in the logs of f + 1 replicas, and a new view begins with f +
//! 1 logs, so that one of these has it. Then the longest of the latest view has it, too, since in
//! one view all logs grow from the primary's. Who recovers takes part in nothing that belongs to a
//! view before the one that it has helped to begin, since it has this number on its disk. (The
//! paper of 2012 keeps nothing, and argues that one of f + 1 that answer knows the view. But those
//! of the f + 1 that had sent messages for it may have crashed and recovered one by one, and
//! acknowledged more in the view before, when the messages arrive: the mutant `forgotten-view`. See
//! Michael, Ports, Sharma and Szekeres 2017, *Recovering shared objects without stable storage*.)
//!
//! Words: a *viewstamp* is a view and an op-number; a *request* is a command here. A client asks
//! one server at a time, which names the primary, instead of all. Messages that are lost are sent
//! again at the next heartbeat (COMMIT); a view change that does not end is followed by the next,
//! later each time until a primary is heard again.

mod mutants;
mod normal;
mod recovery;
mod view_change;

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use super::leader_client::{LeaderClient, Led};
use crate::parts::machine::Machine;
use crate::spec::replication::{Fact, PREFIX, ReplicatedService, SAFETY};
use crate::spec::service::properties::ACKED_SURVIVES;
use crate::spec::service::{CLIENT, Command, Key, Operation, Outcome, Request, SERVER};

/// The number of a view.
type View = u64;
/// The place of a command in the log, from 1.
type OpNumber = u64;

/// A command in the log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Op {
    command: Command,
    key: Key,
    operation: Operation,
}

/// What a replica knows, as it is sent to others.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Log {
    ops: Vec<Op>,
    /// The last op-number that is committed.
    commit: OpNumber,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// Primary to backup: this command has this place; what is up to `commit` is committed.
    Prepare { view: View, number: OpNumber, op: Op, commit: OpNumber },
    /// Backup to primary: it has all up to this place.
    PrepareOk { view: View, number: OpNumber },
    /// Primary to backup, if there is no command: what is up to here is committed.
    Commit { view: View, commit: OpNumber },
    /// Replica to all: this view is to begin.
    StartViewChange { view: View },
    /// Replica to the new primary: its log, and the latest view that was normal at it.
    DoViewChange { view: View, normal: View, log: Log },
    /// New primary to all: the view begins with this log.
    StartView { view: View, log: Log },
    /// Replica to replica: what is in the log of this view behind this place?
    GetState { view: View, number: OpNumber },
    /// This is.
    NewState { view: View, number: OpNumber, log: Log },
    /// Replica to all: it has forgotten its state.
    Recovery { nonce: u64 },
    /// Replica to one that recovers: its view, and if it is its primary, its log.
    RecoveryResponse { view: View, nonce: u64, log: Option<Log> },
    /// Client to server: execute this.
    Request { number: u64, key: Key, operation: Operation },
    /// Server to client: it is done.
    Reply { number: u64, outcome: Outcome },
    /// Server to client: it is not the primary; perhaps this one is.
    NotPrimary(Option<ProcessId>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// At a replica: the primary is silent, or a view change or a recovery does not end.
    Silence,
    /// At a primary: it sends COMMIT, and repeats what is not acknowledged.
    Heartbeat,
    /// At a client: no reply came.
    Retry,
}

/// The records of a server's disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    /// Its view, and the latest that was normal.
    View { view: View, normal: View },
    /// Its whole log, in its latest normal view, which is also its view.
    Log { view: View, ops: Vec<Op> },
    /// What is in this place in this view.
    Op { view: View, number: OpNumber, op: Op },
}

/// A process: a server or a client.
#[derive(Clone, Debug, Hash)]
pub enum Vr {
    /// It keeps the state.
    Server(Replica),
    /// It sends requests.
    Client(LeaderClient),
}

type Context<'a> = Cx<'a, Vr>;

/// A replica.
#[derive(Clone, Debug, Hash)]
pub struct Replica {
    params: Params,
    /// The paper's configuration: in view v, replica v mod n is primary.
    servers: Vec<ProcessId>,
    view: View,
    status: Status,
    /// The latest view in which its status was normal.
    normal: View,
    /// The op-number is its length.
    log: Vec<Op>,
    /// The commit-number: what is up to here is executed.
    commit: OpNumber,
    /// The number of times that a primary has been silent since one was last heard.
    failed: u64,
    /// The state, and the client-table.
    machine: Machine,
    /// At a primary: up to where each backup has its log.
    prepared: BTreeMap<ProcessId, OpNumber>,
}

#[derive(Clone, Debug, Hash)]
enum Status {
    Normal,
    ViewChange {
        /// The others that want this view.
        started: ProcessSet,
        /// At its primary: the logs of those that are ready for it.
        ready: BTreeMap<ProcessId, (View, Log)>,
    },
    Recovering {
        nonce: u64,
        responses: BTreeMap<ProcessId, (View, Option<Log>)>,
    },
}

impl Process for Vr {
    type Spec = ReplicatedService;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Record;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        if let Self::Server(replica) = self {
            replica.resume(cx);
        }
    }

    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        if let Self::Server(replica) = self {
            replica.on_recover(log.iter().filter_map(Stored::intact), cx);
        }
    }

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        if let (Self::Client(client), Request::Invoke { number, key, operation }) = (self, request)
        {
            client.on_invoke(number, key, operation, cx);
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match (self, msg) {
            (Self::Server(replica), msg) => replica.on_message(from, msg, cx),
            (Self::Client(client), Msg::Reply { number, outcome }) => {
                client.on_reply(number, outcome, cx);
            }
            (Self::Client(client), Msg::NotPrimary(Some(primary))) => {
                client.on_sent_on(primary, cx);
            }
            (Self::Client(_), _) => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<Self>) {
        match (self, timer) {
            (Self::Server(replica), Timer::Silence) => replica.on_silence(cx),
            (Self::Server(replica), Timer::Heartbeat) => replica.on_heartbeat(cx),
            (Self::Client(client), Timer::Retry) => client.on_retry(cx),
            _ => {}
        }
    }
}

impl Led for Vr {
    type Fact = Fact;
    const RETRY: Timer = Timer::Retry;

    fn request(number: u64, key: Key, operation: Operation) -> Msg {
        Msg::Request { number, key, operation }
    }
}

impl Replica {
    fn new(params: &Params, setting: &Setting) -> Self {
        Self {
            params: params.clone(),
            servers: setting.role(SERVER).collect(),
            view: 0,
            status: Status::Normal,
            normal: 0,
            log: Vec::new(),
            commit: 0,
            failed: 0,
            machine: Machine::default(),
            prepared: BTreeMap::new(),
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context) {
        match msg {
            Msg::Prepare { view, number, op, commit } => {
                self.on_prepare(from, view, number, op, commit, cx);
            }
            Msg::PrepareOk { view, number } => self.on_prepare_ok(from, view, number, cx),
            Msg::Commit { view, commit } => self.on_commit(from, view, commit, cx),
            Msg::StartViewChange { view } => self.on_start_view_change(from, view, cx),
            Msg::DoViewChange { view, normal, log } => {
                self.on_do_view_change(from, view, normal, log, cx);
            }
            Msg::StartView { view, log } => self.on_start_view(from, view, log, cx),
            Msg::GetState { view, number } => self.on_get_state(from, view, number, cx),
            Msg::NewState { view, number, log } => self.on_new_state(view, number, log, cx),
            Msg::Recovery { nonce } => self.on_recovery(from, nonce, cx),
            Msg::RecoveryResponse { view, nonce, log } => {
                self.on_recovery_response(from, view, nonce, log, cx);
            }
            Msg::Request { number, key, operation } => {
                let command = Command { client: from, number };
                self.on_request(Op { command, key, operation }, cx);
            }
            Msg::Reply { .. } | Msg::NotPrimary(_) => {}
        }
    }

    /// The replica that is primary in this view.
    fn primary(&self, view: View) -> Option<ProcessId> {
        let count = self.servers.len() as u64;
        let turn = view.checked_rem(count).and_then(|turn| usize::try_from(turn).ok())?;
        self.servers.get(turn).copied()
    }

    fn is_primary(&self, cx: &Context) -> bool {
        self.primary(self.view) == Some(cx.me())
    }

    fn is_normal(&self) -> bool {
        matches!(self.status, Status::Normal)
    }

    fn others(&self, cx: &Context) -> impl Iterator<Item = ProcessId> + use<> {
        let me = cx.me();
        self.servers.clone().into_iter().filter(move |p| *p != me)
    }

    /// The paper's f: with itself they are a majority.
    fn f(&self) -> usize {
        self.servers.len() / 2
    }

    fn op_number(&self) -> OpNumber {
        self.log.len() as OpNumber
    }

    /// Its log behind this place.
    fn log_behind(&self, number: OpNumber) -> Log {
        let start = usize::try_from(number).unwrap_or(usize::MAX);
        let ops = self.log.get(start..).unwrap_or_default().to_vec();
        Log { ops, commit: self.commit }
    }

    /// Begins or goes on where it is.
    fn resume(&mut self, cx: &mut Context) {
        if self.is_normal() && self.is_primary(cx) {
            self.on_heartbeat(cx);
            self.advance_commit(cx);
        } else {
            self.await_primary(cx);
        }
    }

    /// Waits for the primary, or for the end of what is under way: the longer the more views have
    /// failed.
    fn await_primary(&self, cx: &mut Context) {
        let times = self.failed.saturating_add(1).min(1_000);
        cx.set_timer(self.params.timeout.times(times), Timer::Silence);
    }

    /// Its view survives a crash, also without a disk for the rest.
    fn keep_view(&self, cx: &mut Context) {
        if self.params.storage == Storage::Disk || !cx.runs(&mutants::FORGOTTEN_VIEW) {
            cx.append(Record::View { view: self.view, normal: self.normal });
            cx.sync();
        }
    }

    /// With a disk: what it has said survives a crash.
    fn keep(&self, record: Record, cx: &mut Context) {
        if self.params.storage == Storage::Disk {
            cx.append(record);
            cx.sync();
        }
    }
}

/// Where a replica keeps its state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Storage {
    /// On its disk, before it answers.
    #[default]
    Disk,
    /// In its memory, but for the number of its view. After a crash it recovers from the others, as
    /// long as a majority of them has forgotten nothing.
    Memory,
}

/// `[params]` of `vr`.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// How long a backup waits for its primary before it begins the next view. A view change may
    /// take twice as long, the one after it three times, and so on.
    pub timeout: Duration,
    /// The time between two heartbeats of a primary; shorter than `timeout`.
    pub heartbeat: Duration,
    /// How long a client waits for a reply before it tries the next server.
    pub retry: Duration,
    /// Where a replica keeps its state.
    pub storage: Storage,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            timeout: Duration::from_millis(200),
            heartbeat: Duration::from_millis(50),
            retry: Duration::from_millis(200),
            storage: Storage::default(),
        }
    }
}

impl Protocol for Vr {
    const NAME: &'static str = "vr";
    const SUMMARY: &'static str = "viewstamped replication: a primary in each view, in turn";
    const SOURCE: &'static str = "Liskov & Cowling 2012; Oki & Liskov 1988";
    const ROLES: &'static [&'static str] = &[SERVER, CLIENT];
    const MUTANTS: &'static [Mutant] = mutants::ALL;

    type Params = Params;

    fn model(params: &Params, setting: &Setting) -> Model {
        let minority = setting.role_size(SERVER).saturating_sub(1) / 2;
        let bound = match params.storage {
            Storage::Disk => Bound::MINORITY,
            Storage::Memory => Bound::at_once(minority),
        };
        Model::PARTIALLY_SYNCHRONOUS.crash_recovery(bound.of(SERVER)).over(Links::FairLoss)
    }

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        if setting.role_size(SERVER) == 0 {
            return Err(Invalid::role(SERVER, "there is no server"));
        }
        for (key, duration) in [("heartbeat", params.heartbeat), ("retry", params.retry)] {
            if duration == Duration::ZERO {
                return Err(Invalid::new(key, "must be longer than zero"));
            }
        }
        if params.timeout <= params.heartbeat {
            let why = "must be longer than the time between two heartbeats";
            return Err(Invalid::new("timeout", why));
        }
        let needs_memory = [&mutants::NO_RECOVERY, &mutants::FORGOTTEN_VIEW];
        if params.storage == Storage::Disk && needs_memory.into_iter().any(|m| setting.runs(m)) {
            return Err(Invalid::new("storage", "the mutant needs `storage = \"memory\"`"));
        }
        Ok(())
    }

    fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        match setting.has_role(me, SERVER) {
            true => Self::Server(Replica::new(params, setting)),
            false => Self::Client(LeaderClient::new(params.retry, setting)),
        }
    }

    fn claims(_: &Params, _: &Setting) -> Vec<PropertyId> {
        vec![PREFIX, SAFETY, ACKED_SURVIVES]
    }
}
