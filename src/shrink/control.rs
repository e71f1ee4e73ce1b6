//! Controls: a smaller case must fail for the same reason as the original run, not because
//! something that the protocol needs was removed.
//!
//! Some controls hold for most runs: without any fault the property is not violated; with the
//! correct protocol in place of a mutant it is not violated; no more processes are faulty than the
//! protocol tolerates. Those that hold for the original run must hold for every case derived from
//! it.

use std::collections::BTreeSet;

use ftsim_core::catalogue::Entry;
use ftsim_core::environment::message_rule::Fate;
use ftsim_core::environment::network::DropReason;
use ftsim_core::{MutantKind, ProcessId};
use toml::{Table, Value};

use super::case::Case;
use crate::run::necessity::set;
use crate::scenario::Scenario;

/// The controls that hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Controls {
    /// Without faults and mutant, the property is not violated.
    pub without_faults: bool,
    /// Without the mutant, the property is not violated.
    pub without_mutant: bool,
    /// No more processes are faulty than the protocol claims to tolerate.
    pub within_bound: bool,
}

/// The case with the correct protocol, under its assumptions. `None` if the case has no mutant.
pub fn without_mutant(case: &Case, entry: &Entry) -> Option<Case> {
    let name = case.get("params", "mutant")?.as_str()?.to_owned();
    let mutant = entry.mutants.iter().find(|mutant| mutant.name == name)?;
    let mut case = case.without("params", "mutant")?;
    if let MutantKind::Assumption { key, restored } = mutant.kind {
        let restored = restored.and_then(|text| {
            let table: Table = toml::from_str(&format!("value = {text}")).ok()?;
            table.get("value").cloned()
        });
        let mut root = Value::Table(case.table);
        set(&mut root, key, restored.as_ref());
        case.table = root.as_table().cloned().unwrap_or_default();
    }
    Some(case)
}

/// Whether the case has a mutant that breaks an assumption and does not change the code.
pub fn is_assumption(case: &Case, entry: &Entry) -> bool {
    let name = case.get("params", "mutant").and_then(Value::as_str);
    let mutant = entry.mutants.iter().find(|mutant| Some(mutant.name) == name);
    mutant.is_some_and(|mutant| matches!(mutant.kind, MutantKind::Assumption { .. }))
}

/// The case without its mutant and without the faults and messages that are written out.
pub fn without_faults(case: &Case, entry: &Entry) -> Case {
    let mut well = without_mutant(case, entry).unwrap_or_else(|| case.clone());
    well = well.with_list("fault", &[]).with_messages(&[]);
    for key in ["mistakes", "blind"] {
        well = well.without("detector", key).unwrap_or(well);
    }
    well
}

/// Whether only messages of Byzantine processes are written out with changed content: lies of a
/// Byzantine process must not become faults of the network.
pub fn only_liars_lie(case: &Case) -> bool {
    let faults = case.list("fault");
    let liars: Vec<&str> = faults.iter().filter_map(|f| f.get("byzantine")?.as_str()).collect();
    let mut changed = case.messages.iter().filter(|rule| rule.fate.changed().is_some());
    changed.all(|rule| liars.contains(&rule.from.to_string().as_str()))
}

/// Whether messages are written out as omitted only if a fault makes the process omit: omissions of
/// a faulty process must not become faults of the network.
pub fn only_omitters_omit(case: &Case) -> bool {
    let faults = case.list("fault");
    let omits = |key: &str, process: ProcessId| {
        let omitters = faults.iter().filter_map(|fault| fault.get(key)?.get("process")?.as_str());
        omitters.into_iter().any(|omitter| omitter == process.to_string())
    };
    case.messages.iter().all(|rule| match rule.fate {
        Fate::Drop(DropReason::SendOmission) => omits("send_omission", rule.from),
        Fate::Drop(DropReason::ReceiveOmission) => omits("receive_omission", rule.to),
        _ => true,
    })
}

/// Whether no more processes are faulty than the protocol tolerates with its parameters.
pub fn is_within_bound(scenario: &Scenario) -> bool {
    let model = &scenario.resolved.model;
    let faults = &scenario.experiment.plan.faults;
    let faulty: BTreeSet<ProcessId> =
        faults.iter().filter_map(|fault| fault.action.makes_faulty(model)).collect();
    model.bound.admits(&scenario.experiment.setting, faulty.into_iter())
}
