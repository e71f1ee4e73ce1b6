//! Compares the results of a scenario's seeds with the expectation.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use ftsim_core::ProcessId;
use ftsim_core::environment::message_rule::MessageRule;
use ftsim_core::fault::{Action, Trigger};
use ftsim_reports::program;
use ftsim_reports::{
    Judgement, PropertyRow, ReachedRow, ScenarioReport, SeedRange, StatisticRow, Surprise,
    SurpriseKind, counted, shell_word,
};

use crate::cli::Exit;
use crate::run::sent::Sent;
use crate::scenario::Scenario;
use crate::sweep::statistic;
use crate::sweep::tally::{Example, PropertyTally, Tally};

/// The report of a scenario over these seeds.
pub fn report(scenario: &Scenario, seeds: SeedRange, tally: &Tally) -> ScenarioReport {
    let claims = scenario.expect.statistics.iter();
    let statistics: Vec<StatisticRow> =
        claims.map(|claim| statistic::judge(claim, tally)).collect();
    let surprises = surprises(scenario, seeds.from, tally, &statistics);
    let tally_of = |id| tally.properties.get(&id).cloned().unwrap_or_default();
    let row = |property: &ftsim_core::catalogue::PropertyInfo| {
        let PropertyTally { held, vacuous, violated, undecided, first_violated, .. } =
            tally_of(property.id);
        PropertyRow {
            name: property.id,
            kind: property.kind,
            held,
            vacuous,
            violated,
            undecided,
            first_violating_seed: first_violated.map(|example| example.seed),
            violation_expected: scenario.expect.tolerates(property.id.0),
            undecided_expected: scenario.expect.undecided.contains(&property.id),
        }
    };
    ScenarioReport {
        file: scenario.path.clone(),
        protocol: scenario.entry.name,
        mutant: scenario.experiment.setting.mutant.map(|mutant| mutant.name.to_owned()),
        seeds,
        crash_points: scenario.crash_points.map(|_| tally.seed_count),
        properties: scenario.checked.iter().map(row).collect(),
        reached: tally
            .reached
            .iter()
            .map(|(label, seeds)| ReachedRow { label: label.clone(), seeds: *seeds })
            .collect(),
        digest: tally.digest().to_string(),
        figures: Some(tally.figures.figures()),
        traffic: tally.traffic.summary(),
        statistics,
        regressions: Vec::new(),
        as_expected: surprises.is_empty(),
        surprises,
    }
}

/// The exit status for these reports.
pub(crate) fn exit(reports: &[&ScenarioReport]) -> Exit {
    let mut surprising = reports.iter().filter(|report| !report.as_expected).peekable();
    if surprising.peek().is_none() {
        Exit::Good
    } else if surprising.all(|report| report.is_only_undecided()) {
        Exit::Undecided
    } else {
        Exit::Unexpected
    }
}

/// The unexpected results. If no particular seed shows one, the first seed is named as an example.
fn surprises(
    scenario: &Scenario,
    first_seed: u64,
    tally: &Tally,
    statistics: &[StatisticRow],
) -> Vec<Surprise> {
    let mut surprises = Vec::new();
    let mut surprise = |kind, subject: &str, message: String, example: Option<&Example>| {
        let seed = example.map(|example| example.seed);
        let point = example.and_then(|example| example.crash_point);
        let shown = seed.unwrap_or(first_seed);
        let point = point.map(|point| format!(" --crash-point {point}")).unwrap_or_default();
        let file = shell_word(&scenario.path);
        let replay = format!("{} replay {file} --seed {shown}{point}", program());
        surprises.push(Surprise { kind, subject: subject.to_owned(), message, seed, replay });
    };
    let total = tally.seed_count;
    let runs = counted(total, if scenario.crash_points.is_some() { "crash point" } else { "seed" });
    if let Some(example @ Example { message, .. }) = &tally.first_panic {
        let message = format!("in {} of {runs}; {message}", tally.panicked);
        surprise(SurpriseKind::Panicked, "panicked", message, Some(example));
    }
    let none = PropertyTally::default();
    for property in &scenario.checked {
        let counts = tally.properties.get(&property.id).unwrap_or(&none);
        let name = property.id.0;
        let undecided_expected = scenario.expect.undecided.contains(&property.id);
        if undecided_expected && counts.first_undecided.is_none() {
            let message = format!("expected to be undecided, but was in none of {runs}");
            surprise(SurpriseKind::NotUndecided, name, message, None);
        }
        if scenario.expect.violated.contains(&property.id) {
            if counts.violated == 0 {
                let message = format!("expected to be violated, but was in none of {runs}");
                surprise(SurpriseKind::NotViolated, name, message, None);
            }
            continue;
        }
        if let Some(example @ Example { message, .. }) = &counts.first_violated
            && !scenario.expect.tolerates(name)
        {
            let message = format!("violated in {} of {runs}; {message}", counts.violated);
            surprise(SurpriseKind::Violated, name, message, Some(example));
        }
        if let Some(example @ Example { message, .. }) = &counts.first_undecided
            && !undecided_expected
        {
            let message = format!("undecided in {} of {runs}: {message}", counts.undecided);
            surprise(SurpriseKind::Undecided, name, message, Some(example));
        }
        let is_vacuous = scenario.expect.vacuous.contains(&property.id);
        let explained =
            counts.violated > 0 || counts.first_undecided.is_some() || undecided_expected;
        if is_vacuous && counts.held > 0 {
            let message = format!(
                "expected to be vacuous, but its premise came true in {} of {runs}",
                counts.held
            );
            surprise(SurpriseKind::Exercised, name, message, None);
        } else if !is_vacuous && counts.held == 0 && !explained {
            let message = format!(
                "its premise came true in none of {runs}; if it cannot, list it in \
                 expect.vacuous"
            );
            surprise(SurpriseKind::NotExercised, name, message, None);
        }
    }
    for row in statistics {
        let kind = match row.judgement {
            Judgement::Confirmed => continue,
            Judgement::Refuted => SurpriseKind::Refuted,
            Judgement::Open => SurpriseKind::Open,
        };
        let judged = if kind == SurpriseKind::Refuted { "refuted" } else { "open" };
        surprise(kind, &row.claim, format!("is {judged}: {row}"), None);
    }
    for label in &scenario.expect.reached {
        if !tally.reached.contains_key(label.as_str()) {
            let message = format!("expected to be reached, but was in none of {runs}");
            surprise(SurpriseKind::NotReached, label, message, None);
        }
    }
    // In a repro, the drawn faults are part of the file, and one run need not do what several do.
    if scenario.repro.is_some() {
        return surprises;
    }
    // If a kind is misspelt, the message lists the existing ones; the run for this list is executed
    // only if needed.
    let sent = OnceCell::new();
    let sends = |from: ProcessId, to: Option<ProcessId>| {
        let sent: &Option<Sent> = sent.get_or_init(|| Sent::of(scenario, first_seed));
        sent.as_ref().map(|sent| format!("; {}", sent.by(from, to))).unwrap_or_default()
    };
    // Faults of the file come first in every plan; faults drawn by a seed need not strike.
    let struck = |fault: &usize| total == 0 || tally.unfired.get(fault) != Some(&total);
    // A `[[fault]]` can denote several faults; those that never struck are reported together.
    let mut unfired: BTreeMap<usize, (Vec<String>, String)> = BTreeMap::new();
    for (fault, origin) in scenario.fault_origins.iter().enumerate() {
        let choices = &scenario.experiment.choices;
        let choice = choices.iter().find(|choice| choice.faults.contains(&fault));
        let on = match choice {
            // For a choice it is enough that one alternative strikes in some seed.
            Some(choice) if choice.faults.start != fault => continue,
            Some(choice) if choice.faults.clone().any(|fault| struck(&fault)) => continue,
            Some(choice) => Some(choice.of.to_string()),
            None if struck(&fault) => continue,
            // A process that is never started is absent anyway.
            None if matches!(scenario.experiment.plan.faults[fault].action, Action::Start(_)) => {
                continue;
            }
            None => {
                let on = scenario.experiment.plan.faults[fault].action.process();
                on.map(|p| p.to_string())
            }
        };
        let sends = match &scenario.experiment.plan.faults[fault].trigger {
            Trigger::Sends { process, .. } => sends(*process, None),
            _ => String::new(),
        };
        let (struck, hint) = unfired.entry(*origin).or_default();
        struck.extend(on);
        *hint = sends;
    }
    for (origin, (on, sends)) in unfired {
        let on = if on.is_empty() { String::new() } else { format!(" {}", on.join(", ")) };
        let message =
            format!("never struck{on} in any of {runs}: its trigger never occurred{sends}");
        surprise(SurpriseKind::Unfired, &format!("fault {}", origin + 1), message, None);
    }
    for (index, rule) in scenario.experiment.overrides.iter().enumerate() {
        if total == 0 || tally.unused.get(&index) != Some(&total) {
            continue;
        }
        let MessageRule { from, to, kind, nth, .. } = rule;
        let kind = kind.as_ref().map(|kind| format!(" {kind}")).unwrap_or_default();
        let message = format!(
            "never struck in any of {runs}: {from} -> {to} carried no{kind} number {nth}{}",
            sends(*from, Some(*to))
        );
        surprise(SurpriseKind::Unfired, &format!("message {}", index + 1), message, None);
    }
    surprises
}
