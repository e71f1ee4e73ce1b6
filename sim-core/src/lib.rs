//! The engine of ftsim: processes, links, clocks, disks and faults in virtual time.
//!
//! # The model in one page
//!
//! A [`Process`] is a deterministic state machine. Its handlers do nothing themselves: they list
//! effects on a [`Cx`], and the engine applies them in order once the handler has returned. A crash
//! can therefore land between any two effects: after the first send of a broadcast and before the
//! second, after `append` and before `sync`.
//!
//! A [`Simulation`] puts n processes of one [`Protocol`] into an [`Experiment`]: links that delay,
//! lose and duplicate, clocks that drift, logs that forget what was not synced, a failure detector,
//! and a [`Plan`] of faults. It takes the earliest event, executes it, and goes on until nothing is
//! left, or a limit comes. The order of events is total and written down in [`event`].
//!
//! A [`Spec`] is a problem apart from any algorithm: requests, indications, clients, and named
//! properties. The properties watch every run and end with a [`Verdict`] each.
//!
//! All randomness comes from one seed through named streams ([`rng`]); all times are integers. One
//! experiment with one seed is one run, bit for bit, and its [`Digest`] says so.
//!
//! # What this crate does not know
//!
//! No protocol, no file, no TOML, no terminal, no thread, no wall clock.
//!
//! # Reading order
//!
//! [`process`], [`effect`], [`spec`], [`property`], [`protocol`]; then [`event`], `simulation`.

pub mod adversary;
mod beacon;
pub mod catalogue;
mod checker;
pub mod choice;
pub mod clock;
pub mod condition;
mod conditions;
pub mod decisions;
pub mod delay;
pub mod dependability;
pub mod detector;
pub mod digest;
pub mod effect;
pub mod event;
pub mod experiment;
pub mod fault;
mod heap;
pub mod history;
pub mod id;
pub mod kind;
pub mod liveness;
mod mask;
pub mod message_override;
pub mod network;
pub mod outcome;
pub mod panics;
pub mod process;
mod process_set;
pub mod property;
pub mod protocol;
pub mod random;
pub mod request_override;
pub mod rng;
mod shown;
pub mod signature;
mod simulation;
mod slab;
pub mod spec;
pub mod storage;
pub mod tape;
mod text;
pub mod time;
mod timer;
pub mod trace;
pub mod transport;
mod world;

pub use beacon::Beacon;
pub use catalogue::{Entry, Runner};
pub use dependability::Dependability;
pub use digest::Digest;
pub use effect::{Cx, Effect, Part};
pub use experiment::{Experiment, Limits};
pub use fault::Plan;
pub use history::OperationName;
pub use id::{MessageId, ProcessId};
pub use mask::Mask;
pub use outcome::{Outcome, Panicked, Statistics};
pub use process::{Data, Indication, Message, Never, Process, Request, Stored, Timer};
pub use process_set::ProcessSet;
pub use property::{
    DynProperty, End, EndCause, Judged, Kind, Observed, Property, PropertyEntry, PropertyId,
    Standing, Verdict, Violation, What,
};
pub use protocol::{
    DetectorClass, FaultClass, Invalid, Links, Model, Mutant, MutantKind, Protocol, Setting,
    StateCorruption, Timing,
};
pub use random::{Profile, RandomFaults};
pub use rng::Probability;
pub use signature::Signed;
pub use simulation::Simulation;
pub use spec::{Ask, Settings, Spec, Workload};
pub use time::{Duration, DurationRange, Instant};
pub use trace::Trace;
