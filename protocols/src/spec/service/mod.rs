//! A replicated key-value service: clients invoke operations, servers answer as one.
//!
//! Whatever replicates it, primary and backup, a log, quorums, a chain, the clients see the same,
//! and so the vocabulary, the clients ([`clients`]) and the shared properties ([`properties`]) are
//! stated once here. What a family of protocols announces beyond that is its [`Facts`], with the
//! properties that only make sense there: `Service<Facts>` is the family's spec, and its table
//! picks the shared properties that it answers to.

pub mod clients;
pub mod properties;
#[cfg(test)]
mod tests;

use std::fmt;
use std::marker::PhantomData;

use ftsim_core::{Data, Invalid, OperationName, ProcessId, PropertyEntry, Setting, Spec};
use serde::{Deserialize, Serialize};

use crate::linearizability::Model;
use clients::{Clients, ServiceWorkload};

/// The role of those who hold the state.
pub const SERVER: &str = "server";
/// The role of those who ask.
pub const CLIENT: &str = "client";

/// The problem of serving keys and values as one server would that never fails.
pub struct Service<F>(PhantomData<F>);

/// What a family of protocols announces of its inside beyond what all of them do, and what it
/// answers to.
pub trait Facts: Data {
    /// The name of the spec.
    const SPEC: &'static str;
    /// Its properties: shared ones and its own.
    const PROPERTIES: &'static [PropertyEntry<Service<Self>>];
    /// Whether servers announce that they lead.
    const HAS_LEADER: bool = false;

    /// Whether the server that announces this leads from now on, or no longer does.
    fn leads(&self) -> Option<bool> {
        None
    }
}

/// The name of an object.
pub type Key = u32;
/// What it holds; 0 at first.
pub type Value = u64;

/// What an operation does to one key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Operation {
    /// What does it hold?
    Read,
    /// It holds this from now on.
    Write(Value),
    /// It holds one more.
    Increment,
    /// It holds `new`, if it held `expected`.
    CompareAndSwap {
        /// What it must hold.
        expected: Value,
        /// What it then holds.
        new: Value,
    },
}

/// What an operation answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// It is written.
    Done,
    /// What was read, or what an increment came to.
    Value(Value),
    /// Whether the key held what was expected.
    Swapped(bool),
}

impl Operation {
    /// Whether it can change what a key holds.
    pub const fn is_update(&self) -> bool {
        !matches!(self, Self::Read)
    }

    /// What the key holds after it, and what it answers.
    pub fn apply(&self, value: Value) -> (Value, Outcome) {
        match *self {
            Self::Read => (value, Outcome::Value(value)),
            Self::Write(new) => (new, Outcome::Done),
            Self::Increment => (value.wrapping_add(1), Outcome::Value(value.wrapping_add(1))),
            Self::CompareAndSwap { expected, new } if expected == value => {
                (new, Outcome::Swapped(true))
            }
            Self::CompareAndSwap { .. } => (value, Outcome::Swapped(false)),
        }
    }
}

/// One key, as a sequential object.
pub struct OneKey;

impl Model for OneKey {
    type State = Value;
    type Operation = Operation;
    type Outcome = Outcome;

    fn step(value: &Value, operation: &Operation) -> (Value, Outcome) {
        operation.apply(*value)
    }

    fn only_looks(operation: &Operation, outcome: &Outcome) -> bool {
        !operation.is_update() || *outcome == Outcome::Swapped(false)
    }
}

/// An operation as everybody knows it: however often it is sent, it is one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Command {
    /// The client who asked for it.
    pub client: ProcessId,
    /// Which of its operations.
    pub number: u64,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "operation {} of {}", self.number, self.client)
    }
}

/// What a process is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// A client is to get this operation done.
    Invoke {
        /// Which of its operations: 1, 2, …
        number: u64,
        /// On which key.
        key: Key,
        /// What.
        operation: Operation,
    },
    /// A server hears from the operator, a human, that this process is down.
    DeclareDown(ProcessId),
}

/// What a process announces.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication<F> {
    /// At a client: an operation is done.
    Response {
        /// Which.
        number: u64,
        /// What came of it.
        outcome: Outcome,
    },
    /// Probe, at a server: its state is now that after this command too.
    Applied(Command),
    /// Probe, at a server: its state is now that of these commands in this order, whatever it was
    /// before.
    Adopted(Vec<Command>),
    /// Probe, at a server: a new configuration begins to serve from this server's state.
    Serves,
    /// Probe: a fact of the family.
    Fact(F),
}

impl<F: Facts> Spec for Service<F> {
    const NAME: &'static str = F::SPEC;
    const PROPERTIES: &'static [PropertyEntry<Self>] = F::PROPERTIES;

    type Request = Request;
    type Indication = Indication<F>;
    type WorkloadSettings = ServiceWorkload;
    type Workload = Clients;

    fn workload(settings: &ServiceWorkload, setting: &Setting) -> Result<Clients, Invalid> {
        Clients::new(settings, setting)
    }

    fn is_probe(indication: &Indication<F>) -> bool {
        !matches!(indication, Indication::Response { .. })
    }

    const HAS_LEADER: bool = F::HAS_LEADER;

    fn leads(indication: &Indication<F>) -> Option<bool> {
        match indication {
            Indication::Fact(fact) => fact.leads(),
            _ => None,
        }
    }

    /// An invocation is answered by the response at its client.
    fn operation(client: ProcessId, request: &Request) -> Option<OperationName> {
        match request {
            Request::Invoke { number, .. } => Some(OperationName::at(client, *number)),
            Request::DeclareDown(_) => None,
        }
    }

    fn answers(
        client: ProcessId,
        indication: &Indication<F>,
    ) -> impl Iterator<Item = OperationName> {
        let answered = match indication {
            Indication::Response { number, .. } => Some(OperationName::at(client, *number)),
            _ => None,
        };
        answered.into_iter()
    }
}
