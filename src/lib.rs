//! The command line of ftsim, as a library: bring your own protocols and get all of it.
pub use ftsim_protocols::Catalogue;
