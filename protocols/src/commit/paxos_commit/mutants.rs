//! The mutants of Paxos commit.

use ftsim_core::Mutant;

use crate::spec::atomic_commit::{AGREEMENT, COMMIT_VALIDITY};

pub(super) const ALL: &[Mutant] =
    &[TOO_FEW_ACCEPTORS, PRESUME_PREPARED, IGNORE_REPORTS, ANSWER_BEFORE_LOG, PROPOSE_BEFORE_LOG];

pub(super) const TOO_FEW_ACCEPTORS: Mutant = Mutant::code(
    "too-few-acceptors",
    "a leader takes what F acceptors have accepted for chosen",
    AGREEMENT,
);

pub(super) const PRESUME_PREPARED: Mutant = Mutant::code(
    "presume-prepared",
    "a leader proposes Prepared for a participant that has not been heard",
    COMMIT_VALIDITY,
);

pub(super) const IGNORE_REPORTS: Mutant = Mutant::code(
    "ignore-reports",
    "a leader proposes Aborted in every instance, whatever acceptors report",
    AGREEMENT,
);

pub(super) const ANSWER_BEFORE_LOG: Mutant = Mutant::code(
    "answer-before-log",
    "an acceptor sends PHASE-2B before what it has accepted is durable",
    AGREEMENT,
);

pub(super) const PROPOSE_BEFORE_LOG: Mutant = Mutant::code(
    "propose-before-log",
    "a participant proposes Prepared before its prepared record is durable",
    AGREEMENT,
);
