//! What is known of a protocol before it runs: its model, its parameters, its mutants.

use std::ops::Range;

use crate::adversary::CustomAdversary;
use crate::id::ProcessId;
use crate::process::Process;
use crate::process_set::ProcessSet;
use crate::property::PropertyId;
use crate::rng::Rng;
use crate::spec::Settings;
use crate::time::Duration;

/// A protocol: a process, and what the catalogue says of it.
pub trait Protocol: Process {
    /// Its name in scenarios, kebab-case.
    const NAME: &'static str;
    /// One sentence for `ftsim list`.
    const SUMMARY: &'static str;
    /// What it assumes of the world.
    const MODEL: Model;
    /// The roles of its processes, in the order of their ids.
    const ROLES: &'static [&'static str] = &["process"];
    /// Its deliberately broken variants.
    const MUTANTS: &'static [Mutant] = &[];
    /// Adversaries that know it, for scenarios beside the generic ones.
    const ADVERSARIES: &'static [CustomAdversary<Self::Msg>] = &[];

    /// How its state can be corrupted, if it says so: to any state that a bit flip may leave. The
    /// handlers must bear it.
    const STATE_CORRUPTION: Option<StateCorruption<Self>> = None;

    /// Its parameters with their defaults.
    type Params: Settings;

    /// What it assumes of the world with these parameters, which may be invalid.
    fn model(_params: &Self::Params, _setting: &Setting) -> Model {
        Self::MODEL
    }

    /// Refuses parameters that cannot be.
    ///
    /// # Errors
    /// Names the key and says what is wrong with it.
    fn validate(_params: &Self::Params, _setting: &Setting) -> Result<(), Invalid> {
        Ok(())
    }

    /// The process `me` before it has started.
    fn new(params: &Self::Params, setting: &Setting, me: ProcessId) -> Self;

    /// Whether it makes progress if these processes are well and no other is: a majority of them,
    /// unless it says otherwise.
    fn can_progress(_params: &Self::Params, setting: &Setting, well: &ProcessSet) -> bool {
        2 * well.len() > setting.n as usize
    }

    /// The properties it promises beyond the core of its spec.
    fn claims(_params: &Self::Params, _setting: &Setting) -> Vec<PropertyId> {
        Vec::new()
    }
}

/// Changes the state of a process in one way of many.
pub type StateCorruption<P> = fn(&mut P, &Setting, &mut Rng);

/// The world that a protocol is correct in.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    /// What it knows of time.
    pub timing: Timing,
    /// How processes may fail.
    pub faults: FaultClass,
    /// How many may, as the literature writes it: `f < n/2`.
    pub bound: &'static str,
    /// What links must guarantee.
    pub links: Links,
    /// The failure detector that it needs.
    pub detector: DetectorClass,
    /// Where it comes from: author and year, comma, title.
    pub literature: &'static str,
}

/// Timing models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// Delays have a known bound.
    Synchronous,
    /// They have from some unknown time on.
    PartiallySynchronous,
    /// They have none.
    Asynchronous,
}

/// Classes of process fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultClass {
    /// Processes do not fail.
    None,
    /// A process stops for good. Correct: never crashes in this run.
    CrashStop,
    /// A process may start again from its stable log. Correct: up at the end of the run.
    CrashRecovery,
    /// A process may do anything. Correct: never given to the adversary.
    Byzantine,
}

/// What links guarantee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// Messages may be lost, but not all of those sent again and again, and doubled, but each
    /// finitely often (Basu, Charron-Bost and Toueg 1996).
    FairLoss,
    /// Between correct processes every message arrives once.
    Reliable,
    /// And in the order of sending.
    ReliableFifo,
}

/// Classes of failure detector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DetectorClass {
    /// None is needed.
    None,
    /// P: suspects every crashed process in the end, and no other ever.
    Perfect,
}

/// A deliberately broken variant, and the property that it must violate.
#[derive(Clone, Copy, Debug)]
pub struct Mutant {
    /// Its name in scenarios, kebab-case.
    pub name: &'static str,
    /// What is changed.
    pub changes: &'static str,
    /// The property that falls.
    pub violates: PropertyId,
    /// Whether the code changes or the world.
    pub kind: MutantKind,
}

/// What a mutant changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MutantKind {
    /// The protocol's code; the correct one must survive the very same scenario.
    Code,
    /// The world: the correct code runs outside its model. The scenario says how under `key`;
    /// written as `restored` (or left out, if `None`), the assumption holds again and so must the
    /// property.
    Assumption {
        /// The dotted path of the scenario's key.
        key: &'static str,
        /// Its value in TOML when the assumption holds.
        restored: Option<&'static str>,
    },
}

impl Mutant {
    /// A mutant of the code.
    pub const fn code(name: &'static str, changes: &'static str, violates: PropertyId) -> Self {
        Self { name, changes, violates, kind: MutantKind::Code }
    }

    /// A mutant of the world, made and unmade by one key of the scenario.
    pub const fn assumption(
        name: &'static str,
        changes: &'static str,
        violates: PropertyId,
        key: &'static str,
        restored: Option<&'static str>,
    ) -> Self {
        Self { name, changes, violates, kind: MutantKind::Assumption { key, restored } }
    }
}

/// What every process of a run knows from the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The number of processes.
    pub n: u32,
    /// How many processes have each role, in the order of their ids; adds up to `n`.
    pub roles: Vec<(String, u32)>,
    /// The mutant that is run, if one is.
    pub mutant: Option<String>,
    /// δ: no message between correct processes takes longer, once the network is stable.
    pub delay_bound: Duration,
}

impl Setting {
    /// `n` processes with one role and the default delay bound of 10 ms.
    pub fn of(n: u32) -> Self {
        Self {
            n,
            roles: vec![("process".into(), n)],
            mutant: None,
            delay_bound: Duration::from_millis(10),
        }
    }

    /// All processes.
    pub fn processes(
        &self,
    ) -> impl DoubleEndedIterator<Item = ProcessId> + ExactSizeIterator + use<> {
        (0..self.n).map(ProcessId)
    }

    /// The processes with this role; none if there is no such role.
    pub fn role(
        &self,
        name: &str,
    ) -> impl DoubleEndedIterator<Item = ProcessId> + ExactSizeIterator + use<> {
        self.role_range(name).map(ProcessId)
    }

    /// Whether `p` has this role.
    pub fn has_role(&self, p: ProcessId, name: &str) -> bool {
        self.role_range(name).contains(&p.0)
    }

    /// Whether this mutant is run.
    pub fn is_mutant(&self, name: &str) -> bool {
        self.mutant.as_deref() == Some(name)
    }

    fn role_range(&self, name: &str) -> Range<u32> {
        let mut first = 0;
        for (role, count) in &self.roles {
            if role == name {
                return first..first + count;
            }
            first += count;
        }
        0..0
    }
}

/// A setting that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The key, relative to its section; one that begins with `processes` is of the scenario.
    pub key: String,
    /// What is wrong with its value.
    pub message: String,
}

impl Invalid {
    /// The value under `key` is wrong, for the reason given.
    pub fn new(key: &str, message: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into() }
    }

    /// The number of processes that have this role is wrong, for the reason given.
    pub fn role(role: &str, message: impl Into<String>) -> Self {
        Self::new(&format!("processes.{role}"), message)
    }

    /// The same with its key in the scenario, where its own is relative to this section.
    pub(crate) fn within(self, section: &str) -> Self {
        if self.key.starts_with("processes.") {
            return self;
        }
        Self { key: format!("{section}.{}", self.key), ..self }
    }
}
