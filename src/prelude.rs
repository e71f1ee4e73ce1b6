//! The imports for a crate with your own protocols: `use ftsim::prelude::*`.

pub use ftsim_core::prelude::*;

pub use crate::Catalogue;
