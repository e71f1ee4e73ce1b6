//! Links: what networks do not give, made of timeouts, acknowledgements and numbers.

mod fifo_link;
mod reliable_link;
#[cfg(test)]
mod reliable_link_tests;

pub use fifo_link::{FifoLink, FifoLinkParams, Late};
pub use reliable_link::{Backoff, DedupStorage, ReliableLink, ReliableLinkParams, Semantics};
