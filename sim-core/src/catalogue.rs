//! Type-erased protocols, as a catalogue holds them.

use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::engine::runner::Runner;
use crate::engine::simulation::{read_message, read_request};
use crate::experiment::Experiment;
use crate::id::PropertyId;
use crate::model::adversary::CustomAdversary;
use crate::model::mutant::Mutant;
use crate::model::property::{PropertyKind, Standing};
use crate::model::protocol::Protocol;
use crate::model::setting::{Invalid, Setting};
use crate::model::spec::Spec;
use crate::model::system_model::{FaultClass, Model};

/// A protocol of the catalogue.
#[derive(Clone)]
pub struct Entry {
    /// Its name in scenarios.
    pub name: &'static str,
    /// A description, in one sentence.
    pub summary: &'static str,
    /// The problem it solves.
    pub spec: &'static str,
    /// The classes of faults that the problem is stated for.
    pub spec_faults: &'static [FaultClass],
    /// The greatest number of processes that a run can have.
    pub process_count_max: u32,
    /// Its source: author and year, comma, title.
    pub source: &'static str,
    /// The model in which it is correct, with default parameters.
    pub model: Model,
    /// The properties that it claims beyond the core of its spec, with default parameters.
    pub claims: fn() -> Vec<PropertyId>,
    /// The roles of its processes.
    pub roles: &'static [&'static str],
    /// Its mutants.
    pub mutants: &'static [Mutant],
    /// Whether it defines a corruption of its state.
    pub has_corruptible_state: bool,
    /// Whether its processes announce that they lead.
    pub has_leader: bool,
    /// Its own adversaries.
    pub adversaries: Vec<AdversaryInfo>,
    /// The properties of its spec.
    pub properties: Vec<PropertyInfo>,
    /// The schema of `[params]`.
    pub params_schema: fn() -> Schema,
    /// The schema of `[workload]`.
    pub workload_schema: fn() -> Schema,
    /// Checks whether this is the JSON of a message of the protocol; if not, returns the reason.
    pub read_message: fn(&Value) -> Result<(), String>,
    /// Checks whether this is the JSON of a request of its problem; if not, returns the reason.
    pub read_request: fn(&Value) -> Result<(), String>,
    model_with: fn(&Value, &Setting) -> Model,
    resolve: fn(RawSettings<'_>) -> Result<ResolvedSettings, Invalid>,
    prepare: fn(Experiment, RawSettings<'_>) -> Result<Runner, Invalid>,
}

/// The static description of a protocol's own adversary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdversaryInfo {
    /// Its name in scenarios.
    pub name: &'static str,
    /// Its way of lying.
    pub summary: &'static str,
}

/// The static description of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PropertyInfo {
    /// Its name.
    pub id: PropertyId,
    /// Safety or liveness.
    pub kind: PropertyKind,
    /// Core or claim.
    pub standing: Standing,
    /// Its requirement.
    pub text: &'static str,
}

/// A scenario's own settings for protocol and workload, as objects; empty for all defaults.
#[derive(Clone, Copy, Debug)]
pub struct RawSettings<'a> {
    /// `[params]`.
    pub params: &'a Value,
    /// `[workload]`.
    pub workload: &'a Value,
    /// Processes and roles.
    pub setting: &'a Setting,
}

/// Settings with all defaults filled in, and the claims that follow.
#[derive(Clone, Debug)]
pub struct ResolvedSettings {
    /// `[params]`, complete.
    pub params: Value,
    /// `[workload]`, complete.
    pub workload: Value,
    /// The properties that the protocol claims beyond the core of its spec.
    pub claims: Vec<PropertyId>,
    /// The model of the protocol with these parameters.
    pub model: Model,
}

impl Entry {
    /// The entry of `P`.
    pub fn of<P: Protocol>() -> Self {
        let info = |e: &crate::model::property::PropertyEntry<P::Spec>| PropertyInfo {
            id: e.id,
            kind: e.kind,
            standing: e.standing,
            text: e.text,
        };
        let adversary = |custom: &CustomAdversary<P::Msg>| AdversaryInfo {
            name: custom.name,
            summary: custom.summary,
        };
        let (params, setting) = (P::Params::default(), Setting::with_roles(P::ROLES, 1));
        Self {
            name: P::NAME,
            summary: P::SUMMARY,
            spec: P::Spec::NAME,
            spec_faults: P::Spec::FAULTS,
            process_count_max: P::Spec::PROCESS_COUNT_MAX,
            source: P::SOURCE,
            model: P::model(&params, &setting),
            claims: || P::claims(&P::Params::default(), &Setting::with_roles(P::ROLES, 1)),
            roles: P::ROLES,
            mutants: P::MUTANTS,
            has_leader: P::Spec::HAS_LEADER,
            has_corruptible_state: P::STATE_CORRUPTION.is_some(),
            adversaries: P::ADVERSARIES.iter().map(adversary).collect(),
            properties: P::Spec::PROPERTIES.iter().map(info).collect(),
            params_schema: || schema_for!(P::Params),
            workload_schema: || schema_for!(<P::Spec as Spec>::WorkloadSettings),
            read_message: read_message::<P>,
            read_request: read_request::<P>,
            model_with: model::<P>,
            resolve: resolve::<P>,
            prepare: prepare::<P>,
        }
    }

    /// The model of the protocol with these parameters; with the defaults, if they are invalid.
    pub fn model_with(&self, params: &Value, setting: &Setting) -> Model {
        (self.model_with)(params, setting)
    }

    /// Fills in the defaults.
    ///
    /// # Errors
    /// If a setting is unknown or invalid; the key begins with `params` or `workload`.
    pub fn resolve(&self, settling: RawSettings<'_>) -> Result<ResolvedSettings, Invalid> {
        (self.resolve)(settling)
    }

    /// Creates a runner for the protocol in an experiment.
    ///
    /// # Errors
    /// Like [`Entry::resolve`].
    pub fn prepare(
        &self,
        experiment: Experiment,
        params: &Value,
        workload: &Value,
    ) -> Result<Runner, Invalid> {
        let setting = experiment.setting.clone();
        (self.prepare)(experiment, RawSettings { params, workload, setting: &setting })
    }
}

/// The section of a protocol's parameters.
const PARAMS: &str = "params";

type Parsed<P> = (
    <P as Protocol>::Params,
    <<P as crate::model::process::Process>::Spec as Spec>::WorkloadSettings,
);

fn parse<P: Protocol>(settling: RawSettings<'_>) -> Result<Parsed<P>, Invalid> {
    Ok((read(PARAMS, settling.params)?, read("workload", settling.workload)?))
}

fn resolve<P: Protocol>(settling: RawSettings<'_>) -> Result<ResolvedSettings, Invalid> {
    let (params, workload) = parse::<P>(settling)?;
    P::validate(&params, settling.setting).map_err(|e| e.within("params"))?;
    P::Spec::workload(&workload, settling.setting).map_err(|e| e.within("workload"))?;
    let claims = P::claims(&params, settling.setting);
    let model = P::model(&params, settling.setting);
    Ok(ResolvedSettings { params: write(&params), workload: write(&workload), claims, model })
}

fn model<P: Protocol>(params: &Value, setting: &Setting) -> Model {
    P::model(&read(PARAMS, params).unwrap_or_default(), setting)
}

fn prepare<P: Protocol>(
    experiment: Experiment,
    settling: RawSettings<'_>,
) -> Result<Runner, Invalid> {
    let (params, workload) = parse::<P>(settling)?;
    Runner::new::<P>(experiment, params, &workload)
}

fn read<T: DeserializeOwned + JsonSchema>(section: &str, value: &Value) -> Result<T, Invalid> {
    serde_path_to_error::deserialize(value).map_err(|e| {
        let path = e.path().to_string();
        let key = if path == "." { section.to_owned() } else { format!("{section}.{path}") };
        Invalid { key, message: e.inner().to_string() }
    })
}

fn write<T: Serialize>(settings: &T) -> Value {
    serde_json::to_value(settings).unwrap_or(Value::Null)
}
