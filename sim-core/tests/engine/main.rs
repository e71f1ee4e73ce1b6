//! The engine does what its documentation says, event by event.

mod bench;
mod byzantine;
mod catalogue;
mod clocks;
mod conditions;
mod crash;
mod decisions;
mod dependability;
mod fates;
mod layers;
mod limits;
mod links;
mod liveness;
mod mistakes;
mod model;
mod operations;
mod random;
mod runs;
mod scripted;
mod signatures;
mod stepping;
mod tampering;
mod transport;
mod waiting;
mod words;
mod worlds;
