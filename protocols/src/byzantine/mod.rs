//! Agreement among processes, some of which lie.

mod bracha_rb;
mod byzantine_ben_or;
mod consistent_broadcast;
mod dolev_strong;
mod oral_messages;
mod pbft;
mod phase_king;

pub use bracha_rb::BrachaRb;
pub use byzantine_ben_or::ByzantineBenOr;
pub use consistent_broadcast::ConsistentBroadcast;
pub use dolev_strong::DolevStrong;
pub use oral_messages::OralMessages;
pub use pbft::Pbft;
pub use phase_king::PhaseKing;
