//! Two-phase commit: all processes vote, then all learn the decision.
//!
//! Source: Gray (1978); Skeen (1981); Bernstein, Hadzilacos and Goodman (1987), chapter 7; Mohan,
//! Lindsay and Obermarck (1986). Spec: [`AtomicCommit`], with one-copy serialisability. Model:
//! asynchronous; fair-loss links, which lose some messages, duplicate each a finite number of
//! times, and deliver a copy at any later time, even after its receiver has crashed and recovered;
//! any number of crashes with recovery from a log. Timeouts are needed only for progress.
//!
//! Each protocol is a file:
//!
//! - `central` (Gray): the participants send their votes to the coordinator, which decides;
//!   `presumption` describes presumed abort and presumed commit (Mohan et al.);
//! - `linear` (Gray): the votes go down a chain, the last process decides, and the decision comes
//!   back;
//! - `decentralised` (Skeen): every process sends its vote to all others and decides by itself;
//! - `cooperative`: the cooperative termination protocol (Bernstein et al.), by which uncertain
//!   processes of all three topologies ask for the decision.
//!
//! They share their messages, timers and records, below, and the `voter`: the item, its locks and
//! the state of each transaction at a process that votes. In the linear and decentralised
//! topologies the coordinator votes too: it votes Yes by beginning, and nothing is acknowledged.
//!
//! Why they work: to commit takes the Yes of every process, and a process that has voted Yes can
//! carry out either decision even after a crash. A transaction that is in no process's log has no
//! Yes, so it can be aborted.
//!
//! The literature's *subordinate*, *cohort* and *site* are our participants; a *VOTE-REQ* is
//! PREPARE; to *force* is to append and sync.

mod central;
mod cooperative;
mod decentralised;
mod linear;
mod mutants;
mod params;
mod presumption;
mod voter;

use ftsim_core::prelude::*;

use crate::spec::atomic_commit::{
    AtomicCommit, COORDINATOR, Decision, ONE_COPY, PARTICIPANT, Request, Transaction, Vote,
};
use central::{Coordinator, Participant};
use decentralised::Decentralised;
use linear::Linear;
use params::{Params, Topology};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A request for the receiver's vote.
    Prepare(Transaction),
    /// The sender's vote; in the linear topology, that of all processes up to the sender.
    Vote(Transaction, Vote),
    /// The transaction commits.
    Commit(Transaction),
    /// The transaction aborts.
    Abort(Transaction),
    /// The decision is in the sender's log.
    Ack(Transaction),
    /// The sender is uncertain, and asks for the decision.
    Inquiry(Transaction),
}

/// What a process waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Timer {
    /// A request for its vote.
    Prepare(Transaction),
    /// The votes of others.
    Votes(Transaction),
    /// The decision, having voted Yes.
    Decision(Transaction),
    /// Acknowledgements.
    Acks(Transaction),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    /// A coordinator that presumes commit is about to request votes.
    Collecting(Transaction),
    /// A process is about to vote Yes.
    Prepared {
        transaction: Transaction,
        /// The process to ask for the decision; all others, if none.
        coordinator: Option<ProcessId>,
        /// Whether the transaction writes the item: the redo data.
        writes: bool,
    },
    /// A process that voted knows the decision.
    Decided(Transaction, Decision),
    /// The coordinator has decided.
    Decision {
        transaction: Transaction,
        decision: Decision,
        /// The participants that must acknowledge the decision.
        tell: ProcessSet,
    },
    /// All participants have acknowledged the decision.
    End(Transaction),
}

/// A process of two-phase commit: its role follows from the topology.
#[derive(Clone, Debug, Hash)]
pub enum TwoPhaseCommit {
    /// The coordinator of the central topology.
    Coordinator(Coordinator),
    /// A participant of the central topology.
    Participant(Participant),
    /// A process of the decentralised topology.
    Decentralised(Decentralised),
    /// A process of the linear topology.
    Linear(Linear),
}

type Context<'a> = Cx<'a, TwoPhaseCommit>;

/// A role of a process: the events of [`Process`], except for the start.
trait Role {
    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Context);
    fn on_request(&mut self, request: Request, cx: &mut Context);
    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context);
    fn on_timer(&mut self, timer: Timer, cx: &mut Context);
}

impl Process for TwoPhaseCommit {
    type Spec = AtomicCommit;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Record;

    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        self.role().on_recover(log, cx);
    }

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        self.role().on_request(request, cx);
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        self.role().on_message(from, msg, cx);
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<Self>) {
        self.role().on_timer(timer, cx);
    }
}

impl TwoPhaseCommit {
    fn role(&mut self) -> &mut dyn Role {
        match self {
            Self::Coordinator(role) => role,
            Self::Participant(role) => role,
            Self::Decentralised(role) => role,
            Self::Linear(role) => role,
        }
    }
}

impl Msg {
    /// The message that carries this decision.
    const fn decided(transaction: Transaction, decision: Decision) -> Self {
        match decision {
            Decision::Commit => Self::Commit(transaction),
            Decision::Abort => Self::Abort(transaction),
        }
    }
}

impl Protocol for TwoPhaseCommit {
    const NAME: &'static str = "two-phase-commit";
    const SUMMARY: &'static str = "atomic commitment: collect all votes, then send the decision";
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
