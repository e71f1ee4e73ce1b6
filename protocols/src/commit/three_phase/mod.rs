//! Three-phase commit: between the votes and the decision, all learn that all have voted Yes.
//!
//! Source: Skeen (1981), *Nonblocking commit protocols*; with `variant = "quorum"`, Skeen (1982),
//! *A quorum-based commit protocol*; Bernstein, Hadzilacos and Goodman (1987), section 7.5. Spec:
//! [`AtomicCommit`], nonblocking, with one-copy serialisability. Model of the first: site failures
//! only, which every other site is told of by a perfect detector (Skeen's network is synchronous,
//! which makes timeouts such a detector); reliable links of any speed; sites recover from logs.
//! Model of the second: that of two-phase commit, with partitions and any timing.
//!
//! Steps, with one coordinator and p participants, all of which are *sites*:
//!
//! 1. the coordinator sends CAN-COMMIT to every participant;
//! 2. a participant that can commit forces a record that it *waits*, and votes Yes; one that cannot
//!    votes No and aborts;
//! 3. once all have voted Yes, the coordinator forces a *pre-commit* record and sends PRE-COMMIT;
//! 4. a participant forces the same record and sends ACK;
//! 5. with all ACKs but those of failed sites, the coordinator forces its decision and sends
//!    DO-COMMIT. Without all votes it sends ABORT after step 2.
//!
//! When the coordinator has failed, the first site that has not takes over (see `termination`, and
//! `quorum` for the other variant).
//!
//! Why it works: no site can commit while another waits. So a site that waits and learns that no
//! operational site has pre-committed knows that none has committed, and may abort; a site that has
//! pre-committed knows that all have voted Yes. Nobody has to wait for a site that is down.
//!
//! What is promised: every site that is up decides, whoever stays down, as long as one site stays
//! up throughout. If all have failed at some time (*total failure*), the last one may have decided
//! alone, so those that recover wait for all the others; when all have recovered, all decide.
//!
//! A site takes part in a transaction only if it suspects nobody when it votes (or, as coordinator,
//! begins). So a suspicion that comes later is about a crash during the transaction, and a site
//! that has crashed takes no part any more: it asks. Timers decide nothing; they repeat questions.
//!
//! Words: Skeen's *site* is our process; DO-COMMIT is his COMMIT, PRE-COMMIT his PREPARE. Work that
//! only reads is treated as any other.

mod mutants;
mod params;
mod quorum;
mod recovery;
mod termination;
mod voting;

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use super::item::Item;
use crate::spec::atomic_commit::{
    AtomicCommit, COORDINATOR, Decision, NONBLOCKING, ONE_COPY, PARTICIPANT, Request, Transaction,
    Vote,
};
use params::{Params, Variant};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A request for the receiver's vote.
    CanCommit(Transaction),
    Vote(Transaction, Vote),
    /// A request to enter the phase before the commit.
    PreCommit(Transaction),
    /// A request to enter the phase before an abort (quorum variant).
    PreAbort(Transaction),
    /// The sender is in the phase before this decision.
    Ack(Transaction, Decision),
    DoCommit(Transaction),
    Abort(Transaction),
    /// The sender has taken over, and asks for the receiver's phase.
    StateReq(Transaction),
    State(Transaction, Phase),
    /// The sender takes the receiver for the coordinator, and has heard nothing.
    Inquiry(Transaction),
    /// The sender has crashed in this phase, takes no part any more, and asks for the decision.
    Recovering(Transaction, Phase),
}

impl Msg {
    const fn decided(transaction: Transaction, decision: Decision) -> Self {
        match decision {
            Decision::Commit => Self::DoCommit(transaction),
            Decision::Abort => Self::Abort(transaction),
        }
    }

    const fn before(transaction: Transaction, decision: Decision) -> Self {
        match decision {
            Decision::Commit => Self::PreCommit(transaction),
            Decision::Abort => Self::PreAbort(transaction),
        }
    }
}

/// How far an undecided site has come that may not abort alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Phase {
    /// It has voted Yes or, as coordinator, collects votes.
    Waiting,
    /// It knows that all have voted Yes.
    PreCommitted,
    /// It has promised not to commit (quorum variant).
    PreAborted,
}

impl Phase {
    const fn before(decision: Decision) -> Self {
        match decision {
            Decision::Commit => Self::PreCommitted,
            Decision::Abort => Self::PreAborted,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// Nothing has happened for long.
    Late(Transaction),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    /// A participant is about to vote Yes.
    Waiting {
        transaction: Transaction,
        /// Whether the transaction writes the item: the redo data.
        writes: bool,
    },
    /// A site is in the phase before this decision.
    Before(Transaction, Decision),
    Decided(Transaction, Decision),
}

/// A site of three-phase commit.
#[derive(Clone, Debug, Hash)]
pub struct ThreePhaseCommit {
    params: Params,
    item: Item,
    sites: BTreeMap<Transaction, Site>,
    suspected: ProcessSet,
}

/// A site's knowledge of a transaction.
#[derive(Clone, Debug, Hash)]
struct Site {
    state: State,
    /// Whether it has crashed since it voted or began, and only asks.
    recovering: bool,
    /// The sites that have crashed since it voted or began.
    failed: ProcessSet,
    task: Task,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum State {
    /// The work here is done or has failed; the participant can still abort unilaterally.
    Working {
        /// The vote that it will cast.
        vote: Vote,
    },
    Undecided(Phase),
    Decided(Decision),
}

/// What a site collects.
#[derive(Clone, Debug, Hash)]
enum Task {
    None,
    /// The coordinator collects votes; with the participants that have not voted.
    Votes(ProcessSet),
    /// The site has taken over, or is recovering; with the phases that it has heard of.
    States(BTreeMap<ProcessId, Phase>),
    /// The site has asked all to enter the phase before this decision.
    Acks {
        decision: Decision,
        acked: ProcessSet,
    },
}

impl Site {
    const fn new(state: State, task: Task) -> Self {
        Self { state, recovering: false, failed: ProcessSet::new(), task }
    }

    /// Whether it takes part, and knows no decision.
    const fn is_operational(&self) -> bool {
        matches!(self.state, State::Undecided(_)) && !self.recovering
    }
}

impl Process for ThreePhaseCommit {
    type Spec = AtomicCommit;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Record;

    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        self.restore(log, cx);
        for transaction in self.undecided() {
            self.resume(transaction, cx);
        }
    }

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        match request {
            Request::Perform { transaction, work } => self.perform(transaction, work, cx),
            Request::Begin(transaction) => self.begin(transaction, cx),
            // What it does not know it has not voted for, nor sent PRE-COMMIT for.
            Request::Resolve(transaction) if !self.sites.contains_key(&transaction) => {
                self.abort_alone(transaction, cx);
            }
            Request::Resolve(_) => {}
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::CanCommit(t) => self.on_can_commit(from, t, cx),
            Msg::Vote(t, vote) => self.on_vote(from, t, vote, cx),
            Msg::PreCommit(t) => self.on_before(from, t, Decision::Commit, cx),
            Msg::PreAbort(t) => self.on_before(from, t, Decision::Abort, cx),
            Msg::Ack(t, decision) => self.on_ack(from, t, decision, cx),
            Msg::DoCommit(t) => self.on_decision(t, Decision::Commit, cx),
            Msg::Abort(t) => self.on_decision(t, Decision::Abort, cx),
            Msg::StateReq(t) => self.on_state_req(from, t, cx),
            Msg::State(t, phase) => self.on_state(from, t, phase, cx),
            Msg::Inquiry(t) => self.on_inquiry(from, t, cx),
            Msg::Recovering(t, phase) => self.on_recovering(from, t, phase, cx),
        }
    }

    fn on_timer(&mut self, Timer::Late(transaction): Timer, cx: &mut Cx<Self>) {
        match self.params.variant {
            Variant::SiteFailures => self.ask_again(transaction, cx),
            Variant::Quorum => self.move_on(transaction, cx),
        }
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        if self.params.variant == Variant::SiteFailures {
            self.suspected.insert(p);
            let known: Vec<Transaction> = self.sites.keys().copied().collect();
            for transaction in known {
                self.on_failure(transaction, p, cx);
            }
        }
    }

    fn on_trust(&mut self, p: ProcessId, _: &mut Cx<Self>) {
        self.suspected.remove(p);
    }
}

impl ThreePhaseCommit {
    fn phase(&self, transaction: Transaction) -> Option<Phase> {
        match self.sites.get(&transaction)?.state {
            State::Undecided(phase) => Some(phase),
            State::Working { .. } | State::Decided(_) => None,
        }
    }

    fn undecided(&self) -> Vec<Transaction> {
        self.sites.keys().copied().filter(|t| self.phase(*t).is_some()).collect()
    }

    /// The site's knowledge of a transaction in which it takes part and knows no decision.
    fn operational(&mut self, transaction: Transaction) -> Option<&mut Site> {
        self.sites.get_mut(&transaction).filter(|site| site.is_operational())
    }

    fn wait(&self, transaction: Transaction, cx: &mut Cx<Self>) {
        cx.set_timer(self.params.patience, Timer::Late(transaction));
    }
}

impl Protocol for ThreePhaseCommit {
    const NAME: &'static str = "three-phase-commit";
    const SUMMARY: &'static str =
        "atomic commitment: before the decision, all learn that all have voted Yes";
    const SOURCE: &'static str = "Skeen 1981, Nonblocking commit protocols; Skeen 1982, A \
                                  quorum-based commit protocol";
    const ROLES: &'static [&'static str] = &[COORDINATOR, PARTICIPANT];
    const MUTANTS: &'static [Mutant] = mutants::ALL;

    type Params = Params;

    fn model(params: &Params, _: &Setting) -> Model {
        match params.variant {
            Variant::SiteFailures => {
                Model::ASYNCHRONOUS.crash_recovery(Bound::ALL_BUT_ONE).with(DetectorClass::Perfect)
            }
            Variant::Quorum => {
                Model::ASYNCHRONOUS.crash_recovery(Bound::ANY_THAT_RECOVER).over(Links::FairLoss)
            }
        }
    }

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        params.validate(setting)
    }

    fn new(params: &Params, _: &Setting, _: ProcessId) -> Self {
        Self {
            params: params.clone(),
            item: Item::default(),
            sites: BTreeMap::new(),
            suspected: ProcessSet::new(),
        }
    }

    fn claims(params: &Params, _: &Setting) -> Vec<PropertyId> {
        match params.variant {
            Variant::SiteFailures => vec![NONBLOCKING, ONE_COPY],
            Variant::Quorum => vec![ONE_COPY],
        }
    }
}
