//! Parts that several protocols are made of.

pub mod account;
pub mod coterie;
pub mod logical_clock;
pub mod machine;
pub mod rounds;
pub mod sample;
pub mod votes;
