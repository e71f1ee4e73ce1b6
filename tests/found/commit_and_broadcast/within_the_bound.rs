//! The mutant `half` of `uniform-rb` was shown with as many faulty processes as the correct
//! protocol does not bear either, and was correct within the bound. A mutant of the code is shown
//! with no more faulty processes than the protocol bears; a scenario beyond says so in its summary.

use std::collections::BTreeSet;

use ftsim::Catalogue;
use ftsim::scenario::Scenario;
use ftsim_core::{MutantKind, Outcome, ProcessId, Verdict};

use crate::shipped;

/// Seeds of a scenario that are looked at.
const SEED_COUNT_MAX: usize = 40;

/// Who was faulty in a run, as the class of faults defines it.
fn faulty(scenario: &Scenario, outcome: &Outcome) -> BTreeSet<ProcessId> {
    let fired =
        outcome.plan.faults.iter().enumerate().filter(|(i, _)| !outcome.unfired.contains(i));
    let model = &scenario.resolved.model;
    fired.filter_map(|(_, fault)| fault.action.makes_faulty(model)).collect()
}

/// The sets of faulty processes of the runs in which a scenario shows its mutant; `None` if its
/// mutant is none of the code.
fn faulty_where_shown(scenario: &Scenario) -> Option<Vec<BTreeSet<ProcessId>>> {
    let mutant = scenario.experiment.setting.mutant?;
    if mutant.kind != MutantKind::Code {
        return None;
    }
    let mut runner = scenario.prepare().expect("a scenario that was accepted");
    let shows = |outcome: &Outcome| {
        let of_mutant = outcome.judged.iter().find(|judged| judged.id == mutant.violates);
        of_mutant.is_some_and(|judged| matches!(judged.verdict, Verdict::Violated(_)))
    };
    let seeds = scenario.seeds.clone().take(SEED_COUNT_MAX);
    let outcomes = seeds.map(|seed| runner.run(seed)).filter(shows);
    Some(outcomes.map(|outcome| faulty(scenario, &outcome)).collect())
}

#[test]
fn every_mutant_of_the_code_is_shown_within_the_bound() {
    let mut wrong = Vec::new();
    let mut shown = BTreeSet::new();
    for (name, scenario) in shipped::scenarios() {
        let Some(mutant) = scenario.experiment.setting.mutant else { continue };
        let Some(faulty) = faulty_where_shown(&scenario) else { continue };
        let bound = scenario.resolved.model.bound;
        let admits = |faulty: &BTreeSet<ProcessId>| {
            bound.admits(&scenario.experiment.setting, faulty.iter().copied())
        };
        let is_within = faulty.iter().all(admits);
        if is_within && !faulty.is_empty() {
            shown.insert((scenario.entry.name, mutant.name));
        }
        let summary = scenario.summary.clone().unwrap_or_default();
        if is_within == summary.contains("beyond") {
            let worst = faulty.iter().find(|faulty| !admits(faulty));
            wrong.push(format!("{name}: {worst:?} are faulty beyond {bound}, or not: {summary}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for entry in Catalogue::builtin().entries() {
        for mutant in entry.mutants.iter().filter(|mutant| mutant.kind == MutantKind::Code) {
            let is_shown = shown.contains(&(entry.name, mutant.name));
            assert!(is_shown, "no scenario shows {}/{} within the bound", entry.name, mutant.name);
        }
    }
}
