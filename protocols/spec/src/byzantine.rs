//! Agreement among processes, some of which lie: two problems.
//!
//! In the Byzantine generals problem one commander gives an order to lieutenants; in Byzantine
//! agreement every process proposes a value. With a correct majority each can be solved by means of
//! the other. The announcements of a Byzantine process do not count: properties concern only
//! correct processes.

mod agreement;
mod generals;

pub use agreement::{BYZ_AGREEMENT, BYZ_VALIDITY, ByzantineAgreement};
pub use generals::{ByzantineGenerals, COMMANDER, GeneralsWorkload, IC1, IC2, Indication, Request};
