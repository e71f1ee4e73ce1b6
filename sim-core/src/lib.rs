//! The engine of ftsim: processes, links, clocks, disks and faults in virtual time.
//!
//! # The model in one page
//!
//! A [`Process`] is a deterministic state machine. Its handlers have no side effects: they list
//! effects on a [`Cx`], and the engine applies them in order once the handler has returned. A crash
//! can therefore land between any two effects: after the first send of a broadcast and before the
//! second, after `append` and before `sync`.
//!
//! A [`Runner`] puts n processes of one [`Protocol`] into an [`Experiment`]: links that delay, lose
//! and duplicate messages, clocks that drift, logs that lose unsynced records, a failure detector,
//! and a [`Plan`] of faults. It executes the earliest event, and continues until no event is left
//! or a limit is reached. The order of events is total and defined in [`engine::event`].
//!
//! A [`Spec`] is a problem, independent of any algorithm: requests, indications, clients, and named
//! properties. The properties observe every run, and each ends with a [`Verdict`].
//!
//! All randomness comes from one seed through named streams ([`rng`]); all times are integers. One
//! experiment with one seed gives one run, bit for bit, identified by its [`Digest`].
//!
//! # What this crate does not contain
//!
//! Protocols, files, TOML, terminals, threads, wall-clock time.
//!
//! # Reading order
//!
//! [`model`]: [`model::process`], [`model::effect`], [`model::spec`], [`model::property`],
//! [`model::protocol`]; then [`engine::event`], `engine::simulation`, [`Runner`].

pub mod adversary;
pub mod bench;
pub mod catalogue;
pub mod digest;
pub mod engine;
pub mod environment;
pub mod experiment;
pub mod explore;
pub mod fault;
pub mod id;
pub mod kind;
pub mod model;
pub mod outcome;
pub mod prelude;
mod process_set;
pub mod rng;
mod text;
pub mod time;

pub use bench::Bench;
pub use catalogue::Entry;
pub use digest::Digest;
pub use engine::beacon::Beacon;
pub use engine::runner::{RunRequest, Runner};
pub use environment::mask::Mask;
pub use experiment::{Experiment, Limits};
pub use fault::Plan;
pub use fault::random::{Profile, RandomFaults};
pub use id::{MessageId, ProcessId, PropertyId};
pub use model::act::Act;
pub use model::bound::Bound;
pub use model::data::{Data, Message, Never, Stored, Timer};
pub use model::effect::{Cx, Effect};
pub use model::layer::{Embedding, Part};
pub use model::mutant::{Mutant, MutantKind};
pub use model::process::{Indication, Process, Request};
pub use model::property::{
    DynProperty, End, EndCause, Judged, Observation, Observed, Property, PropertyEntry,
    PropertyKind, Standing, Verdict, Violation,
};
pub use model::protocol::{NoParams, Protocol, StateCorruption};
pub use model::setting::{Invalid, Setting};
pub use model::signature::Signed;
pub use model::spec::OperationName;
pub use model::spec::{Ask, Settings, Spec, Workload};
pub use model::system_model::{DetectorClass, FaultClass, Links, Model, Timing};
pub use outcome::dependability::Dependability;
pub use outcome::trace::Trace;
pub use outcome::{Outcome, Panicked, Statistics};
pub use process_set::ProcessSet;
pub use rng::Probability;
pub use time::{Duration, DurationRange, Instant};
