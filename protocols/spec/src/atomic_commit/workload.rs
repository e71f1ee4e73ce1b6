//! The clients of atomic commitment.

use std::collections::BTreeSet;

use ftsim_core::{Ask, Duration, Invalid, Probability, ProcessId, Setting, Workload};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AtomicCommit, COORDINATOR, Indication, PARTICIPANT, Request, Transaction, Vote, Work};
use crate::refuse_too_many;

/// The transactions, and the work of each at every participant. Every participant takes part in
/// every transaction.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TransactionWorkload {
    /// The number of transactions; they are numbered from 1.
    pub transactions: u32,
    /// The time between two transactions; the first is at the start.
    pub every: Duration,
    /// The probability that a transaction's work fails at a participant, which then votes No.
    pub vote_no: f64,
    /// Pairs of participant and transaction for which work certainly fails.
    pub no: Vec<(ProcessId, Transaction)>,
    /// The probability that a transaction only reads at a participant.
    pub read_only: f64,
    /// Pairs of participant and transaction for which it certainly only reads.
    pub reads: Vec<(ProcessId, Transaction)>,
}

impl Default for TransactionWorkload {
    fn default() -> Self {
        Self {
            transactions: 1,
            every: Duration::from_millis(100),
            vote_no: 0.0,
            no: Vec::new(),
            read_only: 0.0,
            reads: Vec::new(),
        }
    }
}

impl TransactionWorkload {
    pub(super) fn resolve(&self, setting: &Setting) -> Result<Transactions, Invalid> {
        let coordinator = setting.role(COORDINATOR).next();
        let Some(coordinator) = coordinator.filter(|_| setting.role(PARTICIPANT).len() > 0) else {
            let message = "needs a coordinator and a participant to work at";
            return Err(Invalid::new("transactions", message));
        };
        let probability = |key, p| {
            Probability::new(p).ok_or_else(|| Invalid::new(key, "is a probability: 0 to 1"))
        };
        for (key, pairs) in [("no", &self.no), ("reads", &self.reads)] {
            for (p, transaction) in pairs {
                if !setting.has_role(*p, PARTICIPANT) {
                    return Err(Invalid::new(key, format!("{p} is no participant")));
                }
                if !(1..=u64::from(self.transactions)).contains(transaction) {
                    return Err(Invalid::new(key, format!("no transaction {transaction}")));
                }
            }
        }
        refuse_too_many("transactions", self.transactions, setting.n as usize)?;
        Ok(Transactions {
            coordinator,
            participants: setting.role(PARTICIPANT).collect(),
            count: self.transactions,
            every: self.every,
            fails: Part::new(probability("vote_no", self.vote_no)?, &self.no),
            reads: Part::new(probability("read_only", self.read_only)?, &self.reads),
            unanswered: BTreeSet::new(),
        })
    }
}

/// The clients of atomic commitment: at fixed times a transaction works at all participants and is
/// then to be committed. The clients of a process that recovers repeat their unanswered requests.
#[derive(Clone, Debug, Hash)]
pub struct Transactions {
    coordinator: ProcessId,
    participants: Vec<ProcessId>,
    count: u32,
    every: Duration,
    fails: Part,
    reads: Part,
    /// The transactions that each process was asked for and has neither decided nor left.
    unanswered: BTreeSet<(ProcessId, Transaction)>,
}

/// A subset of the pairs of participant and transaction: some pairs for certain, each other with a
/// probability.
#[derive(Clone, Debug, Hash)]
struct Part {
    others: Probability,
    certain: BTreeSet<(ProcessId, Transaction)>,
}

impl Part {
    fn new(others: Probability, certain: &[(ProcessId, Transaction)]) -> Self {
        Self { others, certain: certain.iter().copied().collect() }
    }

    fn contains(
        &self,
        p: ProcessId,
        transaction: Transaction,
        ask: &mut Ask<'_, AtomicCommit>,
    ) -> bool {
        self.certain.contains(&(p, transaction)) || ask.rng().chance(self.others)
    }
}

impl Workload<AtomicCommit> for Transactions {
    const IS_PER_PROCESS: bool = true;

    fn on_start(&mut self, ask: &mut Ask<'_, AtomicCommit>) {
        for transaction in 1..=u64::from(self.count) {
            let after = self.every.times(transaction - 1);
            for p in &self.participants {
                let fails = self.fails.contains(*p, transaction, ask);
                let reads = self.reads.contains(*p, transaction, ask);
                let work = match (fails, reads) {
                    (true, _) => Work::Fail,
                    (false, true) => Work::Read,
                    (false, false) => Work::Write,
                };
                ask.request(*p, after, Request::Perform { transaction, work });
            }
            ask.request(self.coordinator, after, Request::Begin(transaction));
        }
    }

    fn on_request(&mut self, p: ProcessId, request: &Request, _: &mut Ask<'_, AtomicCommit>) {
        if let Request::Perform { transaction, .. } | Request::Begin(transaction) = request {
            self.unanswered.insert((p, *transaction));
        }
    }

    fn on_indication(&mut self, p: ProcessId, what: &Indication, _: &mut Ask<'_, AtomicCommit>) {
        if let Indication::Committed(transaction)
        | Indication::Aborted(transaction)
        | Indication::Voted { transaction, vote: Vote::ReadOnly } = what
        {
            self.unanswered.remove(&(p, *transaction));
        }
    }

    fn on_recover(&mut self, p: ProcessId, ask: &mut Ask<'_, AtomicCommit>) {
        for (_, transaction) in self.unanswered.range((p, Transaction::MIN)..=(p, Transaction::MAX))
        {
            ask.request(p, Duration::ZERO, Request::Resolve(*transaction));
        }
    }
}
