//! What is known of a protocol before it runs: its model, its parameters, its mutants.

use crate::id::ProcessId;
use crate::model::adversary::CustomAdversary;
use crate::model::process::Process;
use crate::model::property::PropertyId;
use crate::model::setting::{Invalid, Setting};
use crate::model::spec::Settings;
use crate::model::system_model::Model;
use crate::process_set::ProcessSet;
use crate::rng::Rng;

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
