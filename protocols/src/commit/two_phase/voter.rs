//! What everybody who votes has in common: an item, and how far each transaction has come there.

use std::collections::BTreeMap;

use ftsim_core::{Cx, Duration, ProcessId, Stored};

use super::settings::Params;
use super::{Msg, Record, Timer, TwoPhaseCommit};
use crate::commit::item::Item;
use crate::spec::atomic_commit::{Decision, Indication, Transaction, Vote, Work};

/// One who votes.
///
/// What it has not prepared it keeps in memory alone: after a crash it no longer knows the
/// transaction, and votes No.
#[derive(Clone, Debug, Hash)]
pub(super) struct Voter {
    item: Item,
    states: BTreeMap<Transaction, State>,
    pub prepare_timeout: Duration,
    pub decision_timeout: Duration,
}

/// How far a transaction has come at a voter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum State {
    /// Its work is done here, or has failed. It can still be aborted alone.
    Working {
        /// How to vote.
        vote: Vote,
    },
    /// It is prepared, and this process uncertain.
    Prepared {
        /// Whom to ask; everybody, if none.
        coordinator: Option<ProcessId>,
        /// Whether the decision has been asked for.
        asked: bool,
    },
    /// It has only read here, and is of no more concern.
    Left,
    /// It is committed or aborted.
    Decided(Decision),
}

impl Voter {
    pub fn new(params: &Params) -> Self {
        Self {
            item: Item::default(),
            states: BTreeMap::new(),
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

    /// The transactions whose decision this process does not know, although it has voted for them.
    pub fn uncertain(&self) -> Vec<Transaction> {
        self.states.keys().copied().filter(|t| self.is_prepared(*t)).collect()
    }

    /// Does a transaction's work here.
    pub fn perform(&mut self, transaction: Transaction, work: Work, cx: &mut Cx<TwoPhaseCommit>) {
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

    /// Takes part in a transaction that does no work here.
    pub fn enlist(&mut self, transaction: Transaction) {
        self.states.entry(transaction).or_insert(State::Working { vote: Vote::Yes });
    }

    /// How this process votes on a transaction that is not prepared: on an unknown one, No.
    pub fn vote(&self, transaction: Transaction) -> Vote {
        match self.state(transaction) {
            Some(State::Working { vote }) => vote,
            _ => Vote::No,
        }
    }

    /// Writes the prepared record, for the caller to sync before its Yes leaves.
    pub fn prepare(
        &mut self,
        transaction: Transaction,
        coordinator: Option<ProcessId>,
        cx: &mut Cx<TwoPhaseCommit>,
    ) {
        let writes = self.item.has_written(transaction);
        cx.cancel_timer(Timer::Prepare(transaction));
        cx.append(Record::Prepared { transaction, coordinator, writes });
        self.states.insert(transaction, State::Prepared { coordinator, asked: false });
    }

    /// Gives the locks of a transaction back before its decision.
    pub fn release(&mut self, transaction: Transaction) {
        self.item.release(transaction);
    }

    /// Leaves a transaction that has only read here.
    pub fn leave(&mut self, transaction: Transaction, cx: &mut Cx<TwoPhaseCommit>) {
        self.item.commit(transaction);
        cx.cancel_timer(Timer::Prepare(transaction));
        self.states.insert(transaction, State::Left);
    }

    /// Carries out the decision on a prepared transaction; the caller has written its record.
    pub fn conclude(
        &mut self,
        transaction: Transaction,
        decision: Decision,
        cx: &mut Cx<TwoPhaseCommit>,
    ) {
        match decision {
            Decision::Commit => self.item.commit(transaction),
            Decision::Abort => self.item.abort(transaction),
        }
        cx.cancel_timer(Timer::Decision(transaction));
        cx.indicate(decision.announced(transaction));
        self.states.insert(transaction, State::Decided(decision));
    }

    /// Aborts a transaction that is not prepared: it needs no record, and nobody's leave.
    pub fn abort_alone(&mut self, transaction: Transaction, cx: &mut Cx<TwoPhaseCommit>) {
        self.item.abort(transaction);
        cx.cancel_timer(Timer::Prepare(transaction));
        cx.indicate(Decision::Abort.announced(transaction));
        self.states.insert(transaction, State::Decided(Decision::Abort));
    }

    /// Nobody has asked for a vote in time.
    pub fn stop_waiting(&mut self, transaction: Transaction, cx: &mut Cx<TwoPhaseCommit>) {
        if let Some(State::Working { .. }) = self.state(transaction) {
            cx.reach("aborted alone");
            self.abort_alone(transaction, cx);
        }
    }

    /// A client wants to know how a transaction ended that this process was asked for before a
    /// crash. What is unknown after it was not voted for, and can be aborted alone.
    pub fn resolve(&mut self, transaction: Transaction, cx: &mut Cx<TwoPhaseCommit>) {
        if self.state(transaction).is_none() {
            self.abort_alone(transaction, cx);
        }
    }

    /// Asks `whom` for the decision on a prepared transaction, and again after a while.
    pub fn ask(
        &mut self,
        transaction: Transaction,
        whom: impl IntoIterator<Item = ProcessId>,
        cx: &mut Cx<TwoPhaseCommit>,
    ) {
        if let Some(State::Prepared { asked, .. }) = self.states.get_mut(&transaction) {
            cx.reach(if *asked { "blocked" } else { "uncertain" });
            *asked = true;
            cx.send_to(whom, Msg::Inquiry(transaction));
            cx.set_timer(self.decision_timeout, Timer::Decision(transaction));
        }
    }

    /// Repeats from the log what is decided, and locks what is prepared. Says both again: the crash
    /// may have come between record and word.
    pub fn recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<TwoPhaseCommit>) {
        let mut prepared = BTreeMap::new();
        for record in log.iter().filter_map(Stored::intact) {
            match record {
                Record::Prepared { transaction, coordinator, writes } => {
                    prepared.insert(*transaction, (*coordinator, *writes));
                    cx.indicate(Indication::Voted { transaction: *transaction, vote: Vote::Yes });
                }
                Record::Decided(transaction, decision) => {
                    // Without the record that was written before it, it was never safe, nor said.
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
