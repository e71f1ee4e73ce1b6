//! Broadcast: from best effort to uniform agreement.

mod beb;
mod eager_rb;

pub use beb::Beb;
pub use eager_rb::EagerRb;
