//! The tools, each put to work on a [`Machine`](crate::machine::Machine).

pub mod abstract_commit;
pub mod classes;
pub mod ftsim;
pub mod stateright;
pub mod traceforge;

use std::time::Duration;

use crate::judge::Property;
use crate::machine::Setup;

/// What to search.
#[derive(Clone, Debug)]
pub struct Task {
    /// The size.
    pub setup: Setup,
    /// What must hold.
    pub property: Property,
    /// How many threads to use.
    pub threads: u32,
    /// After how much time on processors to give up.
    pub limit: Duration,
}
