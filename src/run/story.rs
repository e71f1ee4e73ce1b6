//! The story of a violation: the events that led to it, and the faults it needs.

use std::io::{self, Write};

use ftsim_core::{Outcome, Trace};
use ftsim_reports::{Page, Story, Violated, counted, line, write_story};

use super::InternalError;
use super::failure::{failure, failures};
use super::necessity::{Ablation, AblationResult, Needs, needs};
use crate::scenario::{PANICKED, Scenario};

/// The story of the violation of a property in a run, as text; `None` if it is not violated.
///
/// # Errors
/// If ftsim itself fails.
pub fn story(
    scenario: &Scenario,
    run: &(Outcome, Trace),
    property: &str,
) -> Result<Option<String>, InternalError> {
    let violations = violations(scenario, &run.0);
    let violated = violations.iter().find(|violated| violated.property == property);
    let Some(violated) = violated else { return Ok(None) };
    let needs = needs_of(scenario, &run.0, violated)?;
    let mut text = Vec::new();
    let run = (&run.0, &run.1);
    tell(&mut text, scenario, run, (violated, needs.as_ref()), Page::default())
        .expect("writing to a vector cannot fail");
    let text = String::from_utf8_lossy(&text);
    Ok(Some(anstream::adapter::strip_str(&text).to_string()))
}

/// The needs of a violation, if they can be determined.
///
/// # Errors
/// If ftsim itself fails.
pub(crate) fn needs_of(
    scenario: &Scenario,
    outcome: &Outcome,
    violated: &Violated,
) -> Result<Option<Needs>, InternalError> {
    let sought = failure(outcome, &violated.property);
    sought.map(|sought| needs(scenario, outcome, &sought.id)).transpose()
}

/// Writes a story with its title.
///
/// # Errors
/// If it cannot be written.
fn tell(
    out: &mut impl Write,
    scenario: &Scenario,
    (outcome, trace): (&Outcome, &Trace),
    (violated, needs): (&Violated, Option<&Needs>),
    page: Page,
) -> io::Result<()> {
    write_title(out, scenario, outcome, trace, page)?;
    write_body(out, scenario, trace, (violated, needs), page)
}

/// Writes a story without its title.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn write_body(
    out: &mut impl Write,
    scenario: &Scenario,
    trace: &Trace,
    (violated, needs): (&Violated, Option<&Needs>),
    page: Page,
) -> io::Result<()> {
    write_story(out, &Story::of(trace, violated), page)?;
    match needs {
        Some(needs) => write_needs(out, scenario, needs, page),
        None => Ok(()),
    }
}

/// The violations of a run, in the order of the spec's table; a panic comes first.
pub(crate) fn violations(scenario: &Scenario, outcome: &Outcome) -> Vec<Violated> {
    let violated = failures(outcome).map(|failure| {
        let property = failure.id.property;
        let known = scenario.checked.iter().find(|known| known.id.0 == property);
        let sentence = match property {
            PANICKED => "No handler panics.",
            _ => known.map_or("", |known| known.text),
        };
        Violated {
            property: property.to_owned(),
            sentence: sentence.to_owned(),
            kind: failure.kind,
            message: failure.message,
            at: failure.at,
            step: failure.step,
            witnesses: failure.witnesses,
        }
    });
    violated.collect()
}

/// The first unexpected violation; if the scenario expects all, the first violation.
pub(crate) fn first<'v>(scenario: &Scenario, violations: &'v [Violated]) -> Option<&'v Violated> {
    let expects = |v: &&Violated| scenario.expect.tolerates(&v.property);
    violations.iter().find(|violated| !expects(violated)).or(violations.first())
}

/// Writes the title of a story.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn write_title(
    out: &mut impl Write,
    scenario: &Scenario,
    outcome: &Outcome,
    trace: &Trace,
    page: Page,
) -> io::Result<()> {
    let plain = anstyle::Style::new();
    let entry = &scenario.entry;
    let mutant = scenario.experiment.setting.mutant.as_ref();
    let mutant = mutant.map_or_else(String::new, |mutant| format!(", mutant {}", mutant.name));
    let processes = counted(u64::from(scenario.experiment.setting.n), "process");
    let head = format!("{}, seed {}: ", line(&scenario.path), outcome.seed);
    let text = format!("{} ({}){mutant}, {processes}", entry.name, entry.spec);
    page.write_line(out, (plain, &head), &line(&text))?;
    if trace.truncated {
        let text = "the trace of this run is truncated, and so is its story";
        page.write_line(out, (plain, ""), text)?;
    }
    Ok(())
}

/// What the violation needs, a sentence for each thing that was removed.
pub(crate) fn need_sentences(needs: &Needs) -> Vec<String> {
    let Needs { faults, overrides, mistakes, mutant, .. } = needs;
    let trials = faults.iter().chain(overrides).chain(mistakes).chain(mutant);
    let sentences = trials.map(|Ablation { without, instead }| match instead {
        AblationResult::Same => format!("{without}: irrelevant"),
        instead => format!("{without}: necessary; without it: {}", text(instead)),
    });
    sentences.collect()
}

fn write_needs(
    out: &mut impl Write,
    scenario: &Scenario,
    needs: &Needs,
    page: Page,
) -> io::Result<()> {
    writeln!(out)?;
    writeln!(out, "What it needs (each removed alone, and the same seed run again)")?;
    let Needs { faults, overrides, mistakes, mutant, .. } = needs;
    let trials = || faults.iter().chain(overrides).chain(mistakes).chain(mutant);
    let of =
        |wanted: fn(&AblationResult) -> bool| trials().filter(move |trial| wanted(&trial.instead));
    write_trials(out, "necessary", of(|instead| matches!(instead, AblationResult::Gone(_))), page)?;
    let otherwise = of(|instead| matches!(instead, AblationResult::Otherwise(_)));
    write_trials(out, "changes it", otherwise, page)?;
    write_trials(out, "irrelevant", of(|instead| *instead == AblationResult::Same), page)?;
    let plain = anstyle::Style::new();
    for fault in &needs.unfired {
        page.write_prose(out, (plain, "  not struck  "), &line(fault))?;
    }
    let wrong = faults.len() + overrides.len() + mistakes.len();
    let is_necessary =
        |trials: &[Ablation]| trials.iter().any(|t| matches!(t.instead, AblationResult::Gone(_)));
    match &needs.all_faults {
        Some(AblationResult::Same) => {
            let text = "no fault is necessary, nor are all of them together";
            page.write_prose(out, (plain, "  "), text)?;
        }
        Some(instead) if !is_necessary(faults) => {
            let head = "  no fault alone is necessary; without all of them: ";
            page.write_prose(out, (plain, head), &line(&text(instead)))?;
        }
        _ => {}
    }
    if wrong == 0 {
        let links = match scenario.experiment.network.default.loss == Default::default() {
            true => "the delays of the links",
            false => "the delays and losses of the links",
        };
        let what = match mutant.as_ref().map(|trial| &trial.instead) {
            Some(AblationResult::Gone(_)) => format!("{links} and the mutant did it"),
            _ => format!("{links} alone did it"),
        };
        page.write_prose(out, (plain, "  no fault struck: "), &what)?;
    }
    Ok(())
}

fn write_trials<'t>(
    out: &mut impl Write,
    heading: &str,
    trials: impl Iterator<Item = &'t Ablation>,
    page: Page,
) -> io::Result<()> {
    for Ablation { without, instead } in trials {
        let mut lines = page.wrapped(&format!("  {heading:10}  "), &line(without));
        if *instead != AblationResult::Same {
            let text = format!("without it: {}", text(instead));
            lines.extend(page.wrapped(&" ".repeat(14), &line(&text)));
        }
        for line in lines {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

fn text(instead: &AblationResult) -> String {
    match instead {
        AblationResult::Same => "the same violation".to_owned(),
        AblationResult::Otherwise(how) => format!("violated in another way: {how}"),
        AblationResult::Gone(verdict) => verdict.clone(),
    }
}

pub(crate) fn write_others(
    out: &mut impl Write,
    told: &Violated,
    all: &[Violated],
    page: Page,
) -> io::Result<()> {
    let others = all.iter().map(|violated| violated.property.as_str());
    let others: Vec<&str> = others.filter(|property| *property != told.property).collect();
    if others.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let others = format!("{} (--property tells of it)", others.join(", "));
    page.write_prose(out, (anstyle::Style::new(), "Also violated: "), &others)
}
