//! Atomic registers by majorities, known as ABD.
//!
//! Source: Attiya, Bar-Noy and Dolev (1995), *Sharing memory robustly in message-passing systems*,
//! for one writer; Lynch and Shvartsman (1997) for many. Spec: [`Registers`]. Model: asynchronous,
//! crash-recovery, fewer than half of the servers, any number of clients; fair-loss links.
//!
//! Steps: every server keeps a value and its tag: a sequence number, and of equal numbers the
//! writer decides.
//!
//! - To write, a client sends QUERY to all servers, waits for a majority of replies, and takes the
//!   next sequence number after the highest; it sends STORE with this tag and its value to all, and
//!   waits for a majority of acknowledgements. If there is only one writer (`single_writer`), it
//!   needs no query: it counts its writes.
//! - To read, a client sends QUERY to all, waits for a majority of replies, and takes the value
//!   with the highest tag. Before it returns this value it writes it back: STORE to all,
//!   acknowledged by a majority.
//! - A server that receives STORE with a higher tag than its own adopts tag and value, on stable
//!   storage, and only then acknowledges it.
//!
//! Why it works: two majorities have a server in common. What is written, or has been read, is at a
//! majority, so no later query misses it, and no later operation has a lower tag.
//!
//! Words: the papers' *processors* are clients and servers at once, here they are apart. A *tag* of
//! 1997 is a *label* of 1995. Here the second part of a tag is not the writer but its operation: a
//! writer that crashes forgets which tags it has used.

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use crate::spec::register::Registers;
use crate::spec::service::properties::LINEARIZABLE;
use crate::spec::service::{
    CLIENT, Command, Indication, Key, Operation, Outcome, Request, SERVER, Value,
};

/// Orders the values of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tag {
    sequence: u64,
    /// The operation that writes the value; of the initial value there is none.
    writer: Option<Command>,
}

/// A value and its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tagged {
    tag: Tag,
    value: Value,
}

impl Tagged {
    const INITIAL: Self = Self { tag: Tag { sequence: 0, writer: None }, value: 0 };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// Client to server: what is in this register?
    Query { number: u64, key: Key },
    /// Server to client: this is.
    Reply { number: u64, tagged: Tagged },
    /// Client to server: store this, unless there is something newer.
    Store { number: u64, key: Key, tagged: Tagged },
    /// Server to client: it is stored.
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
    Stored { key: Key, tagged: Tagged },
}

/// A process: a server or a client.
#[derive(Clone, Debug, Hash)]
pub enum Abd {
    /// It keeps the registers.
    Server(Server),
    /// It reads and writes.
    Client(Client),
}

type Context<'a> = Cx<'a, Abd>;

impl Process for Abd {
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
    servers: ProcessSet,
    single_writer: bool,
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
    /// It waits for replies, with the servers that have replied, and the highest that they have.
    Query(ProcessSet, Tagged),
    /// It waits for acknowledgements that this is stored, with those that have come.
    Store(ProcessSet, Tagged),
}

impl Client {
    fn on_invoke(&mut self, number: u64, key: Key, operation: &Operation, cx: &mut Context) {
        let writes = match operation {
            Operation::Read => None,
            Operation::Write(value) => Some(*value),
            // The clients of registers do not ask for more.
            Operation::Increment | Operation::CompareAndSwap { .. } => return,
        };
        let phase = match writes {
            Some(value) if self.single_writer => {
                let tag = Tag { sequence: number, writer: Some(command(number, cx)) };
                Phase::Store(ProcessSet::new(), Tagged { tag, value })
            }
            _ => Phase::Query(ProcessSet::new(), Tagged::INITIAL),
        };
        self.pending = Some(Pending { number, key, writes, phase });
        self.transmit(cx);
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context) {
        let quorum = self.quorum(cx);
        let (Msg::Reply { number, .. } | Msg::Ack { number }) = msg else { return };
        let Some(pending) = self.pending.as_mut().filter(|pending| pending.number == number) else {
            return;
        };
        match (&mut pending.phase, msg) {
            (Phase::Query(replied, highest), Msg::Reply { tagged, .. }) => {
                replied.insert(from);
                *highest = tagged.max(*highest);
                if replied.len() >= quorum {
                    let highest = *highest;
                    self.on_queried(highest, cx);
                }
            }
            (Phase::Store(acked, tagged), Msg::Ack { .. }) => {
                acked.insert(from);
                if acked.len() >= quorum {
                    let tagged = *tagged;
                    self.respond(tagged.value, cx);
                }
            }
            _ => {}
        }
    }

    /// A majority has replied: stores its value with a higher tag, or writes back what it has read.
    fn on_queried(&mut self, highest: Tagged, cx: &mut Context) {
        let Some(pending) = &mut self.pending else { return };
        let tagged = match pending.writes {
            None if cx.runs(&NO_WRITE_BACK) => return self.respond(highest.value, cx),
            None => highest,
            Some(value) => {
                let sequence = highest.tag.sequence.saturating_add(1);
                let tag = Tag { sequence, writer: Some(command(pending.number, cx)) };
                Tagged { tag, value }
            }
        };
        pending.phase = Phase::Store(ProcessSet::new(), tagged);
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
        let (answered, msg) = match phase {
            Phase::Query(answered, _) => (answered, Msg::Query { number, key }),
            Phase::Store(answered, tagged) => {
                (answered, Msg::Store { number, key, tagged: *tagged })
            }
        };
        cx.send_to(self.servers.iter().filter(|p| !answered.contains(*p)), msg);
        cx.set_timer(self.retry, Timer::Retry);
    }

    fn quorum(&self, cx: &Context) -> usize {
        let half_count = self.servers.len().div_ceil(2);
        if cx.runs(&HALF_QUORUM) { half_count } else { self.servers.len() / 2 + 1 }
    }
}

fn command(number: u64, cx: &Context) -> Command {
    Command { client: cx.me(), number }
}

/// A server of registers.
#[derive(Clone, Debug, Default, Hash)]
pub struct Server {
    registers: BTreeMap<Key, Tagged>,
}

impl Server {
    fn on_recover(&mut self, log: &[Stored<Record>]) {
        for Record::Stored { key, tagged } in log.iter().filter_map(Stored::intact) {
            self.store(*key, *tagged);
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context) {
        match msg {
            Msg::Query { number, key } => {
                let tagged = self.registers.get(&key).copied().unwrap_or(Tagged::INITIAL);
                cx.send(from, Msg::Reply { number, tagged });
            }
            Msg::Store { number, key, tagged } => {
                if self.store(key, tagged) && !cx.runs(&VOLATILE_STORE) {
                    cx.append(Record::Stored { key, tagged });
                    cx.sync();
                }
                cx.send(from, Msg::Ack { number });
            }
            Msg::Reply { .. } | Msg::Ack { .. } => {}
        }
    }

    /// Adopts what has a higher tag; false if this has not.
    fn store(&mut self, key: Key, tagged: Tagged) -> bool {
        let mine = self.registers.entry(key).or_insert(Tagged::INITIAL);
        let is_newer = tagged.tag > mine.tag;
        if is_newer {
            *mine = tagged;
        }
        is_newer
    }
}

/// `[params]` of `abd`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Whether only one client writes (`workload.writers = 1`), so that it need not ask for the
    /// highest tag.
    pub single_writer: bool,
    /// The time after which a client sends its message again to the servers that have not answered.
    pub retry: Duration,
}

impl Default for Params {
    fn default() -> Self {
        Self { single_writer: false, retry: Duration::from_millis(100) }
    }
}

const NO_WRITE_BACK: Mutant =
    Mutant::code("no-write-back", "a read returns without storing what it returns", LINEARIZABLE);
const HALF_QUORUM: Mutant =
    Mutant::code("half-quorum", "half of the servers are enough", LINEARIZABLE);
const NO_QUERY_PHASE: Mutant = Mutant::assumption(
    "no-query-phase",
    "several clients write, and none asks for the highest tag",
    LINEARIZABLE,
    "params.single_writer",
    Some("false"),
);
const VOLATILE_STORE: Mutant =
    Mutant::code("volatile-store", "a server forgets in a crash what it has stored", LINEARIZABLE);

impl Protocol for Abd {
    const NAME: &'static str = "abd";
    const SUMMARY: &'static str = "atomic registers: read from and write to majorities";
    const SOURCE: &'static str = "Attiya, Bar-Noy & Dolev 1995; Lynch & Shvartsman 1997";
    const ROLES: &'static [&'static str] = &[SERVER, CLIENT];
    const MUTANTS: &'static [Mutant] =
        &[NO_WRITE_BACK, HALF_QUORUM, NO_QUERY_PHASE, VOLATILE_STORE];

    type Params = Params;

    fn model(_: &Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_recovery(Bound::MINORITY.of(SERVER)).over(Links::FairLoss)
    }

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        if setting.role_size(SERVER) == 0 {
            return Err(Invalid::role(SERVER, "there is no server"));
        }
        if params.retry == Duration::ZERO {
            return Err(Invalid::new("retry", "must be longer than zero"));
        }
        Ok(())
    }

    fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        if setting.has_role(me, SERVER) {
            return Self::Server(Server::default());
        }
        Self::Client(Client {
            servers: setting.role(SERVER).collect(),
            single_writer: params.single_writer,
            retry: params.retry,
            pending: None,
        })
    }
}
