//! Two-phase commit in the linear topology: the votes go down a chain, the last process decides,
//! and the decision comes back.
//!
//! Source: Gray (1978), *nested two-phase commit*; Bernstein, Hadzilacos and Goodman (1987),
//! section 7.4.
//!
//! Steps, with n processes:
//!
//! 1. the coordinator, the first of the chain, begins by voting Yes to the second process;
//! 2. each process votes Yes to the next if the vote that it receives is Yes and it can commit, and
//!    No otherwise. It forces a *prepared* record before a Yes, and aborts with a No;
//! 3. the vote of the last process is the decision, which goes back up the chain. Each process logs
//!    it before it passes it on.
//!
//! Why it works: the vote of a process is Yes only if all up to it have voted Yes. A process that
//! waits too long asks all others (see `cooperative`). The last process is never uncertain, so once
//! all processes are up, every inquiry is answered by at least one of them.

use ftsim_core::{ProcessId, Setting, Stored};

use super::params::Params;
use super::voter::{State, Voter};
use super::{Context, Msg, Record, Role, Timer};
use crate::spec::atomic_commit::{Decision, Indication, Request, Transaction, Vote};

/// A process of the chain.
#[derive(Clone, Debug, Hash)]
pub struct Linear {
    voter: Voter,
    /// The process whose vote this one receives; none for the first.
    previous: Option<ProcessId>,
    /// The process that receives this one's vote; none for the last, which decides.
    next: Option<ProcessId>,
}

impl Role for Linear {
    /// Recovers the voter. The last process commits what is prepared, since all before it have
    /// voted Yes; the others ask.
    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Context) {
        self.voter.recover(log, cx);
        for transaction in self.voter.uncertain() {
            if self.next.is_some() {
                self.voter.ask(transaction, cx.others(), cx);
            } else {
                self.decide(transaction, Decision::Commit, cx);
            }
        }
    }

    fn on_request(&mut self, request: Request, cx: &mut Context) {
        match request {
            Request::Perform { transaction, work } => self.voter.perform(transaction, work, cx),
            Request::Resolve(transaction) => self.voter.resolve(transaction, cx),
            Request::Begin(transaction) => {
                self.voter.enlist(transaction);
                self.on_vote(transaction, Vote::Yes, cx);
            }
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context) {
        match msg {
            Msg::Vote(transaction, vote) if Some(from) == self.previous => {
                self.on_vote(transaction, vote, cx);
            }
            Msg::Commit(transaction) => self.on_decision(from, transaction, Decision::Commit, cx),
            Msg::Abort(transaction) => self.on_decision(from, transaction, Decision::Abort, cx),
            Msg::Inquiry(transaction) => self.on_inquiry(from, transaction, cx),
            Msg::Vote(..) | Msg::Prepare(_) | Msg::Ack(_) => {}
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

impl Linear {
    /// Multiplies the timeouts by n, since a vote or a decision can take n - 1 messages.
    pub(super) fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        let mut voter = Voter::new(params);
        voter.prepare_timeout = voter.prepare_timeout.times(u64::from(setting.n));
        voter.decision_timeout = voter.decision_timeout.times(u64::from(setting.n));
        let next = ProcessId(me.0 + 1);
        Self {
            voter,
            previous: me.0.checked_sub(1).map(ProcessId),
            next: (next.0 < setting.n).then_some(next),
        }
    }

    /// Casts this process's vote, given that of all processes before it.
    fn on_vote(&mut self, transaction: Transaction, so_far: Vote, cx: &mut Context) {
        if !matches!(
            self.voter.state(transaction),
            None | Some(State::Working { .. } | State::Decided(Decision::Abort))
        ) {
            return;
        }
        let able = self.voter.vote(transaction) != Vote::No;
        let vote = if able && so_far != Vote::No { Vote::Yes } else { Vote::No };
        match (vote, self.next) {
            (Vote::Yes, Some(next)) => {
                self.voter.prepare(transaction, None, cx);
                cx.sync();
                self.send_vote(transaction, Vote::Yes, next, cx);
                cx.set_timer(self.voter.decision_timeout, Timer::Decision(transaction));
            }
            (Vote::Yes, None) => {
                self.voter.prepare(transaction, None, cx);
                cx.append(Record::Decided(transaction, Decision::Commit));
                cx.sync();
                cx.indicate(Indication::Voted { transaction, vote });
                self.voter.conclude(transaction, Decision::Commit, cx);
                self.pass_back(transaction, Decision::Commit, cx);
            }
            (_, Some(next)) => {
                self.send_vote(transaction, Vote::No, next, cx);
                self.voter.abort_alone(transaction, cx);
            }
            (_, None) => {
                cx.indicate(Indication::Voted { transaction, vote });
                self.voter.abort_alone(transaction, cx);
                self.pass_back(transaction, Decision::Abort, cx);
            }
        }
    }

    fn send_vote(&self, transaction: Transaction, vote: Vote, next: ProcessId, cx: &mut Context) {
        cx.indicate(Indication::Voted { transaction, vote });
        cx.send(next, Msg::Vote(transaction, vote));
    }

    /// Carries out a decision that has come back along the chain, or in answer to an inquiry.
    fn on_decision(
        &mut self,
        from: ProcessId,
        transaction: Transaction,
        decision: Decision,
        cx: &mut Context,
    ) {
        match self.voter.state(transaction) {
            Some(State::Prepared { .. }) => self.decide(transaction, decision, cx),
            Some(State::Working { .. }) | None => self.voter.abort_alone(transaction, cx),
            Some(State::Decided(_) | State::Left) => {}
        }
        if Some(from) == self.next {
            self.pass_back(transaction, decision, cx);
        }
    }

    fn decide(&mut self, transaction: Transaction, decision: Decision, cx: &mut Context) {
        cx.append(Record::Decided(transaction, decision));
        cx.sync();
        self.voter.conclude(transaction, decision, cx);
    }

    fn pass_back(&self, transaction: Transaction, decision: Decision, cx: &mut Context) {
        cx.send_to(self.previous, Msg::decided(transaction, decision));
    }

    fn on_inquiry(&mut self, from: ProcessId, transaction: Transaction, cx: &mut Context) {
        if let Some(decision) = self.voter.answer(transaction, cx) {
            cx.send(from, Msg::decided(transaction, decision));
        }
    }
}
