//! What executes runs: the queue, the world, the step loop.

pub(crate) mod beacon;
pub(crate) mod checker;
pub mod event;
pub(crate) mod heap;
pub mod panics;
pub(crate) mod simulation;
pub(crate) mod slab;
pub(crate) mod timer;
pub(crate) mod world;
