//! The imports of a protocol or spec file: `use ftsim_core::prelude::*`.

pub use schemars::JsonSchema;
pub use serde::{Deserialize, Serialize};

pub use crate::{
    Ask, End, Observation, Observed, OperationName, Property, PropertyEntry, Spec, Violation,
    Workload,
};
pub use crate::{
    Bound, Cx, DetectorClass, Duration, Instant, Invalid, Links, Model, Mutant, Never, NoParams,
    Process, ProcessId, ProcessSet, PropertyId, Protocol, Setting, Signed, StateCorruption, Stored,
    Timing,
};
