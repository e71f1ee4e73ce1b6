//! The engine does what its documentation says, event by event.

mod byzantine;
mod conditions;
mod crash;
mod layers;
mod links;
mod random;
mod runs;
mod scripted;
mod waiting;
