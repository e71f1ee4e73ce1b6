//! The mutants of chain replication.

use ftsim_core::Mutant;

use crate::spec::replication::PREFIX;
use crate::spec::service::properties::{ACKED_SURVIVES, EXACTLY_ONCE, LINEARIZABLE, LIVENESS};

pub(super) const READ_ANY: Mutant = Mutant::code(
    "read-any",
    "any server answers a read at once, also with what the tail has not applied",
    LINEARIZABLE,
);
pub(super) const NO_RESEND: Mutant = Mutant::code(
    "no-resend",
    "a server that gets another successor does not send it what it lacks",
    LIVENESS,
);
pub(super) const REPLY_FROM_HEAD: Mutant = Mutant::code(
    "reply-from-head",
    "the head replies to an update, before the others have applied it",
    ACKED_SURVIVES,
);
pub(super) const NO_DEDUP: Mutant = Mutant::code(
    "no-dedup",
    "the head executes a request again that a client has repeated",
    EXACTLY_ONCE,
);
pub(super) const NO_SEQUENCE: Mutant = Mutant::code(
    "no-sequence",
    "a server applies updates as they come, without looking at their sequence numbers",
    PREFIX,
);
const FALSE_SUSPICION: Mutant = Mutant::assumption(
    "false-suspicion",
    "has a detector that suspects a tail that is up and goes on answering",
    LINEARIZABLE,
    "detector.mistakes",
    None,
);

pub(super) const ALL: &[Mutant] =
    &[READ_ANY, NO_RESEND, REPLY_FROM_HEAD, NO_DEDUP, NO_SEQUENCE, FALSE_SUSPICION];
