//! Agreement among processes, some of which lie: four problems.
//!
//! In the Byzantine generals problem one commander gives an order to lieutenants; in Byzantine
//! agreement every process proposes a value. With a correct majority each can be solved by means of
//! the other. In Byzantine broadcast nobody waits for a sender that says nothing, so that it can be
//! solved without any bound on delays. A Byzantine service agrees on one request after another. The
//! announcements of a Byzantine process do not count: properties concern only correct processes.

mod agreement;
mod broadcast;
mod generals;
mod service;

pub use agreement::{BYZ_AGREEMENT, BYZ_VALIDITY, ByzantineAgreement};
pub use broadcast::{
    Broadcasters, ByzantineBroadcast, ByzantineBroadcastWorkload, CONSISTENCY, Content,
    Indication as BroadcastIndication, Request as BroadcastRequest, TOTALITY,
};
pub use generals::{ByzantineGenerals, COMMANDER, GeneralsWorkload, IC1, IC2, Indication, Request};
pub use service::{ByzantineService, Call, Fact as ServiceFact, Place, View};
