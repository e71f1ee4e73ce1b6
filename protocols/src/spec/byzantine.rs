//! Agreement among processes some of which lie: two problems.
//!
//! In the Byzantine generals problem one commander gives an order to lieutenants; in Byzantine
//! agreement every process proposes a value. With a correct majority each can be solved by the
//! other. What a Byzantine process announces binds nobody: properties speak of the correct ones.

mod agreement;
mod generals;

pub use agreement::{BYZ_AGREEMENT, BYZ_VALIDITY, ByzantineAgreement};
pub use generals::{ByzantineGenerals, COMMANDER, GeneralsWorkload, IC1, IC2, Indication, Request};
