//! Mutants.

use ftsim_core::Mutant;

use crate::spec::replication::PREFIX;

pub(super) const SKIP_GAP: Mutant = Mutant::code(
    "skip-gap",
    "a leader passes over a place of which nobody reports anything, and fills it with nothing",
    PREFIX,
);
pub(super) const OWN_COMMANDS: Mutant = Mutant::code(
    "own-commands",
    "a leader begins with its own commands, whatever the promises report",
    PREFIX,
);
pub(super) const VOLATILE_PROMISE: Mutant =
    Mutant::code("volatile-promise", "an acceptor does not log what it promises", PREFIX);
pub(super) const EARLY_EXECUTION: Mutant = Mutant::code(
    "early-execution",
    "a server executes what it has accepted, before it is chosen",
    PREFIX,
);

pub(super) const ALL: &[Mutant] = &[SKIP_GAP, OWN_COMMANDS, VOLATILE_PROMISE, EARLY_EXECUTION];
