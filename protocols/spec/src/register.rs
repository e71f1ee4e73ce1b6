//! Replicated registers: clients read and write, and the servers are as good as one register.
//!
//! After Lamport (1986), *On interprocess communication*, for regular registers; Herlihy and Wing
//! (1990) for atomic ones, which are linearizable; Herlihy (1991), *Wait-free synchronization*. The
//! clients are those of every replicated [`Service`], except that they neither increment nor swap:
//! that cannot be done with registers.

use std::collections::BTreeMap;

use ftsim_core::{
    Duration, DurationRange, FaultClass, Invalid, Observed, Property, PropertyEntry, PropertyId,
    Standing, Violation,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::service::clients::{ClientSettings, ServiceWorkload};
use super::service::properties::{Liveness, invoked, linearizable, responded};
use super::service::{Command, Facts, Key, Operation, Outcome, Service, Value};

/// The problem of providing registers.
pub type Registers = Service<Fact>;

/// A server of registers announces nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Fact {}

/// A read returns a latest value, or one that is being written.
pub const REGULAR: PropertyId = PropertyId("reg.regular");
/// Nobody waits for ever.
pub const WAIT_FREE: PropertyId = PropertyId("reg.wait-free");

impl Facts for Fact {
    type Workload = RegisterWorkload;

    const SPEC: &'static str = "registers";
    const PROPERTIES: &'static [PropertyEntry<Service<Self>>] = &[
        PropertyEntry::safety(
            REGULAR,
            "a read returns a value that is being written, or one that was written last before it",
            |_| Box::new(Regular::default()),
        ),
        linearizable(Standing::Core),
        PropertyEntry::liveness(
            WAIT_FREE,
            "an operation eventually ends, unless its client crashes",
            |_| Box::new(Liveness::default()),
        ),
    ];
    const FAULTS: &'static [FaultClass] =
        &[FaultClass::None, FaultClass::CrashStop, FaultClass::CrashRecovery];
}

/// The operations that clients invoke.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RegisterWorkload {
    /// The number of operations that each client invokes, one after another.
    pub operations: u64,
    /// The number of keys, a register each; each operation picks one at random.
    pub keys: u32,
    /// The weight of reads among the kinds of operations.
    pub reads: u32,
    /// The weight of writes, each of a different value.
    pub writes: u32,
    /// Zero: registers are not incremented. A scenario of another service says so with this key.
    pub increments: u32,
    /// Zero: registers are not swapped.
    pub swaps: u32,
    /// The number of clients that write; the others only read. If omitted, all write.
    pub writers: Option<u32>,
    /// How long a client waits before each operation.
    pub think: DurationRange,
}

impl Default for RegisterWorkload {
    fn default() -> Self {
        Self {
            operations: 10,
            keys: 2,
            reads: 1,
            writes: 1,
            increments: 0,
            swaps: 0,
            writers: None,
            think: DurationRange { min: Duration::ZERO, max: Duration::from_millis(20) },
        }
    }
}

impl ClientSettings for RegisterWorkload {
    fn of_service(&self) -> ServiceWorkload {
        let Self { operations, keys, reads, writes, think, .. } = *self;
        let operator = Vec::new();
        ServiceWorkload {
            operations,
            keys,
            reads,
            writes,
            increments: 0,
            swaps: 0,
            think,
            operator,
        }
    }

    fn writer_count(&self) -> Option<u32> {
        self.writers
    }

    fn validate(&self) -> Result<(), Invalid> {
        let weights = [("increments", self.increments), ("swaps", self.swaps)];
        match weights.iter().find(|(_, weight)| *weight > 0) {
            Some((key, _)) => Err(Invalid::new(key, "clients only read and write registers")),
            None => Ok(()),
        }
    }
}

/// `reg.regular`, for any number of writers: a read may return the value of a write if that began
/// before the read ended, and no other write lies wholly between the two. With one writer this is
/// Lamport's definition, with several the weakest of those in use (Shao, Welch, Pierce and Lee
/// 2011, *Multiwriter consistency conditions for shared memory registers*).
#[derive(Clone, Debug, Default, Hash)]
struct Regular {
    registers: BTreeMap<Key, Register>,
    open: BTreeMap<Command, (Key, Open)>,
    /// Counts invocations and responses.
    now: u64,
    reads: u64,
}

/// What reads may return.
#[derive(Clone, Debug, Hash)]
struct Register {
    /// Values that have been written, and when that ended; none before another began.
    latest: Vec<(Value, u64)>,
    /// The values of writes that have not ended.
    under_way: BTreeMap<Command, Value>,
}

#[derive(Clone, Debug, Hash)]
enum Open {
    /// A read, with the values that it may return.
    Read(Vec<Value>),
    /// A write of this value, and when it began.
    Write(Value, u64),
}

impl Default for Register {
    fn default() -> Self {
        Self { latest: vec![(0, 0)], under_way: BTreeMap::new() }
    }
}

impl Regular {
    fn begin(&mut self, command: Command, key: Key, operation: &Operation) {
        let register = self.registers.entry(key).or_default();
        let open = match *operation {
            Operation::Read => {
                let latest = register.latest.iter().map(|(value, _)| *value);
                Open::Read(latest.chain(register.under_way.values().copied()).collect())
            }
            Operation::Write(value) => {
                register.under_way.insert(command, value);
                for (other, open) in self.open.values_mut() {
                    if let Open::Read(values) = open
                        && *other == key
                    {
                        values.push(value);
                    }
                }
                Open::Write(value, self.now)
            }
            // No register can do this.
            Operation::Increment | Operation::CompareAndSwap { .. } => return,
        };
        self.open.insert(command, (key, open));
    }

    fn end(&mut self, command: Command, outcome: &Outcome) -> Result<(), Violation> {
        let Some((key, open)) = self.open.remove(&command) else { return Ok(()) };
        let register = self.registers.entry(key).or_default();
        match (open, outcome) {
            (Open::Write(value, began), _) => {
                register.under_way.remove(&command);
                register.latest.retain(|(_, ended)| *ended > began);
                register.latest.push((value, self.now));
                Ok(())
            }
            (Open::Read(values), Outcome::Value(value)) if values.contains(value) => {
                self.reads += 1;
                Ok(())
            }
            (Open::Read(values), _) => {
                let message = format!(
                    "{command} read {outcome:?} of key {key}, but what was last written or being \
                     written was one of {values:?}"
                );
                Err(Violation::by([command.client], message))
            }
        }
    }
}

impl Property<Registers> for Regular {
    fn observe(&mut self, event: &Observed<'_, Registers>) -> Result<(), Violation> {
        self.now += 1;
        if let Some((command, key, operation)) = invoked(event) {
            self.begin(command, key, operation);
        }
        match responded(event) {
            Some((command, outcome)) => self.end(command, outcome),
            None => Ok(()),
        }
    }

    fn exercised(&self) -> u64 {
        self.reads
    }
}

#[cfg(test)]
mod tests;
