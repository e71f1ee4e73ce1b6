//! Checkpointing: a global state to look at, or to go back to.

mod chandy_lamport;
mod ckpt_blocking;

pub use chandy_lamport::{ChandyLamport, ChandyLamportParams, Variant};
pub use ckpt_blocking::{CkptBlocking, CkptBlockingParams};
