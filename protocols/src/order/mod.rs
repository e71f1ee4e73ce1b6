//! Total order: all processes deliver the same messages in the same order.

mod lamport_tom;
mod lamport_tom_ft;
mod skeen_tom;

pub use lamport_tom::LamportTom;
pub use lamport_tom_ft::LamportTomFt;
pub use skeen_tom::SkeenTom;
