//! Histories from outside: what clients of some service asked and were answered, as a file.
//!
//! The file is Jepsen's EDN or JSON with the same fields, an entry for each invocation and each
//! response ([docs/linearizability.md]). From the bottom up: [`edn`] and [`jsonl`] read entries,
//! [`operations`] pairs them, [`judge`] gives them to the checker.
//!
//! [docs/linearizability.md]: https://docs.rs/crate/ftsim/latest/source/docs/linearizability.md

pub(crate) mod edn;
pub(crate) mod entry;
pub(crate) mod jsonl;
pub(crate) mod judge;
pub(crate) mod operations;
