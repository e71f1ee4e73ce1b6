//! Mutants, all of the central topology.

use ftsim_core::Mutant;

use crate::spec::atomic_commit::{AGREEMENT, COMMIT_VALIDITY, ONE_COPY, TERMINATION};

pub(super) const ALL: &[Mutant] = &[
    VOTE_BEFORE_LOG,
    SEND_BEFORE_LOG,
    ABORT_ON_TIMEOUT,
    COMMIT_ON_TIMEOUT,
    ACK_BEFORE_FORCE,
    RELEASE_LOCKS_EARLY,
    IGNORE_NO,
    LEAVE_UNDECIDED,
    STOP_AT_TORN,
];

pub(super) const VOTE_BEFORE_LOG: Mutant = Mutant::code(
    "vote-before-log",
    "a participant votes Yes before its prepared record is durable",
    AGREEMENT,
);

pub(super) const SEND_BEFORE_LOG: Mutant = Mutant::code(
    "send-before-log",
    "the coordinator sends COMMIT before its commit record is durable",
    AGREEMENT,
);

pub(super) const ABORT_ON_TIMEOUT: Mutant = Mutant::code(
    "abort-on-timeout",
    "a participant that has voted Yes aborts when the decision is late",
    AGREEMENT,
);

pub(super) const COMMIT_ON_TIMEOUT: Mutant = Mutant::code(
    "commit-on-timeout",
    "a participant that has voted Yes commits when the decision is late",
    COMMIT_VALIDITY,
);

pub(super) const ACK_BEFORE_FORCE: Mutant = Mutant::code(
    "ack-before-force",
    "a participant acknowledges a decision before its record is durable",
    AGREEMENT,
);

pub(super) const RELEASE_LOCKS_EARLY: Mutant =
    Mutant::code("release-locks-early", "a participant releases its locks when it votes", ONE_COPY);

pub(super) const IGNORE_NO: Mutant =
    Mutant::code("ignore-no", "the coordinator counts a No as a Yes", COMMIT_VALIDITY);

pub(super) const LEAVE_UNDECIDED: Mutant = Mutant::code(
    "leave-undecided",
    "a coordinator that recovers never decides the transactions that it had begun",
    TERMINATION,
);

pub(super) const STOP_AT_TORN: Mutant = Mutant::code(
    "stop-at-torn",
    "a participant takes a torn record for the end of its log, and appends after it",
    AGREEMENT,
);
