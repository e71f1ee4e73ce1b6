//! The mutants of group membership.

use ftsim_core::Mutant;

use crate::spec::membership::{ACCURACY, COMPLETENESS, ONE_PRIMARY_VIEW, VIABLE, VIEW_AGREEMENT};

pub(super) const NO_MAJORITY: Mutant = Mutant::code(
    "no-majority",
    "agrees with those that it does not suspect, and serves without asking, although suspicions \
     may be wrong",
    ONE_PRIMARY_VIEW,
);
pub(super) const FORGET: Mutant = Mutant::code(
    "new-coordinator-forgets",
    "takes over without asking what the former coordinator has proposed",
    VIEW_AGREEMENT,
);
pub(super) const UNORDERED: Mutant = Mutant::code(
    "unordered-broadcast",
    "applies changes in the order in which they come",
    VIEW_AGREEMENT,
);
pub(super) const IGNORE_MIN_SIZE: Mutant =
    Mutant::code("ignore-min-size", "serves however few members there are", VIABLE);
pub(super) const NO_RELAY: Mutant = Mutant::code(
    "no-relay",
    "does not send a view on if the process that committed it has crashed",
    COMPLETENESS,
);
pub(super) const IMPERFECT_FD: Mutant = Mutant::assumption(
    "imperfect-fd",
    "leaves out members that are wrongly suspected",
    ACCURACY,
    "detector.mistakes",
    None,
);

pub(super) const ALL: &[Mutant] =
    &[NO_MAJORITY, FORGET, UNORDERED, IGNORE_MIN_SIZE, NO_RELAY, IMPERFECT_FD];
