//! The summary and remarks of a shrunk file.

use std::error::Error;

use ftsim_core::environment::message_rule::MessageRule;

use super::shrinker::Shrinker;
use crate::run::repro;
use crate::scenario::Scenario;
use crate::scenario::file::{Count, MessageFile, ScenarioFile};

/// The file: the best case, with its result as summary and expectation.
///
/// # Errors
/// If the case is no scenario: a bug in ftsim.
pub fn file(
    from: &Scenario,
    shrinker: &Shrinker<'_>,
    needs_its_seed: bool,
) -> Result<String, Box<dyn Error>> {
    let scenario = shrinker.scenario();
    let best = &shrinker.best;
    let mut file: ScenarioFile = best.table.clone().try_into()?;
    let message = shrinker.target.message(&shrinker.outcome);
    file.summary = Some(summary(&scenario, shrinker.target.name(), &message));
    file.reference = from.reference.clone();
    file.message = best.messages.iter().map(MessageFile::from).collect();
    file.run.seeds = Some(Count(1));
    file.run.first_seed = (best.seed != 1).then_some(Count(best.seed));
    file.expect = repro::expectation(from, &shrinker.outcome);
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
    Ok(file.text(&remarks)?)
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
