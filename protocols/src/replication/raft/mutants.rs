//! The mutants of Raft.

use ftsim_core::Mutant;

use crate::spec::replicated_log::{
    ELECTION_SAFETY, LEADER_COMPLETENESS, LOG_MATCHING, STATE_MACHINE_SAFETY,
};
use crate::spec::service::properties::{LINEARIZABLE, LIVENESS};

pub(super) const VOLATILE_VOTE: Mutant =
    Mutant::code("volatile-vote", "a server forgets in a crash whom it voted for", ELECTION_SAFETY);
pub(super) const NO_LOG_CHECK: Mutant = Mutant::code(
    "no-log-check",
    "a server votes for any candidate, also for one that lacks entries of its log",
    LEADER_COMPLETENESS,
);
pub(super) const COMMIT_OLD_TERM: Mutant = Mutant::code(
    "commit-old-term",
    "a leader commits entries of earlier terms as soon as a majority has them",
    STATE_MACHINE_SAFETY,
);
pub(super) const NO_PREV_CHECK: Mutant = Mutant::code(
    "no-prev-check",
    "a follower appends entries without looking at the one before them",
    LOG_MATCHING,
);
pub(super) const TRUNCATE_ALWAYS: Mutant = Mutant::code(
    "truncate-always",
    "a follower cuts its log where the new entries begin, also if they are old ones",
    LEADER_COMPLETENESS,
);
pub(super) const FIXED_TIMEOUT: Mutant = Mutant::code(
    "fixed-timeout",
    "all election timeouts are the minimum, so that votes are split again and again",
    LIVENESS,
);
pub(super) const LOCAL_READ: Mutant = Mutant::code(
    "local-read",
    "a leader answers reads at once, without making sure that it still leads",
    LINEARIZABLE,
);

pub(super) const TWO_CHANGES_AT_ONCE: Mutant = Mutant::code(
    "two-changes-at-once",
    "a leader begins a change of the servers before the one before it is committed",
    ELECTION_SAFETY,
);
pub(super) const CHANGE_BEFORE_BLANK: Mutant = Mutant::code(
    "change-before-blank",
    "a leader begins a change of the servers before an entry of its term is committed",
    LEADER_COMPLETENESS,
);
pub(super) const NEW_MAJORITY_ONLY: Mutant = Mutant::code(
    "new-majority-only",
    "in a joint configuration the majority of the new servers decides alone",
    ELECTION_SAFETY,
);

pub(super) const ALL: &[Mutant] = &[
    VOLATILE_VOTE,
    NO_LOG_CHECK,
    COMMIT_OLD_TERM,
    NO_PREV_CHECK,
    TRUNCATE_ALWAYS,
    FIXED_TIMEOUT,
    LOCAL_READ,
    TWO_CHANGES_AT_ONCE,
    CHANGE_BEFORE_BLANK,
    NEW_MAJORITY_ONLY,
];
