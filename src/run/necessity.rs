//! The elements that a violation needs: removes each fault alone and runs the scenario again.

use std::sync::Arc;

use ftsim_core::environment::detector::Mistake;
use ftsim_core::fault::{Plan, Trigger};
use ftsim_core::{MutantKind, Outcome, RunRequest, Verdict};
use ftsim_protocols::Catalogue;
use toml::{Table, Value};

use crate::run::failure::{FailureId, failure};
use crate::run::{InternalError, guarded, prepare};
use crate::scenario::PANICKED;
use crate::scenario::Scenario;

/// The removal of one element, and its effect on the violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ablation {
    /// A description of the removed element.
    pub without: String,
    /// The effect on the property.
    pub instead: AblationResult,
}

/// The effect of a removal on a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AblationResult {
    /// The same violation.
    Same,
    /// Another violation of the same property: its message.
    Otherwise(String),
    /// No violation: the verdict instead, and the other properties that were violated.
    Gone(String),
}

/// The elements that a violation needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The removal of each fault that struck, alone.
    pub faults: Vec<Ablation>,
    /// The removal of all these faults, if there are several.
    pub all_faults: Option<AblationResult>,
    /// The faults whose trigger never occurred.
    pub unfired: Vec<String>,
    /// The removal of each override, alone.
    pub overrides: Vec<Ablation>,
    /// The removal of each wrong suspicion that the scenario prescribes, alone.
    pub mistakes: Vec<Ablation>,
    /// The removal of the mutant.
    pub mutant: Option<Ablation>,
}

impl FailureId {
    /// The effect seen in another run.
    fn instead(&self, outcome: &Outcome) -> AblationResult {
        match failure(outcome, self.property) {
            None => AblationResult::Gone(self.verdict(outcome)),
            Some(failure) if failure.id == *self => AblationResult::Same,
            Some(failure) => AblationResult::Otherwise(failure.message),
        }
    }

    /// The verdict on a property that is not violated, and the other violated properties.
    fn verdict(&self, outcome: &Outcome) -> String {
        let judged = outcome.judged.iter().find(|judged| judged.id.0 == self.property);
        let own = match judged.map(|judged| &judged.verdict) {
            Some(Verdict::Held) => "held".to_owned(),
            Some(Verdict::HeldVacuously) => {
                "held vacuously: its premise never came true".to_owned()
            }
            Some(Verdict::Undecided(reason)) => format!("undecided: {reason}"),
            Some(Verdict::Violated(_)) => "violated".to_owned(),
            None if self.property == PANICKED => "no panic".to_owned(),
            None => "the protocol does not claim the property, so it is not checked".to_owned(),
        };
        let others = outcome.judged.iter().filter(|judged| {
            judged.id.0 != self.property && matches!(judged.verdict, Verdict::Violated(_))
        });
        let others: Vec<&str> = others.map(|judged| judged.id.0).collect();
        match others.as_slice() {
            [] => own,
            others => format!("{own}, but {} is violated", others.join(", ")),
        }
    }
}

/// Removes from a run, one by one, the elements that could have caused the violation.
///
/// # Errors
/// If ftsim itself fails.
pub fn needs(
    scenario: &Scenario,
    outcome: &Outcome,
    sought: &FailureId,
) -> Result<Needs, InternalError> {
    let seed = outcome.seed;
    let plan = &outcome.plan;
    let again = |plan: Plan| {
        let outcome = guarded(scenario, seed, || {
            Ok(prepare(scenario, seed)?.run(RunRequest::under(seed, plan)))
        });
        outcome.map(|outcome| sought.instead(&outcome))
    };
    let mut needs = Needs::default();
    for (index, fault) in plan.faults.iter().enumerate() {
        if fault.trigger == Trigger::Never {
            continue;
        }
        if outcome.unfired.contains(&index) {
            needs.unfired.push(fault.to_string());
            continue;
        }
        let mut without = Plan::clone(plan);
        without.faults.remove(index);
        let instead = again(without)?;
        needs.faults.push(Ablation { without: format!("fault {fault}"), instead });
    }
    if needs.faults.len() > 1 {
        needs.all_faults = Some(again(Plan::default())?);
    }
    let experiment = &scenario.experiment;
    for (index, rule) in experiment.overrides.iter().enumerate() {
        if !outcome.unused.contains(&index) {
            let mut without = experiment.clone();
            without.overrides.remove(index);
            let instead = sought.in_world(scenario, without, outcome)?;
            needs.overrides.push(Ablation { without: format!("message {rule}"), instead });
        }
    }
    for (index, mistake) in experiment.detector.mistakes.iter().enumerate() {
        let mut without = experiment.clone();
        without.detector.mistakes.remove(index);
        let instead = sought.in_world(scenario, without, outcome)?;
        let Mistake { observer, suspects, at, .. } = mistake;
        let without = format!("detector at {at}: {observer} wrongly suspects {suspects}");
        needs.mistakes.push(Ablation { without, instead });
    }
    needs.mutant = without_mutant(scenario, outcome, sought)?;
    Ok(needs)
}

impl FailureId {
    /// The effect of other settings, with the same seed and the same plan.
    fn in_world(
        &self,
        scenario: &Scenario,
        world: ftsim_core::Experiment,
        outcome: &Outcome,
    ) -> Result<AblationResult, InternalError> {
        let (seed, plan) = (outcome.seed, Arc::clone(&outcome.plan));
        let outcome = guarded(scenario, seed, || {
            let runner = scenario.entry.prepare(world, &scenario.params, &scenario.workload);
            let mut runner = runner.map_err(|error| InternalError {
                path: scenario.path.clone(),
                seed,
                message: format!("{}: {}", error.key, error.message),
            })?;
            Ok(runner.run(RunRequest::under(seed, plan)))
        })?;
        Ok(self.instead(&outcome))
    }
}

/// The effect of removing the mutant. A code mutant is switched off; a mutant that breaks an
/// assumption is removed by restoring the assumption.
fn without_mutant(
    scenario: &Scenario,
    outcome: &Outcome,
    sought: &FailureId,
) -> Result<Option<Ablation>, InternalError> {
    let Some(mutant) = scenario.experiment.setting.mutant else { return Ok(None) };
    let catalogue = Catalogue::from(scenario.entry.clone());
    let without = format!("the mutant {}: {}", mutant.name, mutant.changes);
    let instead = match mutant.kind {
        MutantKind::Code => {
            let mut world = scenario.experiment.clone();
            world.setting.mutant = None;
            sought.in_world(scenario, world, outcome)?
        }
        MutantKind::Assumption { key, restored } => {
            let whole = restore(scenario, key, restored)
                .and_then(|text| Scenario::parse(&scenario.path, &text, &catalogue).ok());
            let Some(whole) = whole else { return Ok(None) };
            let seed = outcome.seed;
            // The faults themselves may break the assumption: draw the plan anew.
            let outcome = guarded(&whole, seed, || Ok(prepare(&whole, seed)?.run(seed)))?;
            sought.instead(&outcome)
        }
    };
    Ok(Some(Ablation { without, instead }))
}

/// The text of a scenario in which a key has another value, or is removed, and no mutant is named.
fn restore(scenario: &Scenario, key: &str, value: Option<&str>) -> Option<String> {
    let mut file: Table = scenario.text.parse().ok()?;
    file.remove("expect");
    file.get_mut("params")?.as_table_mut()?.remove("mutant");
    let value = match value {
        None => None,
        Some(value) => format!("value = {value}").parse::<Table>().ok()?.remove("value"),
    };
    let mut root = Value::Table(file);
    set(&mut root, key, value.as_ref());
    toml::to_string(&root).ok()
}

/// Sets or removes the value at a dotted path such as `fault[0].when`; in an array on the path
/// without an index, in every element.
pub fn set(value: &mut Value, path: &str, to: Option<&Value>) {
    if let Value::Array(items) = value {
        items.iter_mut().for_each(|item| set(item, path, to));
        return;
    }
    let Value::Table(table) = value else { return };
    let Some((first, rest)) = path.split_once('.') else {
        match to {
            Some(to) => drop(table.insert(path.to_owned(), to.clone())),
            None => drop(table.remove(path)),
        }
        return;
    };
    let (name, index) = match first.strip_suffix(']').and_then(|first| first.split_once('[')) {
        Some((name, index)) => (name, index.parse::<usize>().ok()),
        None => (first, None),
    };
    let inner = table.get_mut(name).and_then(|inner| match index {
        Some(index) => inner.get_mut(index),
        None => Some(inner),
    });
    if let Some(inner) = inner {
        set(inner, rest, to);
    }
}
