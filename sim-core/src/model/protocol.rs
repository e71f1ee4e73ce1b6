//! The static description of a protocol: its model, its parameters, its mutants.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{ProcessId, PropertyId};
use crate::model::adversary::CustomAdversary;
use crate::model::mutant::Mutant;
use crate::model::process::Process;
use crate::model::setting::{Invalid, Setting};
use crate::model::spec::Settings;
use crate::model::system_model::Model;
use crate::process_set::ProcessSet;
use crate::rng::Rng;

/// A protocol: a process, and its entry in the catalogue.
pub trait Protocol: Process {
    /// Its name in scenarios, kebab-case.
    const NAME: &'static str;
    /// One sentence for `ftsim list`.
    const SUMMARY: &'static str;
    /// Its source: author and year, comma, title.
    const SOURCE: &'static str;
    /// The roles of its processes, in the order of their ids.
    const ROLES: &'static [&'static str] = &["process"];
    /// Its deliberately broken variants.
    const MUTANTS: &'static [Mutant] = &[];
    /// Its own adversaries, in addition to the generic ones.
    const ADVERSARIES: &'static [CustomAdversary<Self::Msg>] = &[];

    /// The corruption of its state, if it supports one: any state that bit flips may produce. The
    /// handlers must tolerate it.
    const STATE_CORRUPTION: Option<StateCorruption<Self>> = None;

    /// Its parameters with their defaults.
    type Params: Settings;

    /// The model in which it is correct with these parameters, which may be invalid.
    fn model(params: &Self::Params, setting: &Setting) -> Model;

    /// Rejects invalid parameters.
    ///
    /// # Errors
    /// The key and what is wrong with it.
    fn validate(_params: &Self::Params, _setting: &Setting) -> Result<(), Invalid> {
        Ok(())
    }

    /// The process `me` before it has started.
    fn new(params: &Self::Params, setting: &Setting, me: ProcessId) -> Self;

    /// Whether it makes progress if exactly these processes are well. By default, whether its model
    /// tolerates that all others are faulty.
    fn can_progress(params: &Self::Params, setting: &Setting, well: &ProcessSet) -> bool {
        let bound = Self::model(params, setting).bound;
        bound.lets_progress(setting, |p| well.contains(p))
    }

    /// The properties it promises beyond the core of its spec.
    fn claims(_params: &Self::Params, _setting: &Setting) -> Vec<PropertyId> {
        Vec::new()
    }
}

/// The parameters of a protocol that has none.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NoParams {}

/// Corrupts the state of a process in a random way.
pub type StateCorruption<P> = fn(&mut P, &Setting, &mut Rng);
