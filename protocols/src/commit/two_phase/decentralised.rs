//! Two-phase commit in the decentralised topology: every process sends its vote to all others, and
//! decides by itself.
//!
//! Source: Skeen (1981); Bernstein, Hadzilacos and Goodman (1987), section 7.4.
//!
//! Steps, with n processes:
//!
//! 1. the coordinator begins by sending its Yes to all others;
//! 2. a process that receives the first vote on a transaction sends its own to all others. It
//!    forces a *prepared* record before a Yes, and aborts with a No;
//! 3. a process commits when it has n votes Yes, and aborts on the first No.
//!
//! Why it works: all processes decide by the same n votes. A process that waits too long asks all
//! others (see `cooperative`); one that is itself uncertain answers with its vote. So once all
//! processes are up, all decide.

use std::collections::BTreeMap;

use ftsim_core::{ProcessId, ProcessSet, Setting, Stored};

use super::params::Params;
use super::voter::{State, Voter};
use super::{Context, Msg, Record, Role, Timer};
use crate::spec::atomic_commit::{Decision, Indication, Request, Transaction, Vote};

/// A process of the decentralised topology.
#[derive(Clone, Debug, Hash)]
pub struct Decentralised {
    voter: Voter,
    /// The processes that have voted Yes, for each undecided transaction.
    in_favour: BTreeMap<Transaction, ProcessSet>,
    everybody: ProcessSet,
    me: ProcessId,
}

impl Role for Decentralised {
    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Context) {
        self.voter.recover(log, cx);
        for transaction in self.voter.uncertain() {
            self.count(self.me, transaction, cx);
            self.voter.ask(transaction, cx.others(), cx);
        }
    }

    fn on_request(&mut self, request: Request, cx: &mut Context) {
        match request {
            Request::Perform { transaction, work } => self.voter.perform(transaction, work, cx),
            Request::Resolve(transaction) => self.voter.resolve(transaction, cx),
            Request::Begin(transaction) => {
                self.voter.enlist(transaction);
                self.cast(transaction, cx);
            }
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context) {
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

    fn on_timer(&mut self, timer: Timer, cx: &mut Context) {
        match timer {
            Timer::Prepare(transaction) => self.voter.stop_waiting(transaction, cx),
            Timer::Decision(transaction) => self.voter.ask(transaction, cx.others(), cx),
            Timer::Votes(_) | Timer::Acks(_) => {}
        }
    }
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

    /// Votes, unless this process has voted already.
    fn cast(&mut self, transaction: Transaction, cx: &mut Context) {
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

    fn send_vote(&self, transaction: Transaction, vote: Vote, cx: &mut Context) {
        cx.indicate(Indication::Voted { transaction, vote });
        cx.send_to_others(Msg::Vote(transaction, vote));
    }

    /// Counts the Yes of `from`.
    fn count(&mut self, from: ProcessId, transaction: Transaction, cx: &mut Context) {
        if !self.voter.is_prepared(transaction) {
            return;
        }
        let votes = self.in_favour.entry(transaction).or_default();
        votes.insert(from);
        if votes.is_superset(&self.everybody) {
            self.decide(transaction, Decision::Commit, cx);
        }
    }

    fn decide(&mut self, transaction: Transaction, decision: Decision, cx: &mut Context) {
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

    fn on_inquiry(&mut self, from: ProcessId, transaction: Transaction, cx: &mut Context) {
        let answer = match self.voter.answer(transaction, cx) {
            Some(decision) => Msg::decided(transaction, decision),
            None => Msg::Vote(transaction, Vote::Yes),
        };
        cx.send(from, answer);
    }
}
