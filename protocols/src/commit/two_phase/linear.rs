//! The linear topology: votes go down a chain, the last process decides, the decision comes back.
//!
//! Steps: the coordinator, first in the chain, begins by voting Yes. Each process votes Yes to the
//! next if all before it have and it can commit, else No. The last one's vote is the decision. An
//! uncertain process asks everybody: some answer with the decision, some abort what they have not
//! voted on. Somebody always does one or the other once all are up: the last process is never
//! uncertain.

use ftsim_core::{Cx, ProcessId, Setting, Stored};

use super::settings::Params;
use super::voter::{State, Voter};
use super::{Msg, Part, Record, Timer, TwoPhaseCommit};
use crate::spec::atomic_commit::{Decision, Indication, Request, Transaction, Vote};

/// A link of the chain.
#[derive(Clone, Debug, Hash)]
pub struct Linear {
    voter: Voter,
    /// Who votes to this process, and hears the decision from it; none for the first.
    previous: Option<ProcessId>,
    /// To whom this process votes; none for the last, which decides.
    next: Option<ProcessId>,
}

impl Linear {
    /// A chain is long: each of its links waits n times as long as one process would wait for
    /// another.
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

    /// All before this process have voted Yes, or one of them No.
    fn on_vote(&mut self, transaction: Transaction, so_far: Vote, cx: &mut Cx<TwoPhaseCommit>) {
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

    fn send_vote(
        &self,
        transaction: Transaction,
        vote: Vote,
        next: ProcessId,
        cx: &mut Cx<TwoPhaseCommit>,
    ) {
        cx.indicate(Indication::Voted { transaction, vote });
        cx.send(next, Msg::Vote(transaction, vote));
    }

    /// The decision has come back, or an answer to an inquiry.
    fn on_decision(
        &mut self,
        from: ProcessId,
        transaction: Transaction,
        decision: Decision,
        cx: &mut Cx<TwoPhaseCommit>,
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

    fn decide(
        &mut self,
        transaction: Transaction,
        decision: Decision,
        cx: &mut Cx<TwoPhaseCommit>,
    ) {
        cx.append(Record::Decided(transaction, decision));
        cx.sync();
        self.voter.conclude(transaction, decision, cx);
    }

    fn pass_back(&self, transaction: Transaction, decision: Decision, cx: &mut Cx<TwoPhaseCommit>) {
        cx.send_to(self.previous, Msg::decided(transaction, decision));
    }

    fn on_inquiry(
        &mut self,
        from: ProcessId,
        transaction: Transaction,
        cx: &mut Cx<TwoPhaseCommit>,
    ) {
        let decision = match self.voter.state(transaction) {
            Some(State::Decided(decision)) => decision,
            Some(State::Prepared { .. }) => return,
            Some(State::Working { .. } | State::Left) | None => {
                self.voter.abort_alone(transaction, cx);
                Decision::Abort
            }
        };
        cx.send(from, Msg::decided(transaction, decision));
    }
}

impl Part for Linear {
    /// The last process is not uncertain: where it is prepared, all before it have voted Yes.
    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<TwoPhaseCommit>) {
        self.voter.recover(log, cx);
        for transaction in self.voter.uncertain() {
            if self.next.is_some() {
                self.voter.ask(transaction, cx.others(), cx);
            } else {
                self.decide(transaction, Decision::Commit, cx);
            }
        }
    }

    fn on_request(&mut self, request: Request, cx: &mut Cx<TwoPhaseCommit>) {
        match request {
            Request::Perform { transaction, work } => self.voter.perform(transaction, work, cx),
            Request::Resolve(transaction) => self.voter.resolve(transaction, cx),
            Request::Begin(transaction) => {
                self.voter.enlist(transaction);
                self.on_vote(transaction, Vote::Yes, cx);
            }
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<TwoPhaseCommit>) {
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

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<TwoPhaseCommit>) {
        match timer {
            Timer::Prepare(transaction) => self.voter.stop_waiting(transaction, cx),
            Timer::Decision(transaction) => self.voter.ask(transaction, cx.others(), cx),
            Timer::Votes(_) | Timer::Acks(_) => {}
        }
    }
}
