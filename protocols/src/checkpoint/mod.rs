//! Checkpointing: recording a global state, to observe it or to return to it.

mod chandy_lamport;
mod ckpt_blocking;

pub use chandy_lamport::{ChandyLamport, ChandyLamportParams, Variant};
pub use ckpt_blocking::{CkptBlocking, CkptBlockingParams};
