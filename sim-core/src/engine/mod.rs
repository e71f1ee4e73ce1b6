//! Executes runs: the queue, the world, the step loop.

pub(crate) mod beacon;
mod branch;
pub(crate) mod checker;
pub(crate) mod draws;
pub mod event;
pub(crate) mod heap;
pub mod panics;
pub(crate) mod runner;
pub(crate) mod simulation;
pub(crate) mod slab;
mod stall;
pub(crate) mod stepper;
pub(crate) mod timer;
pub(crate) mod wheel;
pub(crate) mod world;
