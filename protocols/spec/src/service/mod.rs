//! A replicated key-value service: clients invoke operations, and the servers answer as one.
//!
//! However the service is replicated (primary and backup, a log, quorums, a chain), clients see the
//! same. So the vocabulary, the clients ([`clients`]) and the shared properties ([`properties`])
//! are defined once, here. The additional announcements of a family of protocols are its [`Facts`],
//! with the properties that only make sense there: `Service<Facts>` is the spec of the family, and
//! its table selects among the shared properties.

pub mod clients;
pub mod properties;
#[cfg(test)]
mod tests;

use std::fmt;
use std::marker::PhantomData;

use ftsim_core::{
    Act, Data, FaultClass, Invalid, OperationName, ProcessId, PropertyEntry, Setting, Spec,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::linearizability::Model;
use clients::{ClientSettings, Clients};

/// The role of the processes that hold the state.
pub const SERVER: &str = "server";
/// The role of the processes that make requests.
pub const CLIENT: &str = "client";

/// The problem of serving keys and values as one server would that never fails.
pub struct Service<F>(PhantomData<F>);

/// The additional announcements of a family of protocols, and its properties.
pub trait Facts: Data {
    /// The name of the spec.
    const SPEC: &'static str;
    /// Its properties: shared ones and its own.
    const PROPERTIES: &'static [PropertyEntry<Service<Self>>];
    /// The classes of faults that they are stated for, as [`Spec::FAULTS`].
    const FAULTS: &'static [FaultClass] = &[FaultClass::None, FaultClass::CrashStop];
    /// Whether servers announce that they lead.
    const HAS_LEADER: bool = false;
    /// The keys of `[workload]`.
    type Workload: ClientSettings;

    /// Whether the server that announces this leads from now on, or no longer does; `None` if
    /// neither.
    fn leads(&self) -> Option<bool> {
        None
    }

    /// The number of the configuration that the server leads from now on, if configurations have
    /// numbers: whatever one does after a greater one has begun to serve, it is over.
    fn configuration(&self) -> Option<u64> {
        None
    }

    /// What this says of the server, as [`Spec::phrase`] does.
    fn phrase(&self) -> Option<String> {
        None
    }
}

/// The name of an object.
pub type Key = u32;
/// The value of an object, initially 0.
pub type Value = u64;

/// An operation on one key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Operation {
    /// Returns the value.
    Read,
    /// Sets the value.
    Write(Value),
    /// Adds one to the value.
    Increment,
    /// Sets the value to `new` if it is `expected`.
    CompareAndSwap {
        /// The required value.
        expected: Value,
        /// The new value.
        new: Value,
    },
}

/// The result of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// The value is written.
    Done,
    /// The value read, or the result of an increment.
    Value(Value),
    /// Whether the value was as expected.
    Swapped(bool),
}

impl Operation {
    /// Whether it can change the value.
    pub const fn is_update(&self) -> bool {
        !matches!(self, Self::Read)
    }

    /// The value after the operation, and its result.
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

/// The identity of an operation: however often it is sent, it is one command.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Command {
    /// The client that invoked it.
    pub client: ProcessId,
    /// The number of the operation at its client.
    pub number: u64,
}

impl fmt::Debug for Command {
    /// Formats as `p4#2`: short, since traces contain many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.client, self.number)
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "operation {} of {}", self.number, self.client)
    }
}

/// A request to a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// To a client: invoke this operation.
    Invoke {
        /// The number of the operation: 1, 2, …
        number: u64,
        /// The key.
        key: Key,
        /// The operation.
        operation: Operation,
    },
    /// To a server: the operator, a human, declares this process down.
    DeclareDown(ProcessId),
}

/// An announcement of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication<F> {
    /// At a client: an operation is done.
    Response {
        /// The number of the operation.
        number: u64,
        /// Its result.
        outcome: Outcome,
    },
    /// A probe, at a server: this command has been applied to its state.
    Applied(Command),
    /// A probe, at a server: its state is now the result of these commands in this order, whatever
    /// it was before.
    Adopted(Vec<Command>),
    /// A probe, at a server: a new configuration begins to serve from this server's state.
    Serves,
    /// A probe: a fact of the family.
    Fact(F),
}

impl<F: Facts> Spec for Service<F> {
    const NAME: &'static str = F::SPEC;
    const PROPERTIES: &'static [PropertyEntry<Self>] = F::PROPERTIES;
    const FAULTS: &'static [FaultClass] = F::FAULTS;

    type Request = Request;
    type Indication = Indication<F>;
    type WorkloadSettings = F::Workload;
    type Workload = Clients;

    fn workload(settings: &F::Workload, setting: &Setting) -> Result<Clients, Invalid> {
        Clients::new(settings, setting)
    }

    fn phrase(indication: &Indication<F>) -> Option<String> {
        match indication {
            Indication::Response { number, outcome } => {
                Some(format!("ends #{number} with {outcome:?}"))
            }
            Indication::Applied(command) => Some(format!("applies {command:?}")),
            Indication::Adopted(commands) => {
                Some(format!("adopts a state of {} operations", commands.len()))
            }
            Indication::Serves => Some("begins to serve".to_owned()),
            Indication::Fact(fact) => fact.phrase(),
        }
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

    /// In the notation that Jepsen's checkers read: `read`, `write` and `cas`, each value with its
    /// key before it.
    fn act(request: &Request, answer: Option<&Indication<F>>) -> Act {
        let Request::Invoke { key, operation, .. } = request else { return Act::of(request) };
        let outcome = match answer {
            Some(Indication::Response { outcome, .. }) => Some(outcome),
            _ => None,
        };
        let found = match outcome {
            Some(Outcome::Value(value)) => Some(*value),
            _ => None,
        };
        let act = match operation {
            Operation::Read => Act::new("read", json!([key, found])),
            Operation::Write(new) => Act::new("write", json!([key, new])),
            Operation::Increment => Act::new("increment", json!([key, found])),
            Operation::CompareAndSwap { expected, new } => {
                Act::new("cas", json!([key, [expected, new]]))
            }
        };
        Act { failed: outcome == Some(&Outcome::Swapped(false)), ..act }
    }
}
