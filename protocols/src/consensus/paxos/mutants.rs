//! The mutants of Paxos.

use ftsim_core::prelude::*;

use crate::spec::ballots::{CHOSEN_STABLE, PROMISE};
use crate::spec::consensus::{TERMINATION, UNIFORM_AGREEMENT};

pub(super) const FORGET_PROMISE: Mutant =
    Mutant::code("forget-promise", "an acceptor forgets in a crash what it has promised", PROMISE);
pub(super) const FORGET_ACCEPTED: Mutant = Mutant::code(
    "forget-accepted",
    "an acceptor forgets in a crash what it has accepted",
    UNIFORM_AGREEMENT,
);
pub(super) const OWN_VALUE: Mutant = Mutant::code(
    "own-value",
    "a proposer proposes its own value, whatever acceptors report",
    CHOSEN_STABLE,
);
pub(super) const ANY_REPORTED_VALUE: Mutant = Mutant::code(
    "any-reported-value",
    "of the reported proposals a proposer takes one with a lower ballot",
    CHOSEN_STABLE,
);
pub(super) const HALF_QUORUM: Mutant =
    Mutant::code("half-quorum", "half of the acceptors are enough", UNIFORM_AGREEMENT);
pub(super) const DUPLICATE_BALLOTS: Mutant = Mutant::code(
    "duplicate-ballots",
    "a ballot is only a round, so that two proposers can have the same",
    UNIFORM_AGREEMENT,
);
pub(super) const MIXED_BALLOT_LEARNER: Mutant = Mutant::code(
    "mixed-ballot-learner",
    "a learner counts acceptances of one value, also if their ballots differ",
    UNIFORM_AGREEMENT,
);
pub(super) const DUELLING_PROPOSERS: Mutant = Mutant::code(
    "duelling-proposers",
    "a proposer that abandons its proposal issues the next at once",
    TERMINATION,
);

pub(super) const ALL: &[Mutant] = &[
    FORGET_PROMISE,
    FORGET_ACCEPTED,
    OWN_VALUE,
    ANY_REPORTED_VALUE,
    HALF_QUORUM,
    DUPLICATE_BALLOTS,
    MIXED_BALLOT_LEARNER,
    DUELLING_PROPOSERS,
];
