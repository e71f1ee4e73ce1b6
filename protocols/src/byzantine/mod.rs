//! Agreement among processes, some of which lie.

mod oral_messages;
mod phase_king;

pub use oral_messages::OralMessages;
pub use phase_king::PhaseKing;
