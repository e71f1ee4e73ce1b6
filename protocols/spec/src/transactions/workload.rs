//! The users of transactions.

use std::collections::{BTreeMap, VecDeque};

use ftsim_core::{
    Ask, Duration, DurationRange, Invalid, Probability, ProcessId, Setting, Workload,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CLIENT, Indication, Item, Operation, Request, SERVER, Transaction, Transactions};
use crate::{draw, refuse_too_many};

/// The greatest number of items, and of operations of a transaction.
const COUNT_MAX: u32 = 1_000;

/// The transactions of each client: those that are listed, or else drawn ones.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StorageWorkload {
    /// The transactions; they are numbered from 1. If none is listed, transactions are drawn.
    pub list: Vec<Job>,
    /// The number of transactions that each client draws, one after another.
    pub transactions: u32,
    /// The number of items, which are numbered from 0.
    pub items: u32,
    /// The number of operations of a drawn transaction, each on an item drawn at random.
    pub operations: u32,
    /// The probability that an operation writes.
    pub writes: f64,
    /// When each client begins its first drawn transaction.
    pub at: DurationRange,
    /// The time from the end of a drawn transaction to the next.
    pub think: DurationRange,
}

/// A transaction that is listed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// The client that runs it.
    pub client: ProcessId,
    /// When the client is asked to run it.
    #[serde(default)]
    pub at: Duration,
    /// Its operations, in their order.
    pub work: Vec<Operation>,
}

impl Default for StorageWorkload {
    fn default() -> Self {
        let range = |min, max| DurationRange {
            min: Duration::from_millis(min),
            max: Duration::from_millis(max),
        };
        Self {
            list: Vec::new(),
            transactions: 3,
            items: 2,
            operations: 2,
            writes: 0.7,
            at: range(0, 20),
            think: range(0, 20),
        }
    }
}

impl StorageWorkload {
    pub(super) fn resolve(&self, setting: &Setting) -> Result<Jobs, Invalid> {
        let clients: Vec<_> = setting.role(CLIENT).collect();
        if clients.is_empty() || setting.role(SERVER).len() == 0 {
            return Err(Invalid::new("transactions", "needs a client and a server"));
        }
        for (key, count) in [("items", self.items), ("operations", self.operations)] {
            if !(1..=COUNT_MAX).contains(&count) {
                return Err(Invalid::new(key, format!("must be 1 to {COUNT_MAX}")));
            }
        }
        for job in &self.list {
            if !clients.contains(&job.client) {
                return Err(Invalid::new("list", format!("{} is no client", job.client)));
            }
            let is_known = |item: &Item| *item < self.items;
            let item = |operation: &Operation| match operation {
                Operation::Read(item) | Operation::Write(item) => *item,
            };
            if let Some(item) = job.work.iter().map(item).find(|item| !is_known(item)) {
                return Err(Invalid::new("list", format!("there is no item {item}")));
            }
            if job.work.is_empty() || job.work.len() > COUNT_MAX as usize {
                let message = format!("a transaction has 1 to {COUNT_MAX} operations");
                return Err(Invalid::new("list", message));
            }
        }
        refuse_too_many("transactions", self.transactions, clients.len())?;
        let writes = Probability::new(self.writes)
            .ok_or_else(|| Invalid::new("writes", "is a probability: 0 to 1"))?;
        Ok(Jobs {
            settings: DrawnJobs {
                transactions: self.transactions,
                items: self.items,
                operations: self.operations,
                writes,
                at: self.at,
                think: self.think,
            },
            list: self.list.clone(),
            clients,
            open: BTreeMap::new(),
            drawn: BTreeMap::new(),
        })
    }
}

/// How transactions are drawn.
#[derive(Clone, Debug, Hash)]
struct DrawnJobs {
    transactions: u32,
    items: u32,
    operations: u32,
    writes: Probability,
    at: DurationRange,
    think: DurationRange,
}

/// The users: each asks its client for transactions, and asks again if the client has recovered
/// from a crash without having said that a transaction committed.
#[derive(Clone, Debug, Hash)]
pub struct Jobs {
    settings: DrawnJobs,
    list: Vec<Job>,
    clients: Vec<ProcessId>,
    /// The transactions that each client was asked for and has not committed, in their order.
    open: BTreeMap<ProcessId, VecDeque<(Transaction, Vec<Operation>)>>,
    /// The number of transactions drawn for each client.
    drawn: BTreeMap<ProcessId, u32>,
}

impl Jobs {
    fn draw(&mut self, client: ProcessId, after: DurationRange, ask: &mut Ask<'_, Transactions>) {
        let count = self.drawn.entry(client).or_default();
        let index = self.clients.iter().position(|c| *c == client);
        let Some(index) = index.filter(|_| *count < self.settings.transactions) else { return };
        let transaction = u64::from(*count) * self.clients.len() as u64 + index as u64 + 1;
        *count += 1;
        let mut work = Vec::new();
        for _ in 0..self.settings.operations {
            let item = ask.rng().below(u64::from(self.settings.items));
            let item = u32::try_from(item).unwrap_or_default();
            let is_write = ask.rng().chance(self.settings.writes);
            work.push(if is_write { Operation::Write(item) } else { Operation::Read(item) });
        }
        let after = draw(after, ask.rng());
        ask.request(client, after, Request::Run { transaction, work });
    }
}

impl Workload<Transactions> for Jobs {
    fn on_start(&mut self, ask: &mut Ask<'_, Transactions>) {
        for (transaction, job) in (1..).zip(&self.list) {
            let work = job.work.clone();
            ask.request(job.client, job.at, Request::Run { transaction, work });
        }
        if self.list.is_empty() {
            for client in self.clients.clone() {
                self.draw(client, self.settings.at, ask);
            }
        }
    }

    fn on_request(&mut self, p: ProcessId, request: &Request, _: &mut Ask<'_, Transactions>) {
        let Request::Run { transaction, work } = request;
        let open = self.open.entry(p).or_default();
        if open.iter().all(|(other, _)| other != transaction) {
            open.push_back((*transaction, work.clone()));
        }
    }

    fn on_indication(&mut self, p: ProcessId, what: &Indication, ask: &mut Ask<'_, Transactions>) {
        let Indication::Committed(attempt) = what else { return };
        let Some(open) = self.open.get_mut(&p) else { return };
        let count = open.len();
        open.retain(|(transaction, _)| *transaction != attempt.transaction);
        if open.len() < count && self.list.is_empty() {
            self.draw(p, self.settings.think, ask);
        }
    }

    fn on_recover(&mut self, p: ProcessId, ask: &mut Ask<'_, Transactions>) {
        for (transaction, work) in self.open.get(&p).into_iter().flatten() {
            let (transaction, work) = (*transaction, work.clone());
            ask.request(p, Duration::ZERO, Request::Run { transaction, work });
        }
    }
}
