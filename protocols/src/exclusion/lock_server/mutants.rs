//! Mutants: broken variants, and broken assumptions.

use ftsim_core::Mutant;

use crate::spec::mutual_exclusion::{EXCLUSION, FENCED, PROGRESS, TICKET_ORDER};

pub(super) const ALL: &[Mutant] = &[
    REPLY_THEN_PERSIST,
    NO_RESEND,
    NO_TICKET,
    NO_WINDOW,
    SHORT_DEADLINE,
    NO_DEADLINE,
    CONNECTION_IDENTITY,
    GRANT_TO_DEAD,
    FALSE_SUSPICION,
    NO_FENCING_CHECK,
    FORGETFUL_RESOURCE,
];

pub(super) const REPLY_THEN_PERSIST: Mutant = Mutant::code(
    "reply-then-persist",
    "tells clients of a change before it is on disk, and trusts the disk after a crash",
    EXCLUSION,
);

pub(super) const NO_RESEND: Mutant = Mutant::code(
    "no-resend",
    "trusts the disk after a crash, without asking the clients what they know",
    PROGRESS,
);

const NO_TICKET: Mutant = Mutant::assumption(
    "no-ticket",
    "is expected to keep the order of requests, although it forgets it and clients do not tell",
    TICKET_ORDER,
    "params.ticket_hint",
    Some("true"),
);

pub(super) const NO_WINDOW: Mutant = Mutant::code(
    "no-window",
    "grants the lock to the first client that it hears after a crash",
    EXCLUSION,
);

pub(super) const SHORT_DEADLINE: Mutant = Mutant::code(
    "short-deadline",
    "listens for a quarter of the time that clients may need to reconnect",
    EXCLUSION,
);

pub(super) const NO_DEADLINE: Mutant = Mutant::code(
    "no-deadline",
    "listens after a crash until it has heard every client, dead or not",
    PROGRESS,
);

pub(super) const CONNECTION_IDENTITY: Mutant = Mutant::code(
    "connection-identity",
    "knows an owner by its connection, and takes it for a stranger after a crash",
    PROGRESS,
);

pub(super) const GRANT_TO_DEAD: Mutant =
    Mutant::code("grant-to-dead", "leaves clients that have crashed in the queue", PROGRESS);

const FALSE_SUSPICION: Mutant = Mutant::assumption(
    "false-suspicion",
    "takes the silence of an owner that only hangs for a crash",
    EXCLUSION,
    "fault",
    None,
);

pub(super) const NO_FENCING_CHECK: Mutant = Mutant::code(
    "no-fencing-check",
    "the resource applies writes without looking at their tokens",
    FENCED,
);

pub(super) const FORGETFUL_RESOURCE: Mutant = Mutant::code(
    "forgetful-resource",
    "the resource forgets in a crash which tokens it has seen",
    FENCED,
);
