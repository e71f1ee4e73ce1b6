//! Mutants.

use ftsim_core::Mutant;

use crate::spec::replication::SAFETY;
use crate::spec::service::properties::{LINEARIZABLE, LIVENESS};

const N_3F: Mutant = Mutant::assumption(
    "n-3f",
    "has 3f replicas, f = 1: two quorums share only the liar",
    SAFETY,
    "processes.server",
    Some("4"),
);
pub(super) const QUORUM_2F: Mutant =
    Mutant::code("quorum-2f", "takes 2f replicas for a quorum", SAFETY);
pub(super) const NO_COMMIT_PHASE: Mutant =
    Mutant::code("no-commit-phase", "executes a request as soon as it is prepared", SAFETY);
pub(super) const VIEW_CHANGE_NO_CERT: Mutant = Mutant::code(
    "view-change-no-cert",
    "says nothing of what is prepared when it changes views",
    SAFETY,
);
pub(super) const ONE_REPLY: Mutant =
    Mutant::code("one-reply", "a client believes the first reply", LINEARIZABLE);
pub(super) const NO_VIEW_CHANGE: Mutant =
    Mutant::code("no-view-change", "waits for its primary for ever", LIVENESS);

pub(super) const ALL: &[Mutant] =
    &[N_3F, QUORUM_2F, NO_COMMIT_PHASE, VIEW_CHANGE_NO_CERT, ONE_REPLY, NO_VIEW_CHANGE];
