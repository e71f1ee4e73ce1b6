//! Two-phase commit: first all vote, then all are told.
//!
//! Source: Gray (1978); Bernstein, Hadzilacos and Goodman (1987), chapter 7; Mohan, Lindsay and
//! Obermarck (1986) for the presumptions. Spec: [`AtomicCommit`], with one-copy serialisability.
//! Model: asynchronous; fair-loss links, which lose some messages, double each of them finitely
//! often, and deliver a copy at any later time, even after a crash of its receiver; any number of
//! crashes with recovery from a log. Timeouts serve progress alone.
//!
//! Steps of the central topology, with p participants and one coordinator:
//! 1. the coordinator sends PREPARE to every participant;
//! 2. a participant that can commit forces a *prepared* record and votes Yes; one that cannot votes
//!    No and aborts;
//! 3. if all vote Yes the coordinator forces a *commit* record and sends COMMIT; if one votes No,
//!    or votes are late, it sends ABORT. A participant does as it is told, in its log first, and
//!    acknowledges;
//! 4. with all acknowledgements the coordinator writes an *end* record, unforced, and forgets;
//! 5. a process that comes back announces again what its log says is decided. What it was asked for
//!    and has no record of, it aborts: it was neither decided nor voted for.
//!
//! Why it works: only the coordinator decides commit, and only with every vote. Whoever has voted
//! Yes can do either even after a crash, and does neither alone: it is *uncertain*, and asks. What
//! no log knows of was never voted for, so it can be aborted. The price is blocking: while the
//! coordinator is down, the uncertain wait.
//!
//! Presumptions save records and messages. What the coordinator has no record of, it answers by
//! presumption, and what agrees with the presumption needs no acknowledgement. *Presume nothing*
//! acknowledges both decisions; *presume abort* writes nothing for an abort; *presume commit*
//! forces a *collecting* record before PREPARE, so that a crash before the decision is not presumed
//! to be a commit.
//!
//! A participant at which a transaction only reads says so instead of voting Yes, and leaves: it
//! writes no record and hears no decision. After a crash it cannot tell such a transaction from one
//! that it lost before it voted, so a late copy of PREPARE, like an inquiry, goes unanswered. A No
//! would be a second vote, and to abort would be wrong if the others have committed. (In the paper
//! sessions between sites keep such copies away.) If the transaction is lost, the coordinator's
//! timeout aborts it.
//!
//! In the decentralised topology (Skeen 1981) everybody sends its vote to everybody, and decides
//! alone. In the linear one (Gray 1978) votes go down a chain, the last process decides, and the
//! decision comes back. In both the coordinator votes Yes by beginning, nothing is acknowledged,
//! and the uncertain ask everybody.
//!
//! The literature's *subordinate*, *cohort* and *site* are our participants; a *VOTE-REQ* is
//! PREPARE; to *force* is to append and sync.

mod coordinator;
mod decentralised;
mod linear;
mod mutants;
mod participant;
mod settings;
#[cfg(test)]
mod tests;
mod voter;

use ftsim_core::prelude::*;

use crate::spec::atomic_commit::{
    AtomicCommit, COORDINATOR, Decision, ONE_COPY, PARTICIPANT, Request, Transaction, Vote,
};
use coordinator::Coordinator;
use decentralised::Decentralised;
use linear::Linear;
use participant::Participant;
use settings::{Params, Topology};

/// A process of two-phase commit: which part it plays depends on role and topology.
#[derive(Clone, Debug, Hash)]
pub enum TwoPhaseCommit {
    /// Who collects the votes and decides, in the central topology.
    Coordinator(Coordinator),
    /// Who votes and is told, in the central topology.
    Participant(Participant),
    /// Who decides alone, in the decentralised topology.
    Decentralised(Decentralised),
    /// A link of the chain, in the linear topology.
    Linear(Linear),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// Will you commit this transaction?
    Prepare(Transaction),
    /// The answer; in the linear topology, that of all up to the sender.
    Vote(Transaction, Vote),
    /// The transaction commits.
    Commit(Transaction),
    /// The transaction aborts.
    Abort(Transaction),
    /// The decision is in my log.
    Ack(Transaction),
    /// I am uncertain: what has become of this transaction?
    Inquiry(Transaction),
}

/// What a process waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Timer {
    /// To be asked for its vote.
    Prepare(Transaction),
    /// The votes of others.
    Votes(Transaction),
    /// The decision, having voted Yes.
    Decision(Transaction),
    /// Acknowledgements.
    Acks(Transaction),
}

/// What a process writes into its log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    /// A coordinator that presumes commit is about to ask for votes.
    Collecting(Transaction),
    /// A voter is about to vote Yes.
    Prepared {
        transaction: Transaction,
        /// Whom to ask for the decision; everybody, if none.
        coordinator: Option<ProcessId>,
        /// Whether the transaction writes the item: the redo data.
        writes: bool,
    },
    /// A voter knows the decision.
    Decided(Transaction, Decision),
    /// The coordinator has decided.
    Decision {
        transaction: Transaction,
        decision: Decision,
        /// Who must acknowledge it.
        tell: ProcessSet,
    },
    /// Everybody has acknowledged.
    End(Transaction),
}

/// A part that a process plays: the events of [`Process`], but for the start.
trait Part {
    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<TwoPhaseCommit>);
    fn on_request(&mut self, request: Request, cx: &mut Cx<TwoPhaseCommit>);
    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<TwoPhaseCommit>);
    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<TwoPhaseCommit>);
}

impl TwoPhaseCommit {
    fn part(&mut self) -> &mut dyn Part {
        match self {
            Self::Coordinator(part) => part,
            Self::Participant(part) => part,
            Self::Decentralised(part) => part,
            Self::Linear(part) => part,
        }
    }
}

impl Process for TwoPhaseCommit {
    type Spec = AtomicCommit;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Record;

    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        self.part().on_recover(log, cx);
    }

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        self.part().on_request(request, cx);
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        self.part().on_message(from, msg, cx);
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<Self>) {
        self.part().on_timer(timer, cx);
    }
}

impl Msg {
    /// The message that tells of this decision.
    const fn decided(transaction: Transaction, decision: Decision) -> Self {
        match decision {
            Decision::Commit => Self::Commit(transaction),
            Decision::Abort => Self::Abort(transaction),
        }
    }
}

impl Protocol for TwoPhaseCommit {
    const NAME: &'static str = "two-phase-commit";
    const SUMMARY: &'static str = "atomic commitment: collect all votes, then tell the decision";
    const SOURCE: &'static str = "Gray 1978, Notes on data base operating systems; Bernstein, \
                                  Hadzilacos & Goodman 1987, chapter 7; Mohan, Lindsay & \
                                  Obermarck 1986";
    const ROLES: &'static [&'static str] = &[COORDINATOR, PARTICIPANT];
    const MUTANTS: &'static [Mutant] = mutants::ALL;

    type Params = Params;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_recovery(Bound::ANY_THAT_RECOVER).over(Links::FairLoss)
    }

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        params.validate(setting)
    }

    fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        match params.topology {
            Topology::Central if setting.has_role(me, COORDINATOR) => {
                Self::Coordinator(Coordinator::new(params, setting))
            }
            Topology::Central => Self::Participant(Participant::new(params)),
            Topology::Decentralised => Self::Decentralised(Decentralised::new(params, setting, me)),
            Topology::Linear => Self::Linear(Linear::new(params, setting, me)),
        }
    }

    fn claims(_: &Params, _: &Setting) -> Vec<PropertyId> {
        vec![ONE_COPY]
    }
}
