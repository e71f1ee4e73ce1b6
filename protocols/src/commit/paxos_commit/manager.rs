//! The participants: each holds an item, and proposes its vote in its own instance.

use std::collections::BTreeMap;

use ftsim_core::{Cx, ProcessId};

use super::mutants::PROPOSE_BEFORE_LOG;
use super::{ACCEPTOR, BALLOT_ZERO, Msg, PaxosCommit, Record, Timer, Value, majority};
use crate::commit::item::Item;
use crate::spec::atomic_commit::{COORDINATOR, Decision, Indication, Transaction, Vote, Work};

/// A participant's item and transactions.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Manager {
    item: Item,
    states: BTreeMap<Transaction, State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum State {
    /// The work here is done or has failed; the participant can still abort unilaterally.
    Working {
        /// The vote that it will cast.
        vote: Vote,
    },
    /// It has proposed Prepared.
    Prepared {
        writes: bool,
        /// How often it has asked for the decision.
        asked: u32,
    },
    Decided(Decision),
}

impl Manager {
    /// Announces the vote again, since the crash may have come before its announcement.
    pub fn restore_prepared(
        &mut self,
        transaction: Transaction,
        writes: bool,
        cx: &mut Cx<PaxosCommit>,
    ) {
        self.states.insert(transaction, State::Prepared { writes, asked: 0 });
        cx.indicate(Indication::Voted { transaction, vote: Vote::Yes });
    }

    pub fn restore_decision(
        &mut self,
        transaction: Transaction,
        decision: Decision,
        cx: &mut Cx<PaxosCommit>,
    ) {
        let Some(State::Prepared { writes, .. }) = self.states.get(&transaction) else { return };
        if *writes && decision == Decision::Commit {
            self.item.redo(transaction);
        }
        self.states.insert(transaction, State::Decided(decision));
        cx.indicate(decision.announced(transaction));
    }

    /// Locks what is prepared, once the log is read; returns these transactions.
    pub fn lock_prepared(&mut self) -> Vec<Transaction> {
        let mut prepared = Vec::new();
        for (transaction, state) in &self.states {
            if let State::Prepared { writes, .. } = state {
                self.item.restore(*transaction, *writes);
                prepared.push(*transaction);
            }
        }
        prepared
    }
}

impl PaxosCommit {
    pub(super) fn perform(&mut self, transaction: Transaction, work: Work, cx: &mut Cx<Self>) {
        if self.manager.states.contains_key(&transaction) {
            return;
        }
        let done = self.manager.item.perform(transaction, work, cx);
        let vote = if done { Vote::Yes } else { Vote::No };
        self.manager.states.insert(transaction, State::Working { vote });
        cx.set_timer(self.patience, Timer::Ask(transaction));
    }

    pub(super) fn on_prepare(&mut self, transaction: Transaction, cx: &mut Cx<Self>) {
        match self.manager.states.get(&transaction) {
            Some(State::Working { vote: Vote::Yes | Vote::ReadOnly }) => {
                self.prepare(transaction, cx);
            }
            Some(State::Working { vote: Vote::No }) | None => {
                cx.indicate(Indication::Voted { transaction, vote: Vote::No });
                self.abort_alone(transaction, cx);
                self.propose(transaction, Value::Aborted, cx);
            }
            Some(State::Prepared { .. }) => self.propose(transaction, Value::Prepared, cx),
            Some(State::Decided(Decision::Abort)) => {
                self.propose(transaction, Value::Aborted, cx);
            }
            Some(State::Decided(Decision::Commit)) => {}
        }
    }

    fn prepare(&mut self, transaction: Transaction, cx: &mut Cx<Self>) {
        let writes = self.manager.item.has_written(transaction);
        self.manager.states.insert(transaction, State::Prepared { writes, asked: 0 });
        if cx.runs(&PROPOSE_BEFORE_LOG) {
            self.vote_yes(transaction, cx);
        }
        cx.append(Record::Prepared { transaction, writes });
        cx.sync();
        if !cx.runs(&PROPOSE_BEFORE_LOG) {
            self.vote_yes(transaction, cx);
        }
        cx.set_timer(self.patience, Timer::Ask(transaction));
    }

    fn vote_yes(&self, transaction: Transaction, cx: &mut Cx<Self>) {
        cx.indicate(Indication::Voted { transaction, vote: Vote::Yes });
        self.propose(transaction, Value::Prepared, cx);
    }

    /// Phase 2 (a) of ballot 0, at as many acceptors as are needed.
    fn propose(&self, transaction: Transaction, value: Value, cx: &mut Cx<Self>) {
        let values = vec![(cx.me(), value)];
        let needed = cx.role(ACCEPTOR).take(majority(cx.setting()));
        cx.send_to(needed, Msg::Phase2a(transaction, BALLOT_ZERO, values));
    }

    /// It has waited for long.
    pub(super) fn on_ask(&mut self, transaction: Transaction, cx: &mut Cx<Self>) {
        if let Some(State::Working { .. }) = self.manager.states.get(&transaction) {
            cx.reach("aborted alone");
            self.abort_alone(transaction, cx);
        } else {
            self.ask(transaction, cx);
        }
    }

    /// Proposes again, to all acceptors, and asks one possible leader after another.
    pub(super) fn ask(&mut self, transaction: Transaction, cx: &mut Cx<Self>) {
        let Some(State::Prepared { asked, .. }) = self.manager.states.get_mut(&transaction) else {
            return;
        };
        let turn = *asked;
        *asked = asked.saturating_add(1);
        let leaders: Vec<ProcessId> = cx.role(COORDINATOR).chain(cx.role(ACCEPTOR)).collect();
        let values = vec![(cx.me(), Value::Prepared)];
        cx.send_to(cx.role(ACCEPTOR), Msg::Phase2a(transaction, BALLOT_ZERO, values));
        cx.send_to(
            leaders.get(turn as usize % leaders.len().max(1)).copied(),
            Msg::Inquiry(transaction),
        );
        cx.set_timer(self.patience.times(u64::from(turn) + 2), Timer::Ask(transaction));
    }

    /// Answers a client that asks for the outcome of a transaction begun before a crash. If it is
    /// unknown now, this process has not proposed Prepared, and never will.
    pub(super) fn resolve(&mut self, transaction: Transaction, cx: &mut Cx<Self>) {
        if !self.manager.states.contains_key(&transaction) {
            self.abort_alone(transaction, cx);
        }
    }

    pub(super) fn conclude(
        &mut self,
        transaction: Transaction,
        decision: Decision,
        cx: &mut Cx<Self>,
    ) {
        match self.manager.states.get(&transaction) {
            Some(State::Prepared { .. }) => {
                cx.append(Record::Decided(transaction, decision));
                self.carry_out(transaction, decision, cx);
            }
            // Without Prepared from here, the decision can only be abort.
            Some(State::Working { .. }) | None => self.abort_alone(transaction, cx),
            Some(State::Decided(_)) => {}
        }
    }

    /// Aborts a transaction for which this process has not proposed Prepared; that needs no record.
    fn abort_alone(&mut self, transaction: Transaction, cx: &mut Cx<Self>) {
        self.carry_out(transaction, Decision::Abort, cx);
    }

    fn carry_out(&mut self, transaction: Transaction, decision: Decision, cx: &mut Cx<Self>) {
        match decision {
            Decision::Commit => self.manager.item.commit(transaction),
            Decision::Abort => self.manager.item.abort(transaction),
        }
        cx.cancel_timer(Timer::Ask(transaction));
        cx.indicate(decision.announced(transaction));
        self.manager.states.insert(transaction, State::Decided(decision));
    }
}
