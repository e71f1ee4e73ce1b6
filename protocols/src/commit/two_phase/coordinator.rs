//! The coordinator of the central topology: collects votes, decides, tells.

use std::collections::BTreeMap;

use ftsim_core::{Cx, Duration, ProcessId, ProcessSet, Setting, Stored};

use super::mutants::{IGNORE_NO, LEAVE_UNDECIDED, SEND_BEFORE_LOG};
use super::settings::{Params, Presumption};
use super::{Msg, Part, Record, Timer, TwoPhaseCommit};
use crate::spec::atomic_commit::{Decision, PARTICIPANT, Request, Transaction, Vote};

/// The coordinator of the central topology.
#[derive(Clone, Debug, Hash)]
pub struct Coordinator {
    /// The transactions that it has not forgotten.
    transactions: BTreeMap<Transaction, Progress>,
    participants: ProcessSet,
    presume: Presumption,
    vote_timeout: Duration,
    ack_timeout: Duration,
}

/// How far a transaction has come.
#[derive(Clone, Debug, Hash)]
enum Progress {
    /// Votes are being collected.
    Voting {
        /// Those who have not voted.
        missing: ProcessSet,
        /// Those who must be told the decision: all but those who only read.
        tell: ProcessSet,
    },
    /// The decision is made, and not yet acknowledged by all.
    Decided {
        decision: Decision,
        /// Those who have not acknowledged.
        missing: ProcessSet,
    },
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

    fn begin(&mut self, transaction: Transaction, cx: &mut Cx<TwoPhaseCommit>) {
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

    /// A client wants to know how a transaction ended that was begun before a crash. Without a
    /// record it was not decided, and aborts.
    fn resolve(&mut self, transaction: Transaction, cx: &mut Cx<TwoPhaseCommit>) {
        if self.transactions.contains_key(&transaction) || cx.runs(&LEAVE_UNDECIDED) {
            return;
        }
        cx.reach("aborted after a crash");
        let (missing, tell) = (ProcessSet::new(), self.participants.clone());
        self.transactions.insert(transaction, Progress::Voting { missing, tell });
        self.decide(transaction, Decision::Abort, cx);
    }

    fn on_vote(
        &mut self,
        from: ProcessId,
        transaction: Transaction,
        vote: Vote,
        cx: &mut Cx<TwoPhaseCommit>,
    ) {
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

    fn decide(
        &mut self,
        transaction: Transaction,
        decision: Decision,
        cx: &mut Cx<TwoPhaseCommit>,
    ) {
        let Some(Progress::Voting { tell, .. }) = self.transactions.remove(&transaction) else {
            return;
        };
        cx.cancel_timer(Timer::Votes(transaction));
        if !cx.runs(&SEND_BEFORE_LOG) {
            self.force(transaction, decision, &tell, cx);
        }
        cx.send_to(tell.iter(), Msg::decided(transaction, decision));
        if cx.runs(&SEND_BEFORE_LOG) {
            self.force(transaction, decision, &tell, cx);
        }
        if self.presume.acknowledges(decision) {
            self.await_acks(transaction, decision, tell, cx);
        }
    }

    /// Makes a decision safe, if it must be, and announces it.
    fn force(
        &self,
        transaction: Transaction,
        decision: Decision,
        tell: &ProcessSet,
        cx: &mut Cx<TwoPhaseCommit>,
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
        cx: &mut Cx<TwoPhaseCommit>,
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

    fn on_ack(&mut self, from: ProcessId, transaction: Transaction, cx: &mut Cx<TwoPhaseCommit>) {
        if let Some(Progress::Decided { missing, decision }) =
            self.transactions.get_mut(&transaction)
            && missing.remove(from)
            && missing.is_empty()
        {
            let decision = *decision;
            self.await_acks(transaction, decision, ProcessSet::new(), cx);
        }
    }

    fn on_inquiry(&self, from: ProcessId, transaction: Transaction, cx: &mut Cx<TwoPhaseCommit>) {
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

    fn tell_again(&self, transaction: Transaction, cx: &mut Cx<TwoPhaseCommit>) {
        if let Some(Progress::Decided { decision, missing }) = self.transactions.get(&transaction) {
            cx.reach("told again");
            cx.send_to(missing.iter(), Msg::decided(transaction, *decision));
            cx.set_timer(self.ack_timeout, Timer::Acks(transaction));
        }
    }
}

impl Part for Coordinator {
    /// What was decided is announced again, and told again if it has not ended; what was being
    /// voted on is forgotten or, where that would be presumed to be a commit, aborted.
    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<TwoPhaseCommit>) {
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

    fn on_request(&mut self, request: Request, cx: &mut Cx<TwoPhaseCommit>) {
        match request {
            Request::Begin(transaction) => self.begin(transaction, cx),
            Request::Resolve(transaction) => self.resolve(transaction, cx),
            Request::Perform { .. } => {}
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<TwoPhaseCommit>) {
        match msg {
            Msg::Vote(transaction, vote) => self.on_vote(from, transaction, vote, cx),
            Msg::Ack(transaction) => self.on_ack(from, transaction, cx),
            Msg::Inquiry(transaction) => self.on_inquiry(from, transaction, cx),
            Msg::Prepare(_) | Msg::Commit(_) | Msg::Abort(_) => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<TwoPhaseCommit>) {
        match timer {
            Timer::Votes(transaction) => {
                cx.reach("votes late");
                self.decide(transaction, Decision::Abort, cx);
            }
            Timer::Acks(transaction) => self.tell_again(transaction, cx),
            Timer::Prepare(_) | Timer::Decision(_) => {}
        }
    }
}
