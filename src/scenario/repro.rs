//! What a repro says of the run that it stands for.

use super::marks::Marks;

/// The run that a repro stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repro {
    /// Its seed.
    pub seed: u64,
    /// Its digest.
    pub digest: String,
    /// The version of ftsim that executed it.
    pub engine: String,
    /// What tells where a run that is not the same begins to differ.
    pub marks: Option<Marks>,
}
