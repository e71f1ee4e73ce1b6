//! The mutants of three-phase commit.

use ftsim_core::Mutant;

use crate::spec::atomic_commit::AGREEMENT;

pub(super) const ALL: &[Mutant] = &[PARTITION, FALSE_TIMEOUT, NO_REACK, QUORUMS_APART];

const PARTITION: Mutant = Mutant::assumption(
    "partition",
    "takes the silence of those beyond a cut for their crash",
    AGREEMENT,
    "fault",
    None,
);

const FALSE_TIMEOUT: Mutant = Mutant::assumption(
    "false-timeout",
    "takes the silence of those behind a slow link for their crash",
    AGREEMENT,
    "network.link",
    None,
);

pub(super) const NO_REACK: Mutant = Mutant::code(
    "no-reack",
    "who takes over commits at once if a site has pre-committed, while others still wait",
    AGREEMENT,
);

pub(super) const QUORUMS_APART: Mutant = Mutant::code(
    "quorums-apart",
    "a quorum to abort is smaller by one, so that it need not meet a quorum to commit",
    AGREEMENT,
);
