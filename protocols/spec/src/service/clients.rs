//! The clients of a service: each invokes one operation after another.

use ftsim_core::{
    Ask, Duration, DurationRange, Instant, Invalid, ProcessId, ProcessSet, Setting, Settings,
    Workload,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CLIENT, Facts, Indication, Key, Operation, Request, SERVER, Service, Value};

/// The operations that clients invoke.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceWorkload {
    /// The number of operations that each client invokes, one after another.
    pub operations: u64,
    /// The number of keys; each operation picks one at random.
    pub keys: u32,
    /// The weight of reads among the kinds of operations.
    pub reads: u32,
    /// The weight of writes, each of a different value.
    pub writes: u32,
    /// The weight of increments.
    pub increments: u32,
    /// The weight of compare-and-swaps, which expect the value written last.
    pub swaps: u32,
    /// How long a client waits before each operation.
    pub think: DurationRange,
    /// The declarations of the operator.
    pub operator: Vec<Declaration>,
}

/// The operator declares a process down to all other servers.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// The process that the operator considers down.
    pub declares: ProcessId,
    /// The time of the declaration.
    pub at: Duration,
}

impl Default for ServiceWorkload {
    fn default() -> Self {
        Self {
            operations: 10,
            keys: 2,
            reads: 1,
            writes: 1,
            increments: 1,
            swaps: 0,
            think: DurationRange { min: Duration::ZERO, max: Duration::from_millis(20) },
            operator: Vec::new(),
        }
    }
}

/// The settings of the clients of a family of protocols.
pub trait ClientSettings: Settings {
    /// The same, as settings of a service.
    fn of_service(&self) -> ServiceWorkload;

    /// The number of clients that write; the others only read. If `None`, all write.
    fn writer_count(&self) -> Option<u32> {
        None
    }

    /// Checks what is not a matter of every service.
    ///
    /// # Errors
    /// The key that is wrong, and why.
    fn validate(&self) -> Result<(), Invalid> {
        Ok(())
    }
}

impl ClientSettings for ServiceWorkload {
    fn of_service(&self) -> ServiceWorkload {
        self.clone()
    }
}

/// The clients of a service, and its operator.
#[derive(Clone, Debug, Hash)]
pub struct Clients {
    clients: Vec<ProcessId>,
    /// The clients that only read.
    readers: ProcessSet,
    servers: Vec<ProcessId>,
    operations: u64,
    keys: u32,
    weights: [u32; 4],
    think: DurationRange,
    operator: Vec<Declaration>,
    /// The value written last; every write has a different one.
    written: Value,
}

impl Clients {
    pub(super) fn new(of: &impl ClientSettings, setting: &Setting) -> Result<Self, Invalid> {
        of.validate()?;
        let settings = of.of_service();
        let writer_count = of.writer_count().map_or(usize::MAX, |count| count as usize);
        let ServiceWorkload { reads, writes, increments, swaps, .. } = settings;
        let weights = [reads, writes, increments, swaps];
        if settings.keys == 0 {
            return Err(Invalid::new("keys", "there must be a key"));
        }
        if weights.iter().all(|weight| *weight == 0) {
            return Err(Invalid::new("reads", "some kind of operation must have a weight"));
        }
        let servers: Vec<_> = setting.role(SERVER).collect();
        if let Some(stranger) = settings.operator.iter().find(|d| !servers.contains(&d.declares)) {
            let message = format!("{} is no server", stranger.declares);
            return Err(Invalid::new("operator", message));
        }
        Ok(Self {
            clients: setting.role(CLIENT).collect(),
            readers: setting.role(CLIENT).skip(writer_count).collect(),
            servers,
            operations: settings.operations,
            keys: settings.keys,
            weights,
            think: settings.think,
            operator: settings.operator,
            written: 0,
        })
    }

    fn ask<F: Facts>(&mut self, client: ProcessId, number: u64, ask: &mut Ask<'_, Service<F>>) {
        if number > self.operations {
            return;
        }
        let (min, max) = (self.think.min.as_nanos(), self.think.max.as_nanos());
        let think = Duration::from_nanos(ask.rng().between(min, max));
        let key = Key::try_from(ask.rng().below(u64::from(self.keys))).unwrap_or_default();
        let operation = match self.readers.contains(client) {
            true => Operation::Read,
            false => self.draw(ask),
        };
        ask.request(client, think, Request::Invoke { number, key, operation });
    }

    fn draw<F: Facts>(&mut self, ask: &mut Ask<'_, Service<F>>) -> Operation {
        let total = self.weights.iter().map(|weight| u64::from(*weight)).sum();
        let mut left = ask.rng().below(total);
        let mut kind = 0;
        while left >= u64::from(self.weights[kind]) {
            left -= u64::from(self.weights[kind]);
            kind += 1;
        }
        let expected = self.written;
        self.written += u64::from(kind == 1 || kind == 3);
        match kind {
            0 => Operation::Read,
            1 => Operation::Write(self.written),
            2 => Operation::Increment,
            _ => Operation::CompareAndSwap { expected, new: self.written },
        }
    }
}

impl<F: Facts> Workload<Service<F>> for Clients {
    fn on_start(&mut self, ask: &mut Ask<'_, Service<F>>) {
        for client in self.clients.clone() {
            self.ask(client, 1, ask);
        }
        for Declaration { declares, at } in &self.operator {
            let after = (Instant::ZERO + *at).since(ask.now());
            for server in self.servers.iter().filter(|server| *server != declares) {
                ask.request(*server, after, Request::DeclareDown(*declares));
            }
        }
    }

    fn on_indication(
        &mut self,
        client: ProcessId,
        what: &Indication<F>,
        ask: &mut Ask<'_, Service<F>>,
    ) {
        if let Indication::Response { number, .. } = what {
            self.ask(client, number.saturating_add(1), ask);
        }
    }
}

#[cfg(test)]
#[path = "clients_tests.rs"]
mod tests;
