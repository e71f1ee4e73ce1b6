//! A participant of the central topology: votes, and does as it is told.

use ftsim_core::{Cx, ProcessId, Stored};

use super::mutants::{
    ABORT_ON_TIMEOUT, ACK_BEFORE_FORCE, COMMIT_ON_TIMEOUT, RELEASE_LOCKS_EARLY, STOP_AT_TORN,
    VOTE_BEFORE_LOG,
};
use super::settings::{Params, Presumption, Termination};
use super::voter::{State, Voter};
use super::{Msg, Part, Record, Timer, TwoPhaseCommit};
use crate::spec::atomic_commit::{
    COORDINATOR, Decision, Indication, PARTICIPANT, Request, Transaction, Vote,
};

/// A participant of the central topology.
#[derive(Clone, Debug, Hash)]
pub struct Participant {
    voter: Voter,
    presume: Presumption,
    termination: Termination,
    leaves_read_only: bool,
}

impl Participant {
    pub(super) fn new(params: &Params) -> Self {
        Self {
            voter: Voter::new(params),
            presume: params.presume,
            termination: params.termination,
            leaves_read_only: params.read_only,
        }
    }

    fn on_prepare(
        &mut self,
        from: ProcessId,
        transaction: Transaction,
        cx: &mut Cx<TwoPhaseCommit>,
    ) {
        match self.voter.state(transaction) {
            Some(State::Prepared { .. } | State::Left | State::Decided(Decision::Commit)) => return,
            None if self.may_have_left() => return,
            Some(State::Working { .. } | State::Decided(Decision::Abort)) | None => {}
        }
        match self.voter.vote(transaction) {
            Vote::No => {
                self.send_vote(from, transaction, Vote::No, cx);
                self.voter.abort_alone(transaction, cx);
            }
            Vote::ReadOnly if self.leaves_read_only => {
                self.send_vote(from, transaction, Vote::ReadOnly, cx);
                self.voter.leave(transaction, cx);
            }
            Vote::Yes | Vote::ReadOnly => self.vote_yes(from, transaction, cx),
        }
    }

    /// Whether a transaction that is unknown here may be one that only read and was left before a
    /// crash. Others may have committed it, so that this process neither votes on it again nor
    /// aborts it: if it is lost rather than left, the coordinator does without the vote.
    const fn may_have_left(&self) -> bool {
        self.leaves_read_only
    }

    fn vote_yes(
        &mut self,
        coordinator: ProcessId,
        transaction: Transaction,
        cx: &mut Cx<TwoPhaseCommit>,
    ) {
        if cx.runs(&VOTE_BEFORE_LOG) {
            self.send_vote(coordinator, transaction, Vote::Yes, cx);
        }
        self.voter.prepare(transaction, Some(coordinator), cx);
        cx.sync();
        if !cx.runs(&VOTE_BEFORE_LOG) {
            self.send_vote(coordinator, transaction, Vote::Yes, cx);
        }
        if cx.runs(&RELEASE_LOCKS_EARLY) {
            self.voter.release(transaction);
        }
        cx.set_timer(self.voter.decision_timeout, Timer::Decision(transaction));
    }

    fn send_vote(
        &self,
        to: ProcessId,
        transaction: Transaction,
        vote: Vote,
        cx: &mut Cx<TwoPhaseCommit>,
    ) {
        cx.indicate(Indication::Voted { transaction, vote });
        cx.send(to, Msg::Vote(transaction, vote));
    }

    /// The decision comes from the coordinator, which may want to know that it has arrived, or from
    /// a peer.
    fn on_decision(
        &mut self,
        from: ProcessId,
        transaction: Transaction,
        decision: Decision,
        cx: &mut Cx<TwoPhaseCommit>,
    ) {
        let from_coordinator = cx.setting().has_role(from, COORDINATOR);
        let acknowledges = from_coordinator && self.presume.acknowledges(decision);
        if acknowledges && cx.runs(&ACK_BEFORE_FORCE) {
            cx.send(from, Msg::Ack(transaction));
        }
        match self.voter.state(transaction) {
            Some(State::Prepared { .. }) => {
                if !from_coordinator {
                    cx.reach("told by a peer");
                }
                self.decide(transaction, decision, cx);
            }
            // What is not prepared here can only be aborted.
            Some(State::Working { .. }) | None => self.voter.abort_alone(transaction, cx),
            Some(State::Left | State::Decided(_)) => {}
        }
        if acknowledges && !cx.runs(&ACK_BEFORE_FORCE) {
            cx.send(from, Msg::Ack(transaction));
        }
    }

    /// Logs and carries out the decision on a prepared transaction.
    fn decide(
        &mut self,
        transaction: Transaction,
        decision: Decision,
        cx: &mut Cx<TwoPhaseCommit>,
    ) {
        cx.append(Record::Decided(transaction, decision));
        if self.presume.acknowledges(decision) {
            cx.sync();
        }
        self.voter.conclude(transaction, decision, cx);
    }

    /// The decision is late.
    fn on_late(&mut self, transaction: Transaction, cx: &mut Cx<TwoPhaseCommit>) {
        if self.voter.is_prepared(transaction) && cx.runs(&ABORT_ON_TIMEOUT) {
            self.decide(transaction, Decision::Abort, cx);
        } else if self.voter.is_prepared(transaction) && cx.runs(&COMMIT_ON_TIMEOUT) {
            self.decide(transaction, Decision::Commit, cx);
        } else {
            self.ask(transaction, cx);
        }
    }

    fn ask(&mut self, transaction: Transaction, cx: &mut Cx<TwoPhaseCommit>) {
        let Some(State::Prepared { coordinator, .. }) = self.voter.state(transaction) else {
            return;
        };
        let (me, cooperative) = (cx.me(), self.termination == Termination::Cooperative);
        let peers = cx.role(PARTICIPANT).filter(|p| cooperative && *p != me);
        self.voter.ask(transaction, coordinator.into_iter().chain(peers), cx);
    }

    /// An uncertain peer asks. It is told what is decided here; what is not prepared here is
    /// aborted to that end.
    fn on_inquiry(
        &mut self,
        from: ProcessId,
        transaction: Transaction,
        cx: &mut Cx<TwoPhaseCommit>,
    ) {
        let decision = match self.voter.state(transaction) {
            Some(State::Decided(decision)) => decision,
            Some(State::Prepared { .. } | State::Left) => return,
            None if self.may_have_left() => return,
            Some(State::Working { .. }) | None => {
                self.voter.abort_alone(transaction, cx);
                Decision::Abort
            }
        };
        cx.send(from, Msg::decided(transaction, decision));
    }
}

impl Part for Participant {
    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<TwoPhaseCommit>) {
        let torn = log.iter().position(|record| *record == Stored::Torn);
        let readable = torn.filter(|_| cx.runs(&STOP_AT_TORN)).unwrap_or(log.len());
        self.voter.recover(&log[..readable], cx);
        for transaction in self.voter.uncertain() {
            self.ask(transaction, cx);
        }
    }

    fn on_request(&mut self, request: Request, cx: &mut Cx<TwoPhaseCommit>) {
        match request {
            Request::Perform { transaction, work } => self.voter.perform(transaction, work, cx),
            Request::Resolve(transaction) => self.voter.resolve(transaction, cx),
            Request::Begin(_) => {}
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<TwoPhaseCommit>) {
        match msg {
            Msg::Prepare(transaction) => self.on_prepare(from, transaction, cx),
            Msg::Commit(transaction) => self.on_decision(from, transaction, Decision::Commit, cx),
            Msg::Abort(transaction) => self.on_decision(from, transaction, Decision::Abort, cx),
            Msg::Inquiry(transaction) => self.on_inquiry(from, transaction, cx),
            Msg::Vote(..) | Msg::Ack(_) => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<TwoPhaseCommit>) {
        match timer {
            Timer::Prepare(transaction) => self.voter.stop_waiting(transaction, cx),
            Timer::Decision(transaction) => self.on_late(transaction, cx),
            Timer::Votes(_) | Timer::Acks(_) => {}
        }
    }
}
