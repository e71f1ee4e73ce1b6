//! The part that all voting processes share: the item, and the state of each transaction.

use std::collections::BTreeMap;

use ftsim_core::{Duration, ProcessId, Stored};

use super::params::Params;
use super::{Context, Record, Timer};
use crate::commit::item::Item;
use crate::spec::atomic_commit::{Decision, Indication, Transaction, Vote, Work};

/// A voting process's item and transactions.
///
/// Transactions that are not prepared are only in memory: after a crash the process does not know
/// them, and votes No.
#[derive(Clone, Debug, Hash)]
pub(super) struct Voter {
    item: Item,
    pub states: BTreeMap<Transaction, State>,
    /// Whether the process leaves a transaction that has only read here when it votes.
    pub leaves_after_reading: bool,
    pub prepare_timeout: Duration,
    pub decision_timeout: Duration,
}

/// The state of a transaction at a voting process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum State {
    /// Its work here is done or has failed; the process can still abort unilaterally.
    Working {
        /// The vote that the process will cast.
        vote: Vote,
    },
    /// It is prepared, and the process is uncertain.
    Prepared {
        /// The process to ask for the decision; all others, if none.
        coordinator: Option<ProcessId>,
        /// Whether the process has asked for the decision.
        asked: bool,
    },
    /// It has only read here, and the process has left it.
    Left,
    Decided(Decision),
}

impl Voter {
    pub fn new(params: &Params) -> Self {
        Self {
            item: Item::default(),
            states: BTreeMap::new(),
            leaves_after_reading: params.read_only,
            prepare_timeout: params.prepare_timeout,
            decision_timeout: params.decision_timeout,
        }
    }

    pub fn state(&self, transaction: Transaction) -> Option<State> {
        self.states.get(&transaction).copied()
    }

    pub fn is_prepared(&self, transaction: Transaction) -> bool {
        matches!(self.state(transaction), Some(State::Prepared { .. }))
    }

    /// Whether a transaction that is unknown here may be one that only read and was left before a
    /// crash. Others may have committed it, so the process neither votes on it again nor aborts it.
    /// If the transaction was lost rather than left, the coordinator aborts it for lack of a vote.
    pub const fn may_have_left(&self) -> bool {
        self.leaves_after_reading
    }

    /// The transactions that are prepared, and whose decision the process does not know.
    pub fn uncertain(&self) -> Vec<Transaction> {
        self.states.keys().copied().filter(|t| self.is_prepared(*t)).collect()
    }

    /// Performs a transaction's work here.
    pub fn perform(&mut self, transaction: Transaction, work: Work, cx: &mut Context) {
        if self.states.contains_key(&transaction) {
            return;
        }
        let vote = match self.item.perform(transaction, work, cx) {
            false => Vote::No,
            true if work == Work::Read => Vote::ReadOnly,
            true => Vote::Yes,
        };
        self.states.insert(transaction, State::Working { vote });
        cx.set_timer(self.prepare_timeout, Timer::Prepare(transaction));
    }

    /// Joins a transaction that does no work here.
    pub fn enlist(&mut self, transaction: Transaction) {
        self.states.entry(transaction).or_insert(State::Working { vote: Vote::Yes });
    }

    /// The vote on a transaction that is not prepared: No if it is unknown.
    pub fn vote(&self, transaction: Transaction) -> Vote {
        match self.state(transaction) {
            Some(State::Working { vote }) => vote,
            _ => Vote::No,
        }
    }

    /// Appends the prepared record, which the caller syncs before it sends its Yes.
    pub fn prepare(
        &mut self,
        transaction: Transaction,
        coordinator: Option<ProcessId>,
        cx: &mut Context,
    ) {
        let writes = self.item.has_written(transaction);
        cx.cancel_timer(Timer::Prepare(transaction));
        cx.append(Record::Prepared { transaction, coordinator, writes });
        self.states.insert(transaction, State::Prepared { coordinator, asked: false });
    }

    /// Releases the locks of a transaction before its decision.
    pub fn release(&mut self, transaction: Transaction) {
        self.item.release(transaction);
    }

    /// Leaves a transaction that has only read here.
    pub fn leave(&mut self, transaction: Transaction, cx: &mut Context) {
        self.item.commit(transaction);
        cx.cancel_timer(Timer::Prepare(transaction));
        self.states.insert(transaction, State::Left);
    }

    /// Carries out the decision on a prepared transaction; the caller has appended its record.
    pub fn conclude(&mut self, transaction: Transaction, decision: Decision, cx: &mut Context) {
        match decision {
            Decision::Commit => self.item.commit(transaction),
            Decision::Abort => self.item.abort(transaction),
        }
        cx.cancel_timer(Timer::Decision(transaction));
        cx.indicate(decision.announced(transaction));
        self.states.insert(transaction, State::Decided(decision));
    }

    /// Aborts a transaction that is not prepared, which needs no record.
    pub fn abort_alone(&mut self, transaction: Transaction, cx: &mut Context) {
        self.item.abort(transaction);
        cx.cancel_timer(Timer::Prepare(transaction));
        cx.indicate(Decision::Abort.announced(transaction));
        self.states.insert(transaction, State::Decided(Decision::Abort));
    }

    /// Aborts a transaction for which no request to vote came in time.
    pub fn stop_waiting(&mut self, transaction: Transaction, cx: &mut Context) {
        if let Some(State::Working { .. }) = self.state(transaction) {
            cx.reach("aborted alone");
            self.abort_alone(transaction, cx);
        }
    }

    /// Answers a client that asks for the outcome of a transaction begun before a crash. If it is
    /// unknown now, this process has not voted Yes on it and can abort it unilaterally.
    pub fn resolve(&mut self, transaction: Transaction, cx: &mut Context) {
        if self.state(transaction).is_none() {
            self.abort_alone(transaction, cx);
        }
    }

    /// Redoes the decisions in the log and locks what is prepared. Announces votes and decisions
    /// again, since the crash may have come between a record and its announcement.
    pub fn recover(&mut self, log: &[Stored<Record>], cx: &mut Context) {
        let mut prepared = BTreeMap::new();
        for record in log.iter().filter_map(Stored::intact) {
            match record {
                Record::Prepared { transaction, coordinator, writes } => {
                    prepared.insert(*transaction, (*coordinator, *writes));
                    cx.indicate(Indication::Voted { transaction: *transaction, vote: Vote::Yes });
                }
                Record::Decided(transaction, decision) => {
                    // Without its prepared record, the decision was never synced nor announced.
                    let Some((_, writes)) = prepared.remove(transaction) else { continue };
                    if writes && *decision == Decision::Commit {
                        self.item.redo(*transaction);
                    }
                    self.states.insert(*transaction, State::Decided(*decision));
                    cx.indicate(decision.announced(*transaction));
                }
                Record::Collecting(_) | Record::Decision { .. } | Record::End(_) => {}
            }
        }
        for (transaction, (coordinator, writes)) in prepared {
            self.item.restore(transaction, writes);
            self.states.insert(transaction, State::Prepared { coordinator, asked: false });
        }
    }
}
