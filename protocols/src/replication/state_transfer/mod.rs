//! State transfer: a replica that returns from a crash catches up while the others go on.
//!
//! Source: Schneider (1990), *Implementing fault-tolerant services using the state machine
//! approach*, section 7.3 (integrating a repaired object); the reads are those of ROWA, after
//! Bernstein, Hadzilacos and Goodman (1987), chapter 8. Spec: [`ReplicatedService`]. Model:
//! synchronous, reliable links, crash-recovery of any number of processes; while the primary, which
//! orders updates, is down, there are none.
//!
//! Steps: clients send updates to the primary, which gives each the next place in its log, on its
//! disk, and sends UPDATE to its members, the replicas that are up. A member acknowledges what it
//! receives; who has not within 2δ and the time of a sync, and a tenth for clocks that drift, is
//! down, and no member any more. Once all members have acknowledged an update it is committed: the
//! primary replies and sends COMMITTED, and replicas apply it, in the order of places. Clients read
//! at any replica, which waits while it has updates of that key that are not committed.
//!
//! A replica that returns is silent for δ, until nothing of its earlier life is under way. Then it
//! sends JOIN to the primary, and is a member again when that arrives. The primary answers with the
//! parts of a copy: its state (`mode = "snapshot"`), the updates that the replica's disk lacks
//! (`log-suffix`), or whichever the log still allows (`snapshot-log`). Updates that come meanwhile
//! are buffered and acknowledged. When all parts have come the replica adopts the state, applies
//! the buffered updates after it, and drops those that are part of it.
//!
//! Why it works: the copy is of one moment, place c, at which the replica became a member. A JOIN
//! that came later, of an earlier life, would take back what the primary awaits since (mutant
//! `join-at-once`). Updates up to c are in the copy, later ones await its acknowledgement. A read
//! sees every update that was committed before it, since no update is committed before all members
//! have it. No read sees an update that another one after it does not: it is committed, so the
//! other has it too.
//!
//! Words: Schneider's *repaired object* is a replica that returns.

mod client;
mod primary;
mod replica;

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use crate::spec::replication::{CONVERGENCE, PREFIX, ReplicatedService};
use crate::spec::service::properties::{EXACTLY_ONCE, LINEARIZABLE, LIVENESS};
use crate::spec::service::{CLIENT, Command, Key, Operation, Outcome, Request, SERVER, Value};
use client::Client;
use primary::Primary;
use replica::Replica;

/// The role of the process that orders updates.
const PRIMARY: &str = "primary";

/// How much clocks may gain or lose: a tenth.
const DRIFT_PPM: u32 = 100_000;

/// The place of an update in the log, from 1.
pub type Place = u64;

/// An update.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Update {
    command: Command,
    key: Key,
    operation: Operation,
}

/// What a replica keeps on its disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    /// A state that it has received, and the commands that led to it.
    State { values: BTreeMap<Key, Value>, commands: Vec<Command> },
    /// An update that it has applied after that, or that the primary has ordered.
    Update { place: Place, update: Update },
}

impl Record {
    /// The place up to which all is known with this record, which comes after `place`, if no other
    /// is missing before it.
    fn follows(&self, place: Place) -> Option<Place> {
        match self {
            Self::State { commands, .. } => Some(commands.len() as Place),
            Self::Update { place: next, .. } => (*next == place.saturating_add(1)).then_some(*next),
        }
    }
}

/// The name of a copy: a number that the replica has drawn.
pub type Ticket = u64;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// Client to primary or replica: execute this operation.
    Request { number: u64, key: Key, operation: Operation },
    /// The operation is done.
    Reply { number: u64, outcome: Outcome },
    /// Primary to member: an update, and its place.
    Update { place: Place, update: Update },
    /// Member to primary: it has the update in this place.
    Ack(Place),
    /// Primary to members: all updates up to this place are committed.
    Committed(Place),
    /// Replica to primary: it has returned, with the updates up to this place.
    Join { ticket: Ticket, applied: Place },
    /// Primary to replica: a part of a copy.
    Part {
        ticket: Ticket,
        /// The number of this part, from 0, and of all parts.
        index: u32,
        of: u32,
        content: Content,
    },
}

/// A part of a copy.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Content {
    /// Some keys and their values.
    Values(Vec<(Key, Value)>),
    /// The commands of the state, in the order in which they were applied.
    Commands(Vec<Command>),
    /// Updates, the first in this place, the others in the following ones.
    Updates(Place, Vec<Update>),
    /// The end: all updates up to this place are in the copy, or were on the replica's disk.
    UpTo(Place),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// At a client: no reply came. At a replica that has returned: no copy came.
    Retry,
    /// At a replica with a disk: what it has applied is to be made durable.
    Save,
    /// At the primary: members that are up have acknowledged the update in this place.
    AckDue(Place),
}

/// A process: the primary, a replica, or a client.
#[derive(Clone, Debug, Hash)]
pub enum StateTransfer {
    /// It orders updates.
    Primary(Primary),
    /// It keeps the state.
    Replica(Replica),
    /// It sends requests.
    Client(Client),
}

type Context<'a> = Cx<'a, StateTransfer>;

impl Process for StateTransfer {
    type Spec = ReplicatedService;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Record;

    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        match self {
            Self::Primary(primary) => primary.on_recover(log, cx),
            Self::Replica(replica) => replica.on_recover(log, cx),
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
            Self::Primary(primary) => primary.on_message(from, msg, cx),
            Self::Replica(replica) => replica.on_message(from, msg, cx),
            Self::Client(client) => client.on_message(msg, cx),
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<Self>) {
        match (self, timer) {
            (Self::Primary(primary), Timer::AckDue(place)) => primary.on_ack_due(place, cx),
            (Self::Client(client), Timer::Retry) => client.on_retry(cx),
            (Self::Replica(replica), Timer::Retry) => replica.on_retry(cx),
            (Self::Replica(replica), Timer::Save) => replica.on_save(cx),
            _ => {}
        }
    }
}

/// The records before the first that a crash has torn or lost. The rest is removed from the disk.
fn whole_part(log: &[Stored<Record>], cx: &mut Context) -> Vec<Record> {
    let follows = |place: &mut Place, record: &Record| {
        *place = record.follows(*place)?;
        Some(record.clone())
    };
    let whole: Vec<_> = log.iter().map_while(Stored::intact).scan(0, follows).collect();
    if whole.len() < log.len() {
        cx.rewrite(whole.clone());
        cx.sync();
    }
    whole
}

/// A time, and a tenth for clocks that drift.
fn with_drift(time: Duration) -> Duration {
    time + Duration::from_nanos(time.as_nanos() / 10)
}

/// What is copied to a replica that returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The whole state; replicas have no disk.
    #[default]
    Snapshot,
    /// The updates that its disk lacks.
    LogSuffix,
    /// These, as long as the log of the primary reaches back so far, else the whole state.
    SnapshotLog,
}

/// `[params]` of `state-transfer`.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// What is copied to a replica that returns.
    pub mode: Mode,
    /// The number of keys, commands or updates in a part of a copy.
    pub part: u32,
    /// With `snapshot-log`, the number of updates that the primary keeps.
    pub keep: u32,
    /// The time after which a client reads at the next replica, or asks the primary again, and a
    /// replica that has returned asks again for a copy, which takes a round trip.
    pub retry: Duration,
    /// The time from one sync of a replica to the next, if there is something to save; a sync must
    /// not take longer.
    pub save: Duration,
}

impl Default for Params {
    fn default() -> Self {
        let (save, retry) = (Duration::from_millis(20), Duration::from_millis(100));
        Self { mode: Mode::Snapshot, part: 2, keep: 8, retry, save }
    }
}

const NO_BUFFER: Mutant = Mutant::code(
    "no-buffer",
    "drops the updates that come during the copy, as if they were in it",
    PREFIX,
);
const SERVE_WHILE_BEHIND: Mutant =
    Mutant::code("serve-while-behind", "answers reads before it has caught up", LINEARIZABLE);
const NO_DEDUP: Mutant = Mutant::code(
    "no-dedup",
    "applies an update that comes late, even if it is in the copy",
    EXACTLY_ONCE,
);
const NO_TRANSFER: Mutant =
    Mutant::code("no-transfer", "goes on from where it is, without a copy", CONVERGENCE);
const NO_RETRY: Mutant =
    Mutant::code("no-retry", "a client waits for its replica, also if that is down", LIVENESS);
const READ_PENDING: Mutant = Mutant::code(
    "read-pending",
    "answers reads from its state, without waiting for updates that it has",
    LINEARIZABLE,
);

const JOIN_AT_ONCE: Mutant = Mutant::code(
    "join-at-once",
    "a replica that returns sends JOIN while one of its earlier life may be under way",
    LINEARIZABLE,
);

impl Protocol for StateTransfer {
    const NAME: &'static str = "state-transfer";
    const SUMMARY: &'static str = "a replica that returns catches up while the others go on";
    const SOURCE: &'static str = "Schneider 1990, section 7.3";
    const ROLES: &'static [&'static str] = &[PRIMARY, SERVER, CLIENT];
    const MUTANTS: &'static [Mutant] = &[
        NO_BUFFER,
        SERVE_WHILE_BEHIND,
        NO_DEDUP,
        NO_TRANSFER,
        READ_PENDING,
        NO_RETRY,
        JOIN_AT_ONCE,
    ];

    type Params = Params;

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        if setting.role_size(PRIMARY) != 1 {
            return Err(Invalid::role(PRIMARY, "there is one primary"));
        }
        if setting.role_size(SERVER) == 0 {
            return Err(Invalid::role(SERVER, "there is no server"));
        }
        if params.part == 0 {
            return Err(Invalid::new("part", "must be at least 1"));
        }
        let round_trip = with_drift(setting.delay_bound.times(2));
        if params.retry < round_trip || params.retry == Duration::ZERO {
            let least = format!("must be at least a round trip and a tenth, {round_trip}");
            return Err(Invalid::new("retry", least));
        }
        if params.save < setting.delay_bound || params.save == Duration::ZERO {
            return Err(Invalid::new("save", "must be at least the bound on delays"));
        }
        Ok(())
    }

    fn model(_: &Params, _: &Setting) -> Model {
        Model::SYNCHRONOUS.crash_recovery(Bound::ANY_THAT_RECOVER).drifting(DRIFT_PPM)
    }

    fn can_progress(_: &Params, setting: &Setting, well: &ProcessSet) -> bool {
        let some_well = |role| setting.role(role).any(|p| well.contains(p));
        some_well(PRIMARY) && some_well(SERVER)
    }

    fn claims(_: &Params, _: &Setting) -> Vec<PropertyId> {
        vec![PREFIX]
    }

    fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        if setting.has_role(me, PRIMARY) {
            Self::Primary(Primary::new(params, setting))
        } else if setting.has_role(me, SERVER) {
            Self::Replica(Replica::new(params, setting, me))
        } else {
            Self::Client(Client::new(params, setting, me))
        }
    }
}
