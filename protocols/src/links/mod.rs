//! Links: guarantees that networks lack, built from timeouts, acknowledgements and sequence
//! numbers.

mod fifo_link;
mod reliable_link;

pub use fifo_link::{FifoLink, FifoLinkParams, Late};
pub use reliable_link::{Backoff, DedupStorage, ReliableLink, ReliableLinkParams, Semantics};
