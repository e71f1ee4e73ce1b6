//! Paxos commit: each vote is decided by an instance of Paxos, and the coordinator only learns.
//!
//! Source: Gray and Lamport (2006), *Consensus on transaction commit*, sections 4 and 5. Spec:
//! [`AtomicCommit`], nonblocking, with one-copy serialisability. Model: partially synchronous,
//! fair-loss links, crash-recovery; F of 2F + 1 acceptors may stay down, and any number of the
//! other processes. Only progress needs time.
//!
//! There is one instance of Paxos for each participant, and it chooses *Prepared* or *Aborted*. All
//! instances of a transaction share their acceptors and their ballots. Steps:
//!
//! 1. the coordinator, which is the initial leader, sends PREPARE to every participant;
//! 2. a participant that can commit forces a *prepared* record. It is the proposer of ballot 0 of
//!    its own instance, which needs no phase 1: it sends PHASE-2A with Prepared to F + 1 acceptors.
//!    One that cannot commit sends Aborted, and aborts;
//! 3. an acceptor that has accepted the values of all participants forces them to its log, with
//!    one write, and sends them to the leader in one PHASE-2B;
//! 4. if F + 1 acceptors have accepted Prepared in every instance the leader sends COMMIT; if they
//!    have accepted Aborted in some instance, ABORT.
//!
//! A participant that does not hear of the decision sends its value to all acceptors and asks for
//! the decision: first the coordinator, then one acceptor after another. Whoever is asked, and
//! knows none, becomes leader of a higher ballot (see `leader`). It proposes in each instance what
//! may have been chosen, and *Aborted* where nothing has. The coordinator does the same if votes
//! are late.
//!
//! Why it works: an instance chooses one value, whoever leads and whoever crashes (see `paxos`).
//! The decision is a function of the chosen values, so all learn the same. Only a participant
//! itself proposes Prepared if nothing is accepted, so a commit has the votes of all. No process is
//! needed that is not one of a majority of acceptors: with F = 0 this is two-phase commit, and the
//! only acceptor is what it waits for.
//!
//! A participant has its work before anybody can ask it to prepare. One that is asked for a
//! transaction of which it has none aborts it without a record, and must not get the work later.
//!
//! Words: the paper's *resource manager* is our participant, its *transaction manager* and *initial
//! leader* is our coordinator. The paper's BEGIN-COMMIT is the client's request here, and is no
//! message. Work that only reads is treated as any other.

mod acceptor;
mod leader;
mod manager;
mod mutants;

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use crate::spec::atomic_commit::{
    AtomicCommit, COORDINATOR, Decision, NONBLOCKING, ONE_COPY, PARTICIPANT, Request, Transaction,
};
use crate::spec::ballots::Ballot;
use acceptor::Acceptor;
use leader::Leader;
use manager::Manager;

/// The role of the processes that remember the votes.
const ACCEPTOR: &str = "acceptor";

/// The ballot that each participant leads in its own instance.
const BALLOT_ZERO: Ballot = Ballot { round: 0, proposer: ProcessId(0) };

/// What an instance chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Value {
    Prepared,
    Aborted,
}

/// Values of some instances, each of which is named after its participant.
type Values = Vec<(ProcessId, Value)>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// Leader to participant: a request to prepare.
    Prepare(Transaction),
    /// Leader to acceptor: a request for a promise, in all instances.
    Phase1a(Transaction, Ballot),
    /// Acceptor to leader: a promise, and what it has accepted in each instance.
    Phase1b(Transaction, Ballot, Vec<(ProcessId, Ballot, Value)>),
    /// Participant or leader to acceptor: a request to accept these values.
    Phase2a(Transaction, Ballot, Values),
    /// Acceptor to leader: these values are accepted.
    Phase2b(Transaction, Ballot, Values),
    /// Acceptor to leader: it has promised this higher ballot.
    Nack(Transaction, Ballot),
    /// Participant to coordinator or acceptor: a question for the decision.
    Inquiry(Transaction),
    Commit(Transaction),
    Abort(Transaction),
}

impl Msg {
    const fn decided(transaction: Transaction, decision: Decision) -> Self {
        match decision {
            Decision::Commit => Self::Commit(transaction),
            Decision::Abort => Self::Abort(transaction),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// A participant has waited for long.
    Ask(Transaction),
    /// A leader has waited for long.
    Lead(Transaction),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    /// As participant: it is about to propose Prepared.
    Prepared {
        transaction: Transaction,
        /// Whether the transaction writes the item: the redo data.
        writes: bool,
    },
    /// As participant or coordinator: the decision. Never forced, since the acceptors know it.
    Decided(Transaction, Decision),
    /// As acceptor: it may have promised this ballot.
    Promised(Transaction, Ballot),
    /// As acceptor: it has accepted this value in the instance of this participant.
    Accepted(Transaction, ProcessId, Ballot, Value),
    /// As leader: it may have used its ballot of this round.
    Tried(Transaction, u64),
}

/// A process of Paxos commit.
#[derive(Clone, Debug, Hash)]
pub struct PaxosCommit {
    patience: Duration,
    manager: Manager,
    acceptors: BTreeMap<Transaction, Acceptor>,
    leaders: BTreeMap<Transaction, Leader>,
}

impl Process for PaxosCommit {
    type Spec = AtomicCommit;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Record;

    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        for record in log.iter().filter_map(Stored::intact) {
            match *record {
                Record::Prepared { transaction, writes } => {
                    self.manager.restore_prepared(transaction, writes, cx);
                }
                Record::Decided(transaction, decision) => {
                    self.restore_decision(transaction, decision, cx);
                }
                Record::Promised(transaction, ballot) => {
                    self.acceptors.entry(transaction).or_default().restore_promise(ballot);
                }
                Record::Accepted(transaction, manager, ballot, value) => {
                    self.acceptors.entry(transaction).or_default().restore(manager, ballot, value);
                }
                Record::Tried(transaction, round) => {
                    self.leaders.entry(transaction).or_default().has_tried(round);
                }
            }
        }
        for transaction in self.manager.lock_prepared() {
            self.ask(transaction, cx);
        }
    }

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        match request {
            Request::Perform { transaction, work } => self.perform(transaction, work, cx),
            Request::Begin(transaction) => self.begin(transaction, cx),
            Request::Resolve(transaction) if cx.setting().has_role(cx.me(), COORDINATOR) => {
                self.lead_if_asked(transaction, cx);
            }
            Request::Resolve(transaction) => self.resolve(transaction, cx),
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Prepare(t) => self.on_prepare(t, cx),
            Msg::Phase1a(t, ballot) => self.on_phase_1a(from, t, ballot, cx),
            Msg::Phase1b(t, ballot, accepted) => self.on_phase_1b(from, t, ballot, accepted, cx),
            Msg::Phase2a(t, ballot, values) => self.on_phase_2a(from, t, ballot, &values, cx),
            Msg::Phase2b(t, ballot, values) => self.on_phase_2b(from, t, ballot, values, cx),
            Msg::Nack(t, higher) => self.on_nack(t, higher),
            Msg::Inquiry(t) => self.on_inquiry(from, t, cx),
            Msg::Commit(t) => self.on_decision(t, Decision::Commit, cx),
            Msg::Abort(t) => self.on_decision(t, Decision::Abort, cx),
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<Self>) {
        match timer {
            Timer::Ask(transaction) => self.on_ask(transaction, cx),
            Timer::Lead(transaction) => self.lead(transaction, cx),
        }
    }
}

impl PaxosCommit {
    /// A decision has been made, by another leader than this process.
    fn on_decision(&mut self, transaction: Transaction, decision: Decision, cx: &mut Cx<Self>) {
        if cx.setting().has_role(cx.me(), PARTICIPANT) {
            self.conclude(transaction, decision, cx);
        } else {
            self.learn(transaction, decision, cx);
        }
    }

    fn restore_decision(
        &mut self,
        transaction: Transaction,
        decision: Decision,
        cx: &mut Cx<Self>,
    ) {
        if cx.setting().has_role(cx.me(), PARTICIPANT) {
            self.manager.restore_decision(transaction, decision, cx);
        } else {
            self.leaders.entry(transaction).or_default().restore_decision(decision);
            cx.indicate(decision.announced(transaction));
        }
    }
}

/// The size of a majority of acceptors: F + 1 of 2F + 1.
fn majority(setting: &Setting) -> usize {
    setting.role_size(ACCEPTOR) as usize / 2 + 1
}

/// `[params]` of Paxos commit.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// How long a participant waits for PREPARE before it aborts, and for the decision before it
    /// asks; and how long a leader waits before it tries a higher ballot. Each waits for twice as
    /// long the second time, three times as long the third, and so on.
    pub patience: Duration,
}

impl Default for Params {
    fn default() -> Self {
        Self { patience: Duration::from_millis(400) }
    }
}

impl Protocol for PaxosCommit {
    const NAME: &'static str = "paxos-commit";
    const SUMMARY: &'static str = "atomic commitment: a majority of acceptors remembers each vote";
    const SOURCE: &'static str = "Gray & Lamport 2006, Consensus on transaction commit";
    const ROLES: &'static [&'static str] = &[COORDINATOR, PARTICIPANT, ACCEPTOR];
    const MUTANTS: &'static [Mutant] = mutants::ALL;

    type Params = Params;

    fn model(_: &Params, _: &Setting) -> Model {
        Model::PARTIALLY_SYNCHRONOUS
            .crash_recovery(Bound::MINORITY.of(ACCEPTOR))
            .over(Links::FairLoss)
    }

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        if setting.role_size(COORDINATOR) != 1 {
            return Err(Invalid::role(COORDINATOR, "there must be one coordinator"));
        }
        for (role, message) in
            [(PARTICIPANT, "there is no participant"), (ACCEPTOR, "there is no acceptor")]
        {
            if setting.role_size(role) == 0 {
                return Err(Invalid::role(role, message));
            }
        }
        if params.patience == Duration::ZERO {
            return Err(Invalid::new("patience", "must be longer than zero"));
        }
        Ok(())
    }

    fn new(params: &Params, _: &Setting, _: ProcessId) -> Self {
        Self {
            patience: params.patience,
            manager: Manager::default(),
            acceptors: BTreeMap::new(),
            leaders: BTreeMap::new(),
        }
    }

    fn claims(_: &Params, _: &Setting) -> Vec<PropertyId> {
        vec![NONBLOCKING, ONE_COPY]
    }
}
