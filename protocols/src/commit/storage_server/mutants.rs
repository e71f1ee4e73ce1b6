//! Mutants.

use ftsim_core::Mutant;

use crate::spec::transactions::{DEADLOCK_FREE, NO_PHANTOM, ONE_COPY, RESOLUTION};

pub(super) const ALL: &[Mutant] = &[
    OPPOSITE_ORDER,
    NO_LOCKS,
    WRITE_ONE,
    EARLY_UNLOCK,
    NO_WAIT_NO_BACKOFF,
    NEW_TIMESTAMP_ON_RESTART,
    PROBE_AFTER_ABORT,
    VOLATILE_LOCKS,
];

pub(super) const OPPOSITE_ORDER: Mutant = Mutant::code(
    "opposite-order",
    "clients lock one by one, but each begins with its own server (ordered)",
    DEADLOCK_FREE,
);

pub(super) const NO_LOCKS: Mutant =
    Mutant::code("no-locks", "a server grants every lock at once", ONE_COPY);

pub(super) const WRITE_ONE: Mutant =
    Mutant::code("write-one", "a transaction writes one copy of an item, not all", ONE_COPY);

pub(super) const EARLY_UNLOCK: Mutant =
    Mutant::code("early-unlock", "a server releases the locks when it votes", ONE_COPY);

pub(super) const NO_WAIT_NO_BACKOFF: Mutant = Mutant::code(
    "no-wait-no-backoff",
    "a client that is refused begins again at once (no-wait)",
    RESOLUTION,
);

pub(super) const NEW_TIMESTAMP_ON_RESTART: Mutant = Mutant::code(
    "new-timestamp-on-restart",
    "a transaction that is restarted counts as a new one (wait-die)",
    RESOLUTION,
);

pub(super) const PROBE_AFTER_ABORT: Mutant = Mutant::code(
    "probe-after-abort",
    "a client believes a probe of an attempt that it has aborted since (detect)",
    NO_PHANTOM,
);

pub(super) const VOLATILE_LOCKS: Mutant = Mutant::code(
    "volatile-locks",
    "a server that recovers does not lock what is prepared",
    ONE_COPY,
);
