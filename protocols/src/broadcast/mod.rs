//! Broadcast: from best effort to uniform agreement, and in the order of senders and causes;
//! gossip, which reaches almost all.

mod beb;
mod causal_broadcast;
mod eager_rb;
mod fifo_broadcast;
mod gossip;
mod lazy_rb;
mod uniform_rb;

pub use beb::Beb;
pub use causal_broadcast::{CausalBroadcast, Mode as CausalMode};
pub use eager_rb::EagerRb;
pub use fifo_broadcast::FifoBroadcast;
pub use gossip::{Gossip, GossipParams, Mode as GossipMode, Stop as GossipStop};
pub use lazy_rb::LazyRb;
pub use uniform_rb::{UniformRb, UniformRbParams, Variant};
