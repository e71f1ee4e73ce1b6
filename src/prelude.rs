//! What the files of a crate of one's own import: `use ftsim::prelude::*`.

pub use ftsim_core::prelude::*;

pub use crate::Catalogue;
