//! Weighted voting: registers whose servers have votes, read and written with quorums of votes.
//!
//! Source: Gifford (1979), *Weighted voting for replicated data*; with one vote each, Thomas
//! (1979), *A majority consensus approach*. Spec: [`Registers`]. Model: asynchronous,
//! crash-recovery, as many servers as leave r votes and w votes, any number of clients; fair-loss
//! links.
//!
//! Steps: server i has v_i votes, V in all. A client reads with r votes and writes with w, where
//! r + w > V and 2w > V.
//!
//! - To write, a client sends INQUIRE to all servers, waits for w votes, and takes the next version
//!   number after the highest. It sends INSTALL with this version and its value to all, and waits
//!   for w votes of acknowledgements.
//! - To read, a client sends INQUIRE to all, waits for r votes, and takes the value with the
//!   highest version. If it does not know that w votes have this version, it installs it there
//!   before it returns the value.
//! - A server that receives INSTALL with a higher version than its own adopts version and value, on
//!   stable storage, and only then acknowledges it.
//!
//! Why it works: a set of r votes and one of w have a server in common, and so have two of w. So a
//! read finds the last write, and a write a higher version than those before it. What a read
//! returns has w votes, so no later read misses it. A server without votes is a mere copy.
//!
//! Words: the paper's *file suite* is our register, its *representatives* are servers. Its clients
//! lock representatives in transactions, so that no read meets a write that is under way, and r
//! votes are enough to read. Ours do without locks: reads write back, as in `abd`, for which they
//! need w votes too, and of two writes with one version number the greater client and operation
//! counts.

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use crate::spec::register::Registers;
use crate::spec::service::properties::LINEARIZABLE;
use crate::spec::service::{
    CLIENT, Command, Indication, Key, Operation, Outcome, Request, SERVER, Value,
};

/// Orders the values of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version {
    number: u64,
    /// The operation that writes the value; of the initial value there is none.
    writer: Option<Command>,
}

/// A value and its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Versioned {
    version: Version,
    value: Value,
}

impl Versioned {
    const INITIAL: Self = Self { version: Version { number: 0, writer: None }, value: 0 };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// Client to server: what is in this register?
    Inquire { number: u64, key: Key },
    /// Server to client: this is.
    Reply { number: u64, versioned: Versioned },
    /// Client to server: install this, unless there is something newer.
    Install { number: u64, key: Key, versioned: Versioned },
    /// Server to client: it is installed.
    Ack { number: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// At a client: some servers have not answered.
    Retry,
}

/// The records of a server's log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    /// This is in the register.
    Installed { key: Key, versioned: Versioned },
}

/// A process: a server or a client.
#[derive(Clone, Debug, Hash)]
pub enum WeightedVoting {
    /// It keeps the registers.
    Server(Server),
    /// It reads and writes.
    Client(Client),
}

type Context<'a> = Cx<'a, WeightedVoting>;

impl Process for WeightedVoting {
    type Spec = Registers;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Record;

    fn on_recover(&mut self, log: &[Stored<Record>], _: &mut Cx<Self>) {
        if let Self::Server(server) = self {
            server.on_recover(log);
        }
    }

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        if let (Self::Client(client), Request::Invoke { number, key, operation }) = (self, request)
        {
            client.on_invoke(number, key, &operation, cx);
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match self {
            Self::Client(client) => client.on_message(from, msg, cx),
            Self::Server(server) => server.on_message(from, msg, cx),
        }
    }

    fn on_timer(&mut self, Timer::Retry: Timer, cx: &mut Cx<Self>) {
        if let Self::Client(client) = self {
            client.transmit(cx);
        }
    }
}

/// A client of the registers.
#[derive(Clone, Debug, Hash)]
pub struct Client {
    votes: BTreeMap<ProcessId, u32>,
    read_quorum: u32,
    write_quorum: u32,
    retry: Duration,
    pending: Option<Pending>,
}

/// The operation that a client performs.
#[derive(Clone, Debug, Hash)]
struct Pending {
    number: u64,
    key: Key,
    /// The value to write; if there is none, it reads.
    writes: Option<Value>,
    phase: Phase,
}

#[derive(Clone, Debug, Hash)]
enum Phase {
    /// It waits for replies, with those that have come.
    Inquire(BTreeMap<ProcessId, Versioned>),
    /// It waits for acknowledgements that this is installed, with those that have come.
    Install(ProcessSet, Versioned),
}

impl Client {
    fn on_invoke(&mut self, number: u64, key: Key, operation: &Operation, cx: &mut Context) {
        let writes = match operation {
            Operation::Read => None,
            Operation::Write(value) => Some(*value),
            // The clients of registers do not ask for more.
            Operation::Increment | Operation::CompareAndSwap { .. } => return,
        };
        let phase = Phase::Inquire(BTreeMap::new());
        self.pending = Some(Pending { number, key, writes, phase });
        self.transmit(cx);
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context) {
        let (Msg::Reply { number, .. } | Msg::Ack { number }) = msg else { return };
        let pending = self.pending.as_mut().filter(|pending| pending.number == number);
        let Some(pending) = pending else { return };
        match (&mut pending.phase, msg) {
            (Phase::Inquire(replies), Msg::Reply { versioned, .. }) => {
                replies.insert(from, versioned);
                let quorum =
                    if pending.writes.is_some() { self.write_quorum } else { self.read_quorum };
                if count(&self.votes, replies.keys().copied()) >= quorum {
                    let replies = replies.clone();
                    self.on_inquired(&replies, cx);
                }
            }
            (Phase::Install(acked, versioned), Msg::Ack { .. }) => {
                acked.insert(from);
                if count(&self.votes, acked.iter()) >= self.write_quorum {
                    let value = versioned.value;
                    self.respond(value, cx);
                }
            }
            _ => {}
        }
    }

    /// A quorum has replied: installs its value with a higher version, or what it has read.
    fn on_inquired(&mut self, replies: &BTreeMap<ProcessId, Versioned>, cx: &mut Context) {
        let Some(pending) = &mut self.pending else { return };
        let highest = replies.values().copied().max().unwrap_or(Versioned::INITIAL);
        let versioned = match pending.writes {
            None => {
                let have = replies.iter().filter(|(_, versioned)| **versioned == highest);
                let votes = count(&self.votes, have.map(|(p, _)| *p));
                if votes >= self.write_quorum || cx.runs(&NO_WRITE_BACK) {
                    cx.reach("a read wrote nothing back");
                    return self.respond(highest.value, cx);
                }
                highest
            }
            Some(value) => {
                let number = match cx.runs(&NO_VERSION) {
                    true => 1,
                    false => highest.version.number.saturating_add(1),
                };
                let writer = Some(Command { client: cx.me(), number: pending.number });
                Versioned { version: Version { number, writer }, value }
            }
        };
        pending.phase = Phase::Install(ProcessSet::new(), versioned);
        self.transmit(cx);
    }

    fn respond(&mut self, value: Value, cx: &mut Context) {
        let Some(Pending { number, writes, .. }) = self.pending.take() else { return };
        let outcome = if writes.is_some() { Outcome::Done } else { Outcome::Value(value) };
        cx.cancel_timer(Timer::Retry);
        cx.indicate(Indication::Response { number, outcome });
    }

    /// Sends the message of its phase to the servers that have not answered it.
    fn transmit(&self, cx: &mut Context) {
        let Some(Pending { number, key, phase, .. }) = &self.pending else { return };
        let (number, key) = (*number, *key);
        let servers = self.votes.keys().copied();
        match phase {
            Phase::Inquire(replies) => {
                let rest = servers.filter(|p| !replies.contains_key(p));
                cx.send_to(rest, Msg::Inquire { number, key });
            }
            Phase::Install(acked, versioned) => {
                let rest = servers.filter(|p| !acked.contains(*p));
                cx.send_to(rest, Msg::Install { number, key, versioned: *versioned });
            }
        }
        cx.set_timer(self.retry, Timer::Retry);
    }
}

/// The votes of these servers together.
fn count(votes: &BTreeMap<ProcessId, u32>, servers: impl Iterator<Item = ProcessId>) -> u32 {
    sum(servers.filter_map(|p| votes.get(&p)))
}

fn sum<'a>(votes: impl Iterator<Item = &'a u32>) -> u32 {
    votes.fold(0, |sum, votes| sum.saturating_add(*votes))
}

/// A server of registers.
#[derive(Clone, Debug, Default, Hash)]
pub struct Server {
    registers: BTreeMap<Key, Versioned>,
}

impl Server {
    fn on_recover(&mut self, log: &[Stored<Record>]) {
        for Record::Installed { key, versioned } in log.iter().filter_map(Stored::intact) {
            self.install(*key, *versioned);
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context) {
        match msg {
            Msg::Inquire { number, key } => {
                let versioned = self.registers.get(&key).copied().unwrap_or(Versioned::INITIAL);
                cx.send(from, Msg::Reply { number, versioned });
            }
            Msg::Install { number, key, versioned } => {
                if self.install(key, versioned) {
                    cx.append(Record::Installed { key, versioned });
                    cx.sync();
                }
                cx.send(from, Msg::Ack { number });
            }
            Msg::Reply { .. } | Msg::Ack { .. } => {}
        }
    }

    /// Adopts what has a higher version; false if this has not.
    fn install(&mut self, key: Key, versioned: Versioned) -> bool {
        let mine = self.registers.entry(key).or_insert(Versioned::INITIAL);
        let is_newer = versioned.version > mine.version;
        if is_newer {
            *mine = versioned;
        }
        is_newer
    }
}

/// `[params]` of `weighted-voting`.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The votes of each server; by default one each.
    pub votes: Vec<u32>,
    /// r: the votes needed to read; by default a majority.
    pub read: Option<u32>,
    /// w: the votes needed to write; by default a majority.
    pub write: Option<u32>,
    /// The time after which a client sends its message again to the servers that have not answered.
    pub retry: Duration,
}

impl Default for Params {
    fn default() -> Self {
        Self { votes: Vec::new(), read: None, write: None, retry: Duration::from_millis(100) }
    }
}

/// The greatest number of votes of a server.
const VOTES_MAX: u32 = 1_000;

impl Params {
    fn votes(&self, setting: &Setting) -> BTreeMap<ProcessId, u32> {
        let votes = |(place, p)| (p, self.votes.get(place).copied().unwrap_or(1));
        setting.role(SERVER).enumerate().map(votes).collect()
    }

    fn total(&self, setting: &Setting) -> u32 {
        sum(self.votes(setting).values())
    }

    fn read_quorum(&self, setting: &Setting) -> u32 {
        self.read.unwrap_or(self.total(setting) / 2 + 1)
    }

    fn write_quorum(&self, setting: &Setting) -> u32 {
        self.write.unwrap_or(self.total(setting) / 2 + 1)
    }

    /// The votes without which clients wait: those of the greater quorum.
    fn greater_quorum(&self, setting: &Setting) -> u32 {
        self.read_quorum(setting).max(self.write_quorum(setting))
    }

    /// The number of servers of which any may be down, also those with the most votes.
    fn tolerated(&self, setting: &Setting) -> u32 {
        let mut votes: Vec<u32> = self.votes(setting).into_values().collect();
        votes.sort_unstable();
        let needed = self.greater_quorum(setting);
        let left = |down: usize| sum(votes.iter().rev().skip(down));
        let most = (0..votes.len()).take_while(|down| left(*down) >= needed).last().unwrap_or(0);
        u32::try_from(most).unwrap_or(0)
    }
}

const RW_GAP: Mutant = Mutant::assumption(
    "rw-gap",
    "reads with r votes and writes with w, where r + w = V",
    LINEARIZABLE,
    "params.read",
    Some("2"),
);
const WW_GAP: Mutant = Mutant::assumption(
    "ww-gap",
    "writes with w votes, where 2w = V",
    LINEARIZABLE,
    "params.write",
    Some("3"),
);
const NO_VERSION: Mutant =
    Mutant::code("no-version", "gives each value that it writes the same number", LINEARIZABLE);
const NO_WRITE_BACK: Mutant = Mutant::code(
    "no-write-back",
    "a read returns a value that may have fewer than w votes",
    LINEARIZABLE,
);

impl Protocol for WeightedVoting {
    const NAME: &'static str = "weighted-voting";
    const SUMMARY: &'static str = "atomic registers: servers have votes, r to read and w to write";
    const SOURCE: &'static str = "Gifford 1979; Thomas 1979";
    const ROLES: &'static [&'static str] = &[SERVER, CLIENT];
    const MUTANTS: &'static [Mutant] = &[RW_GAP, WW_GAP, NO_VERSION, NO_WRITE_BACK];

    type Params = Params;

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        let server_count = setting.role_size(SERVER);
        if server_count == 0 {
            return Err(Invalid::role(SERVER, "there is no server"));
        }
        if !params.votes.is_empty() && params.votes.len() != server_count as usize {
            let message = format!("there must be one number for each of {server_count} servers");
            return Err(Invalid::new("votes", message));
        }
        if params.votes.iter().any(|votes| *votes > VOTES_MAX) {
            return Err(Invalid::new("votes", format!("must be at most {VOTES_MAX} each")));
        }
        if params.retry == Duration::ZERO {
            return Err(Invalid::new("retry", "must be longer than zero"));
        }
        let total = u64::from(params.total(setting));
        let (read, write) =
            (u64::from(params.read_quorum(setting)), u64::from(params.write_quorum(setting)));
        let is_met = |quorum| (1..=total).contains(&quorum);
        if !is_met(read) {
            return Err(Invalid::new("read", format!("must be from 1 to {total}, all votes")));
        }
        if !is_met(write) {
            return Err(Invalid::new("write", format!("must be from 1 to {total}, all votes")));
        }
        if read + write <= total && !setting.runs(&RW_GAP) {
            let message = "must be more than all votes together with the votes to write, or a \
                           read can miss a write (the mutant \"rw-gap\" does)";
            return Err(Invalid::new("read", message));
        }
        if 2 * write <= total && !setting.runs(&WW_GAP) {
            let message = "must be more than half of all votes, or two writes can miss each other \
                           (the mutant \"ww-gap\" does)";
            return Err(Invalid::new("write", message));
        }
        Ok(())
    }

    fn model(params: &Params, setting: &Setting) -> Model {
        let are_alike = params.votes.is_empty() && params.read.is_none() && params.write.is_none();
        let bound =
            if are_alike { Bound::MINORITY } else { Bound::at_most(params.tolerated(setting)) };
        Model::ASYNCHRONOUS.crash_recovery(bound.of(SERVER)).over(Links::FairLoss)
    }

    fn can_progress(params: &Params, setting: &Setting, well: &ProcessSet) -> bool {
        let votes = params.votes(setting);
        count(&votes, well.iter()) >= params.greater_quorum(setting)
    }

    fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        if setting.has_role(me, SERVER) {
            return Self::Server(Server::default());
        }
        Self::Client(Client {
            votes: params.votes(setting),
            read_quorum: params.read_quorum(setting),
            write_quorum: params.write_quorum(setting),
            retry: params.retry,
            pending: None,
        })
    }
}
