//! The decentralised topology: everybody sends its vote to everybody, and decides alone.
//!
//! Steps: the coordinator begins by voting Yes. Who gets the first vote on a transaction votes too.
//! With n votes for it a process commits; with one against it aborts. An uncertain process asks
//! everybody: some answer with the decision, some abort what they have not voted on, the uncertain
//! send their votes again. So once all are up again, all decide.

use std::collections::BTreeMap;

use ftsim_core::{Cx, ProcessId, ProcessSet, Setting, Stored};

use super::settings::Params;
use super::voter::{State, Voter};
use super::{Msg, Part, Record, Timer, TwoPhaseCommit};
use crate::spec::atomic_commit::{Decision, Indication, Request, Transaction, Vote};

/// One of the equals of the decentralised topology.
#[derive(Clone, Debug, Hash)]
pub struct Decentralised {
    voter: Voter,
    /// Who has voted Yes on undecided transactions.
    in_favour: BTreeMap<Transaction, ProcessSet>,
    everybody: ProcessSet,
    me: ProcessId,
}

impl Decentralised {
    pub(super) fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        Self {
            voter: Voter::new(params),
            in_favour: BTreeMap::new(),
            everybody: setting.processes().collect(),
            me,
        }
    }

    /// Votes, if that is still to be done.
    fn cast(&mut self, transaction: Transaction, cx: &mut Cx<TwoPhaseCommit>) {
        if !matches!(self.voter.state(transaction), None | Some(State::Working { .. })) {
            return;
        }
        if self.voter.vote(transaction) == Vote::No {
            self.send_vote(transaction, Vote::No, cx);
            self.voter.abort_alone(transaction, cx);
            return;
        }
        self.voter.prepare(transaction, None, cx);
        cx.sync();
        self.send_vote(transaction, Vote::Yes, cx);
        cx.set_timer(self.voter.decision_timeout, Timer::Decision(transaction));
        self.count(self.me, transaction, cx);
    }

    fn send_vote(&self, transaction: Transaction, vote: Vote, cx: &mut Cx<TwoPhaseCommit>) {
        cx.indicate(Indication::Voted { transaction, vote });
        cx.send_to_others(Msg::Vote(transaction, vote));
    }

    /// `from` has voted Yes.
    fn count(&mut self, from: ProcessId, transaction: Transaction, cx: &mut Cx<TwoPhaseCommit>) {
        if !self.voter.is_prepared(transaction) {
            return;
        }
        let votes = self.in_favour.entry(transaction).or_default();
        votes.insert(from);
        if votes.is_superset(&self.everybody) {
            self.decide(transaction, Decision::Commit, cx);
        }
    }

    /// A decision on which everybody must come out alike.
    fn decide(
        &mut self,
        transaction: Transaction,
        decision: Decision,
        cx: &mut Cx<TwoPhaseCommit>,
    ) {
        match self.voter.state(transaction) {
            Some(State::Prepared { .. }) => {
                self.in_favour.remove(&transaction);
                cx.append(Record::Decided(transaction, decision));
                cx.sync();
                self.voter.conclude(transaction, decision, cx);
            }
            Some(State::Working { .. }) | None => self.voter.abort_alone(transaction, cx),
            Some(State::Decided(_) | State::Left) => {}
        }
    }

    fn on_inquiry(
        &mut self,
        from: ProcessId,
        transaction: Transaction,
        cx: &mut Cx<TwoPhaseCommit>,
    ) {
        let answer = match self.voter.state(transaction) {
            Some(State::Decided(decision)) => Msg::decided(transaction, decision),
            Some(State::Prepared { .. }) => Msg::Vote(transaction, Vote::Yes),
            Some(State::Working { .. } | State::Left) | None => {
                self.voter.abort_alone(transaction, cx);
                Msg::Abort(transaction)
            }
        };
        cx.send(from, answer);
    }
}

impl Part for Decentralised {
    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<TwoPhaseCommit>) {
        self.voter.recover(log, cx);
        for transaction in self.voter.uncertain() {
            self.count(self.me, transaction, cx);
            self.voter.ask(transaction, cx.others(), cx);
        }
    }

    fn on_request(&mut self, request: Request, cx: &mut Cx<TwoPhaseCommit>) {
        match request {
            Request::Perform { transaction, work } => self.voter.perform(transaction, work, cx),
            Request::Resolve(transaction) => self.voter.resolve(transaction, cx),
            Request::Begin(transaction) => {
                self.voter.enlist(transaction);
                self.cast(transaction, cx);
            }
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<TwoPhaseCommit>) {
        match msg {
            Msg::Vote(transaction, Vote::Yes) => {
                self.cast(transaction, cx);
                self.count(from, transaction, cx);
            }
            Msg::Vote(transaction, Vote::No) | Msg::Abort(transaction) => {
                self.decide(transaction, Decision::Abort, cx);
            }
            Msg::Commit(transaction) => self.decide(transaction, Decision::Commit, cx),
            Msg::Inquiry(transaction) => self.on_inquiry(from, transaction, cx),
            Msg::Vote(_, Vote::ReadOnly) | Msg::Prepare(_) | Msg::Ack(_) => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<TwoPhaseCommit>) {
        match timer {
            Timer::Prepare(transaction) => self.voter.stop_waiting(transaction, cx),
            Timer::Decision(transaction) => self.voter.ask(transaction, cx.others(), cx),
            Timer::Votes(_) | Timer::Acks(_) => {}
        }
    }
}
