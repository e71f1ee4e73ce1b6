//! Broadcast: from best effort to uniform agreement, and in the order of senders and causes.

mod beb;
mod causal_broadcast;
mod eager_rb;
mod fifo_broadcast;
mod lazy_rb;
mod uniform_rb;

pub use beb::Beb;
pub use causal_broadcast::{CausalBroadcast, Mode as CausalMode};
pub use eager_rb::EagerRb;
pub use fifo_broadcast::FifoBroadcast;
pub use lazy_rb::LazyRb;
pub use uniform_rb::{UniformRb, UniformRbParams, Variant};
