//! Order: logical clocks, and total order, where all processes deliver the same messages in one
//! sequence.

pub(crate) mod any_order;
mod lamport_clock;
mod lamport_tom;
pub(crate) mod lamport_tom_ft;
mod skeen_tom;
pub(crate) mod tob_consensus;
pub(crate) mod tob_sequencer;
mod vector_clock;

pub use lamport_clock::LamportClock;
pub use lamport_tom::LamportTom;
pub use lamport_tom_ft::LamportTomFt;
pub use skeen_tom::SkeenTom;
pub use tob_consensus::TobConsensus;
pub use tob_sequencer::TobSequencer;
pub use vector_clock::VectorClock;
