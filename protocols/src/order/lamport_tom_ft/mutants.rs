//! The mutants.

use ftsim_core::Mutant;

use crate::spec::broadcast::{AGREEMENT, PREFIX, TOTAL_ORDER, VALIDITY};

pub(super) const ALL: &[Mutant] =
    &[WAIT_FOR_DEAD, NO_REPAIR, FETCH_ONLY, REJOIN_NO_STATE, REJOIN_UNORDERED];

pub(super) const WAIT_FOR_DEAD: Mutant = Mutant::code(
    "wait-for-dead",
    "waits for the acknowledgements of suspected processes too",
    VALIDITY,
);
pub(super) const NO_REPAIR: Mutant = Mutant::code(
    "no-repair",
    "leaves the messages of a suspected process to those who have them",
    AGREEMENT,
);
const FETCH_ONLY: Mutant = Mutant::assumption(
    "fetch-only",
    "is expected to keep the order, although messages of the crashed are only fetched",
    TOTAL_ORDER,
    "params.repair",
    Some(r#""flush""#),
);

pub(super) const REJOIN_NO_STATE: Mutant = Mutant::code(
    "rejoin-no-state",
    "gives a newcomer what is queued, and not what has been delivered",
    PREFIX,
);
pub(super) const REJOIN_UNORDERED: Mutant = Mutant::code(
    "rejoin-unordered",
    "lets a newcomer join when its joining arrives, not when it is delivered",
    AGREEMENT,
);
