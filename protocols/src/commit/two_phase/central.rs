//! Two-phase commit in the central topology: the coordinator collects the votes and decides.
//!
//! Source: Gray (1978); Bernstein, Hadzilacos and Goodman (1987), section 7.4, with the
//! presumptions and the read-only participants of Mohan, Lindsay and Obermarck (1986).
//!
//! Steps, with p participants and one coordinator:
//!
//! 1. the coordinator sends PREPARE to every participant;
//! 2. a participant that can commit forces a *prepared* record and votes Yes; one that cannot votes
//!    No and aborts;
//! 3. if all vote Yes, the coordinator forces a *commit* record and sends COMMIT; if one votes No,
//!    or a vote is late, it sends ABORT. A participant logs the decision, carries it out and
//!    acknowledges it;
//! 4. once every acknowledgement has arrived, the coordinator writes an *end* record, unforced, and
//!    forgets the transaction;
//! 5. a process that recovers announces again the decisions in its log. It aborts a transaction
//!    that it was asked for and has no record of, since it can neither have decided nor voted Yes.
//!
//! Why it works: only the coordinator decides to commit, and only if all have voted Yes. After a
//! Yes, a participant can carry out either decision, even after a crash, but may choose neither: it
//! is *uncertain*, and asks (see `cooperative`). The price is blocking: while the coordinator is
//! down, uncertain participants wait.
//!
//! A participant at which a transaction only reads says so instead of voting Yes, and leaves: it
//! writes no record and receives no decision. After a crash it cannot distinguish such a
//! transaction from one that it lost before it voted, so it does not answer a late copy of PREPARE,
//! nor an inquiry. A No would be a second vote, and aborting would be wrong if the others have
//! committed. (In the paper, sessions between sites keep such copies away.) If the transaction was
//! in fact lost, the coordinator's timeout aborts it.

use std::collections::BTreeMap;

use ftsim_core::{Duration, ProcessId, ProcessSet, Setting, Stored};

use super::cooperative::Termination;
use super::mutants::{
    ABORT_ON_TIMEOUT, ACK_BEFORE_FORCE, COMMIT_ON_TIMEOUT, IGNORE_NO, LEAVE_UNDECIDED,
    RELEASE_LOCKS_EARLY, SEND_BEFORE_LOG, STOP_AT_TORN, VOTE_BEFORE_LOG,
};
use super::params::Params;
use super::presumption::Presumption;
use super::voter::{State, Voter};
use super::{Context, Msg, Record, Role, Timer};
use crate::spec::atomic_commit::{
    COORDINATOR, Decision, Indication, PARTICIPANT, Request, Transaction, Vote,
};

// The coordinator.

/// The coordinator of the central topology.
#[derive(Clone, Debug, Hash)]
pub struct Coordinator {
    /// The transactions that it has not forgotten yet.
    transactions: BTreeMap<Transaction, Progress>,
    participants: ProcessSet,
    presume: Presumption,
    vote_timeout: Duration,
    ack_timeout: Duration,
}

/// The progress of a transaction.
#[derive(Clone, Debug, Hash)]
enum Progress {
    /// Votes are being collected.
    Voting {
        /// The participants that have not voted.
        missing: ProcessSet,
        /// The participants to send the decision to: all but those that have only read.
        tell: ProcessSet,
    },
    /// The decision is made, and not all participants have acknowledged it.
    Decided {
        decision: Decision,
        /// The participants that have not acknowledged it.
        missing: ProcessSet,
    },
}

impl Role for Coordinator {
    /// Announces each decision again, and sends it again if it was not acknowledged by all. A
    /// transaction without a decision is forgotten or, where that would be presumed to be a commit,
    /// aborted.
    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Context) {
        for record in log.iter().filter_map(Stored::intact) {
            match record {
                Record::Collecting(transaction) => {
                    let (missing, tell) = (ProcessSet::new(), self.participants.clone());
                    let voting = Progress::Voting { missing, tell };
                    self.transactions.insert(*transaction, voting);
                }
                Record::Decision { transaction, decision, tell } => {
                    cx.indicate(decision.announced(*transaction));
                    if self.presume.acknowledges(*decision) {
                        let (decision, missing) = (*decision, tell.clone());
                        let decided = Progress::Decided { decision, missing };
                        self.transactions.insert(*transaction, decided);
                    } else {
                        self.transactions.remove(transaction);
                    }
                }
                Record::End(transaction) => {
                    self.transactions.remove(transaction);
                }
                Record::Prepared { .. } | Record::Decided(..) => {}
            }
        }
        for (transaction, progress) in self.transactions.clone() {
            match progress {
                Progress::Voting { .. } => self.decide(transaction, Decision::Abort, cx),
                Progress::Decided { decision, missing } => {
                    cx.reach("told again");
                    cx.send_to(missing.iter(), Msg::decided(transaction, decision));
                    self.await_acks(transaction, decision, missing, cx);
                }
            }
        }
    }

    fn on_request(&mut self, request: Request, cx: &mut Context) {
        match request {
            Request::Begin(transaction) => self.begin(transaction, cx),
            Request::Resolve(transaction) => self.resolve(transaction, cx),
            Request::Perform { .. } => {}
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context) {
        match msg {
            Msg::Vote(transaction, vote) => self.on_vote(from, transaction, vote, cx),
            Msg::Ack(transaction) => self.on_ack(from, transaction, cx),
            Msg::Inquiry(transaction) => self.on_inquiry(from, transaction, cx),
            Msg::Prepare(_) | Msg::Commit(_) | Msg::Abort(_) => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Context) {
        match timer {
            Timer::Votes(transaction) => {
                cx.reach("votes late");
                self.decide(transaction, Decision::Abort, cx);
            }
            Timer::Acks(transaction) => self.send_again(transaction, cx),
            Timer::Prepare(_) | Timer::Decision(_) => {}
        }
    }
}

impl Coordinator {
    pub(super) fn new(params: &Params, setting: &Setting) -> Self {
        Self {
            transactions: BTreeMap::new(),
            participants: setting.role(PARTICIPANT).collect(),
            presume: params.presume,
            vote_timeout: params.vote_timeout,
            ack_timeout: params.ack_timeout,
        }
    }

    fn begin(&mut self, transaction: Transaction, cx: &mut Context) {
        if self.transactions.contains_key(&transaction) {
            return;
        }
        let all = self.participants.clone();
        let voting = Progress::Voting { missing: all.clone(), tell: all };
        self.transactions.insert(transaction, voting);
        if self.presume == Presumption::Commit {
            cx.append(Record::Collecting(transaction));
            cx.sync();
        }
        cx.send_to(self.participants.iter(), Msg::Prepare(transaction));
        cx.set_timer(self.vote_timeout, Timer::Votes(transaction));
    }

    /// Answers a client that asks for the outcome of a transaction begun before a crash. Without a
    /// record it was not decided, and is aborted.
    fn resolve(&mut self, transaction: Transaction, cx: &mut Context) {
        if self.transactions.contains_key(&transaction) || cx.runs(&LEAVE_UNDECIDED) {
            return;
        }
        cx.reach("aborted after a crash");
        let (missing, tell) = (ProcessSet::new(), self.participants.clone());
        self.transactions.insert(transaction, Progress::Voting { missing, tell });
        self.decide(transaction, Decision::Abort, cx);
    }

    fn on_vote(&mut self, from: ProcessId, transaction: Transaction, vote: Vote, cx: &mut Context) {
        let Some(Progress::Voting { missing, tell }) = self.transactions.get_mut(&transaction)
        else {
            return;
        };
        if vote == Vote::No && !cx.runs(&IGNORE_NO) {
            return self.decide(transaction, Decision::Abort, cx);
        }
        if vote == Vote::ReadOnly {
            tell.remove(from);
        }
        missing.remove(from);
        if missing.is_empty() {
            self.decide(transaction, Decision::Commit, cx);
        }
    }

    fn decide(&mut self, transaction: Transaction, decision: Decision, cx: &mut Context) {
        let Some(Progress::Voting { tell, .. }) = self.transactions.remove(&transaction) else {
            return;
        };
        cx.cancel_timer(Timer::Votes(transaction));
        if !cx.runs(&SEND_BEFORE_LOG) {
            self.log(transaction, decision, &tell, cx);
        }
        cx.send_to(tell.iter(), Msg::decided(transaction, decision));
        if cx.runs(&SEND_BEFORE_LOG) {
            self.log(transaction, decision, &tell, cx);
        }
        if self.presume.acknowledges(decision) {
            self.await_acks(transaction, decision, tell, cx);
        }
    }

    /// Forces the record of a decision, if it needs one, and announces the decision.
    fn log(
        &self,
        transaction: Transaction,
        decision: Decision,
        tell: &ProcessSet,
        cx: &mut Context,
    ) {
        if decision == Decision::Commit || self.presume.acknowledges(decision) {
            cx.append(Record::Decision { transaction, decision, tell: tell.clone() });
            cx.sync();
        }
        cx.indicate(decision.announced(transaction));
    }

    fn await_acks(
        &mut self,
        transaction: Transaction,
        decision: Decision,
        missing: ProcessSet,
        cx: &mut Context,
    ) {
        if missing.is_empty() {
            self.transactions.remove(&transaction);
            cx.cancel_timer(Timer::Acks(transaction));
            cx.append(Record::End(transaction));
            return;
        }
        self.transactions.insert(transaction, Progress::Decided { decision, missing });
        cx.set_timer(self.ack_timeout, Timer::Acks(transaction));
    }

    fn on_ack(&mut self, from: ProcessId, transaction: Transaction, cx: &mut Context) {
        if let Some(Progress::Decided { missing, decision }) =
            self.transactions.get_mut(&transaction)
            && missing.remove(from)
            && missing.is_empty()
        {
            let decision = *decision;
            self.await_acks(transaction, decision, ProcessSet::new(), cx);
        }
    }

    fn on_inquiry(&self, from: ProcessId, transaction: Transaction, cx: &mut Context) {
        let decision = match self.transactions.get(&transaction) {
            Some(Progress::Voting { .. }) => return,
            Some(Progress::Decided { decision, .. }) => *decision,
            None => {
                cx.reach("presumed");
                self.presume.answer()
            }
        };
        cx.send(from, Msg::decided(transaction, decision));
    }

    fn send_again(&self, transaction: Transaction, cx: &mut Context) {
        if let Some(Progress::Decided { decision, missing }) = self.transactions.get(&transaction) {
            cx.reach("told again");
            cx.send_to(missing.iter(), Msg::decided(transaction, *decision));
            cx.set_timer(self.ack_timeout, Timer::Acks(transaction));
        }
    }
}

// A participant.

/// A participant of the central topology.
#[derive(Clone, Debug, Hash)]
pub struct Participant {
    voter: Voter,
    presume: Presumption,
    termination: Termination,
}

impl Role for Participant {
    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Context) {
        let torn = log.iter().position(|record| *record == Stored::Torn);
        let readable = torn.filter(|_| cx.runs(&STOP_AT_TORN)).unwrap_or(log.len());
        self.voter.recover(&log[..readable], cx);
        for transaction in self.voter.uncertain() {
            self.ask(transaction, cx);
        }
    }

    fn on_request(&mut self, request: Request, cx: &mut Context) {
        match request {
            Request::Perform { transaction, work } => self.voter.perform(transaction, work, cx),
            Request::Resolve(transaction) => self.voter.resolve(transaction, cx),
            Request::Begin(_) => {}
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context) {
        match msg {
            Msg::Prepare(transaction) => self.on_prepare(from, transaction, cx),
            Msg::Commit(transaction) => self.on_decision(from, transaction, Decision::Commit, cx),
            Msg::Abort(transaction) => self.on_decision(from, transaction, Decision::Abort, cx),
            Msg::Inquiry(transaction) => self.on_inquiry(from, transaction, cx),
            Msg::Vote(..) | Msg::Ack(_) => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Context) {
        match timer {
            Timer::Prepare(transaction) => self.voter.stop_waiting(transaction, cx),
            Timer::Decision(transaction) => self.on_decision_late(transaction, cx),
            Timer::Votes(_) | Timer::Acks(_) => {}
        }
    }
}

impl Participant {
    pub(super) fn new(params: &Params) -> Self {
        Self { voter: Voter::new(params), presume: params.presume, termination: params.termination }
    }

    fn on_prepare(&mut self, from: ProcessId, transaction: Transaction, cx: &mut Context) {
        match self.voter.state(transaction) {
            Some(State::Prepared { .. } | State::Left | State::Decided(Decision::Commit)) => return,
            None if self.voter.may_have_left() => return,
            Some(State::Working { .. } | State::Decided(Decision::Abort)) | None => {}
        }
        match self.voter.vote(transaction) {
            Vote::No => {
                self.send_vote(from, transaction, Vote::No, cx);
                self.voter.abort_alone(transaction, cx);
            }
            Vote::ReadOnly if self.voter.leaves_after_reading => {
                self.send_vote(from, transaction, Vote::ReadOnly, cx);
                self.voter.leave(transaction, cx);
            }
            Vote::Yes | Vote::ReadOnly => self.vote_yes(from, transaction, cx),
        }
    }

    fn vote_yes(&mut self, coordinator: ProcessId, transaction: Transaction, cx: &mut Context) {
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

    fn send_vote(&self, to: ProcessId, transaction: Transaction, vote: Vote, cx: &mut Context) {
        cx.indicate(Indication::Voted { transaction, vote });
        cx.send(to, Msg::Vote(transaction, vote));
    }

    /// Carries out a decision from the coordinator, which may need an acknowledgement, or from a
    /// peer.
    fn on_decision(
        &mut self,
        from: ProcessId,
        transaction: Transaction,
        decision: Decision,
        cx: &mut Context,
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
            // Without a Yes from here, the decision can only be abort.
            Some(State::Working { .. }) | None => self.voter.abort_alone(transaction, cx),
            Some(State::Left | State::Decided(_)) => {}
        }
        if acknowledges && !cx.runs(&ACK_BEFORE_FORCE) {
            cx.send(from, Msg::Ack(transaction));
        }
    }

    /// Logs and carries out the decision on a prepared transaction.
    fn decide(&mut self, transaction: Transaction, decision: Decision, cx: &mut Context) {
        cx.append(Record::Decided(transaction, decision));
        if self.presume.acknowledges(decision) {
            cx.sync();
        }
        self.voter.conclude(transaction, decision, cx);
    }

    fn on_decision_late(&mut self, transaction: Transaction, cx: &mut Context) {
        if self.voter.is_prepared(transaction) && cx.runs(&ABORT_ON_TIMEOUT) {
            self.decide(transaction, Decision::Abort, cx);
        } else if self.voter.is_prepared(transaction) && cx.runs(&COMMIT_ON_TIMEOUT) {
            self.decide(transaction, Decision::Commit, cx);
        } else {
            self.ask(transaction, cx);
        }
    }

    fn ask(&mut self, transaction: Transaction, cx: &mut Context) {
        let Some(State::Prepared { coordinator, .. }) = self.voter.state(transaction) else {
            return;
        };
        let peers = self.termination.peers(cx);
        self.voter.ask(transaction, coordinator.into_iter().chain(peers), cx);
    }

    fn on_inquiry(&mut self, from: ProcessId, transaction: Transaction, cx: &mut Context) {
        if let Some(decision) = self.voter.answer(transaction, cx) {
            cx.send(from, Msg::decided(transaction, decision));
        }
    }
}
