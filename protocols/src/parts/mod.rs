//! Parts that several protocols are made of.

pub mod rounds;
pub mod votes;
