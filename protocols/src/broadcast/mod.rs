//! Broadcast: from best effort to uniform agreement.

mod beb;
mod eager_rb;
mod lazy_rb;
mod uniform_rb;

pub use beb::Beb;
pub use eager_rb::EagerRb;
pub use lazy_rb::LazyRb;
pub use uniform_rb::{UniformRb, UniformRbParams, Variant};
