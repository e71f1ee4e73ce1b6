//! Checkpointing: recording a global state, to observe it or to return to it.

mod chandy_lamport;
mod cic;
mod ckpt_blocking;
mod koo_toueg;
mod uncoordinated_ckpt;

pub use chandy_lamport::{ChandyLamport, ChandyLamportParams, Variant};
pub use cic::{Cic, CicParams};
pub use ckpt_blocking::{CkptBlocking, CkptBlockingParams};
pub use koo_toueg::{KooToueg, KooTouegParams};
pub use uncoordinated_ckpt::{Take, UncoordinatedCkpt, UncoordinatedCkptParams};
