//! Mutants: broken variants, and broken assumptions.

use ftsim_core::Mutant;

use crate::spec::primary_backup::{IDLE_BACKUP, ONE_DESTINATION, ONE_PRIMARY};
use crate::spec::service::properties::{ACKED_SURVIVES, EXACTLY_ONCE};

pub(super) const ALL: &[Mutant] = &[
    TIMEOUT_NO_QUORUM,
    SLOW_PRIMARY,
    ASYNC_ACK,
    RANK_NOT_LATEST,
    TWO_SUCCESSORS,
    BUSY_BACKUP,
    ASKS_ALL,
    FORGET_REPLIES,
];

pub(super) const TIMEOUT_NO_QUORUM: Mutant = Mutant::assumption(
    "timeout-no-quorum",
    "takes silence for a crash while the network is cut, without asking a majority",
    ONE_PRIMARY,
    "fault",
    None,
);

pub(super) const SLOW_PRIMARY: Mutant = Mutant::assumption(
    "slow-primary",
    "takes silence for a crash while the primary only hangs",
    ONE_PRIMARY,
    "fault",
    None,
);

pub(super) const ASYNC_ACK: Mutant = Mutant::assumption(
    "async-ack",
    "replies before any backup has the update",
    ACKED_SURVIVES,
    "params.ack_wait",
    Some("\"all\""),
);

pub(super) const RANK_NOT_LATEST: Mutant = Mutant::assumption(
    "rank-not-latest",
    "waits for one backup, and the next in rank takes over with its own state",
    ACKED_SURVIVES,
    "params.succession",
    Some("\"most-advanced\""),
);

pub(super) const TWO_SUCCESSORS: Mutant = Mutant::code(
    "two-successors",
    "every server that gives the primary up takes over, next in rank or not",
    ONE_PRIMARY,
);

pub(super) const BUSY_BACKUP: Mutant =
    Mutant::code("busy-backup", "a backup executes the requests that reach it", IDLE_BACKUP);

pub(super) const ASKS_ALL: Mutant =
    Mutant::code("asks-all", "a client sends its request to all servers at once", ONE_DESTINATION);

pub(super) const FORGET_REPLIES: Mutant = Mutant::code(
    "forget-replies",
    "a successor loses the replies, and executes a repeated request again",
    EXACTLY_ONCE,
);
