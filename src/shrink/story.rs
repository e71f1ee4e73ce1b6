//! The summary and remarks of a shrunk file.

use ftsim_core::environment::message_rule::MessageRule;
use toml::{Table, Value};

use super::file;
use super::shrinker::Shrinker;
use crate::run::repro;
use crate::scenario::Scenario;

/// The file: the best case, with its result as summary and expectation.
pub fn file(from: &Scenario, shrinker: &Shrinker<'_>, needs_its_seed: bool) -> String {
    let scenario = shrinker.scenario();
    let mut table = shrinker.best.table.clone();
    let message = shrinker.target.message(&shrinker.outcome);
    table.insert("summary".to_owned(), summary(&scenario, shrinker.target.name(), &message).into());
    if let Some(reference) = &from.reference {
        table.insert("reference".to_owned(), reference.clone().into());
    }
    let run = table.entry("run").or_insert_with(|| Value::Table(Table::new()));
    if let Some(run) = run.as_table_mut() {
        run.insert("seeds".to_owned(), 1.into());
        if shrinker.best.seed != 1 {
            let seed = i64::try_from(shrinker.best.seed).unwrap_or(i64::MAX);
            run.insert("first_seed".to_owned(), seed.into());
        }
    }
    let expect = repro::expectation(from, &shrinker.outcome).to_string();
    table.insert("expect".to_owned(), Value::Table(toml::from_str(&expect).unwrap_or_default()));
    let mut remarks = vec![format!(
        "Shrunk from seed {} of {}: nothing more can be removed.",
        shrinker.outcome_seed, from.path,
    )];
    if shrinker.is_over() {
        remarks[0] = format!(
            "Shrunk from seed {} of {} until the time was up: more might be removable.",
            shrinker.outcome_seed, from.path,
        );
    }
    if needs_its_seed {
        remarks.push("The seed still decides something that matters.".to_owned());
    }
    file::text(&remarks, &table, &shrinker.best.messages)
}

/// The faults and the violation, in a few words.
fn summary(scenario: &Scenario, property: &str, message: &str) -> String {
    let experiment = &scenario.experiment;
    let faults = experiment.plan.faults.iter().map(ToString::to_string);
    let messages = experiment.overrides.iter().map(MessageRule::to_string);
    let all: Vec<String> = faults.chain(messages).collect();
    let mut wrong = if all.is_empty() { String::new() } else { format!("{}. ", all.join("; ")) };
    if let Some(first) = wrong.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    format!("{wrong}{property} is violated: {message}.")
}
