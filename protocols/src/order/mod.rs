//! Total order: all processes deliver the same messages in the same order.

mod lamport_tom;
mod skeen_tom;

pub use lamport_tom::LamportTom;
pub use skeen_tom::SkeenTom;
