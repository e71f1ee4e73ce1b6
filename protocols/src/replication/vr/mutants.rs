//! Mutants.

use ftsim_core::Mutant;

use crate::spec::replication::PREFIX;

pub(super) const LONGEST_LOG: Mutant = Mutant::code(
    "longest-log",
    "a new primary takes the longest log, whatever view it is of",
    PREFIX,
);
pub(super) const EARLY_COMMIT: Mutant =
    Mutant::code("early-commit", "a primary commits a command before any backup has it", PREFIX);
pub(super) const NO_RECOVERY: Mutant = Mutant::code(
    "no-recovery",
    "a replica that has forgotten its state takes part at once",
    PREFIX,
);

pub(super) const FORGOTTEN_VIEW: Mutant = Mutant::code(
    "forgotten-view",
    "a replica without a disk forgets which view it has helped to begin, as in the paper of 2012",
    PREFIX,
);

pub(super) const ALL: &[Mutant] = &[LONGEST_LOG, EARLY_COMMIT, NO_RECOVERY, FORGOTTEN_VIEW];
