//! A problem, [`mutual_exclusion`], and a protocol that solves it, [`token_ring`].

pub mod mutual_exclusion;
pub mod token_ring;

use ftsim::Catalogue;

/// The protocols of the command line: this crate's own, and those of ftsim.
pub fn catalogue() -> Catalogue {
    Catalogue::builtin().with::<token_ring::TokenRing>()
}
