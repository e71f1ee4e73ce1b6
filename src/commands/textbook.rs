//! `ftsim list --html`: the catalogue as pages for a browser.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use ftsim_core::{Entry, Mutant, Outcome};
use ftsim_protocols::Catalogue;
use ftsim_reports::{
    GENERATOR, MeasuredNumber, ProtocolPage, ShownMutant, ShownRun, ShownScenario, file_name,
    write_index_page, write_protocol_page,
};

use super::describe;
use crate::cli::progress::spinner;
use crate::cli::{Exit, Failure, interrupt, load_all};
use crate::files::{at, write_whole};
use crate::run::one_run::OneRun;
use crate::run::picture::{diagram_without_states, write_page};
use crate::run::story::{needs_of, violations};
use crate::run::{Repeat, run_one};
use crate::scenario::Scenario;
use crate::shrink::{Effort, Target, shrink};
use crate::sweep::numbers::measured;

/// The folder whose scenarios are shown if none are named.
const SCENARIOS: &str = "scenarios";
/// The folder of the pages of whole runs.
const RUNS: &str = "runs";
/// The maximum number of seeds of a scenario that are tried for a failure.
const SEED_COUNT_MAX: u64 = 200;
/// The maximum time that shrinking one failure takes. It takes much less, so that the pages are the
/// same on every machine.
const BUDGET: Duration = Duration::from_secs(60);

/// Writes the pages of a catalogue to `folder`, with runs of these scenarios.
pub fn write(folder: &Path, files: &[PathBuf], catalogue: &Catalogue) -> Result<Exit, Failure> {
    check_folder(folder)?;
    let default = PathBuf::from(SCENARIOS);
    let files = match files {
        [] if default.is_dir() => vec![default],
        files => files.to_vec(),
    };
    let (scenarios, bad_input) = load_all(&files, catalogue);
    if bad_input {
        return Ok(Exit::BadInput);
    }
    at(folder, fs::create_dir_all(folder.join(RUNS)))?;
    let mut of_protocol: BTreeMap<&str, Vec<&Scenario>> = BTreeMap::new();
    for scenario in &scenarios {
        of_protocol.entry(scenario.entry.name).or_default().push(scenario);
    }
    let (bar, halt) = (spinner("pages"), interrupt::listen());
    let mut pages = Vec::new();
    for entry in catalogue.entries() {
        if halt.load(Ordering::Relaxed) {
            return Ok(Exit::Interrupted);
        }
        bar.set_message(entry.name);
        bar.tick();
        let scenarios = of_protocol.get(entry.name).map_or(&[][..], Vec::as_slice);
        let numbers = measured(catalogue, |protocol| protocol == entry.name)?;
        let page = page(entry, scenarios, numbers, folder)?;
        let path = folder.join(file_name(entry.name));
        let mut text = Vec::new();
        at(&path, write_protocol_page(&mut text, &page))?;
        write_whole(&path, &text)?;
        pages.push(page);
    }
    bar.finish_and_clear();
    let index = folder.join("index.html");
    let mut text = Vec::new();
    at(&index, write_index_page(&mut text, &pages))?;
    write_whole(&index, &text)?;
    Ok(Exit::Good)
}

/// Refuses a folder with something else in it.
fn check_folder(folder: &Path) -> Result<(), Failure> {
    let Ok(mut entries) = fs::read_dir(folder) else { return Ok(()) };
    let is_ours = fs::read_to_string(folder.join("index.html"))
        .is_ok_and(|index| index.contains(&format!("content=\"{GENERATOR}\"")));
    // An interrupted one has no index yet, but the pages of runs.
    if entries.next().is_none() || is_ours || folder.join(RUNS).is_dir() {
        return Ok(());
    }
    let folder = folder.display();
    Err(Failure::BadFile(format!("{folder} has something else in it; name a new folder")))
}

fn page(
    entry: &Entry,
    scenarios: &[&Scenario],
    numbers: Vec<MeasuredNumber>,
    folder: &Path,
) -> Result<ProtocolPage, Failure> {
    let params = (entry.params_schema)();
    let mut mutants = Vec::new();
    for mutant in entry.mutants {
        let failure = smallest_failure(mutant, scenarios, folder)?;
        mutants.push(ShownMutant {
            name: mutant.name.to_owned(),
            how: describe::how(mutant),
            changes: mutant.changes.to_owned(),
            violates: mutant.violates.to_string(),
            failure,
        });
    }
    let shown = scenarios.iter().map(|scenario| ShownScenario {
        file: name_of(&scenario.path),
        summary: scenario.summary.clone().unwrap_or_default(),
        violated: scenario.expect.violated.iter().map(ToString::to_string).collect(),
    });
    Ok(ProtocolPage {
        name: entry.name.to_owned(),
        summary: entry.summary.to_owned(),
        source: entry.source.to_owned(),
        model: describe::facts(entry),
        params: describe::key_rows(params.as_value()),
        properties: describe::property_rows(entry),
        well: well(scenarios, folder)?,
        numbers,
        mutants,
        scenarios: shown.collect(),
    })
}

/// The name of a scenario: its file without `.toml`.
fn name_of(path: &str) -> String {
    let name = Path::new(path).file_stem().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// A run that goes well: of the scenario with the fewest faults.
fn well(scenarios: &[&Scenario], folder: &Path) -> Result<Option<ShownRun>, Failure> {
    let is_well = |scenario: &&&Scenario| {
        scenario.experiment.setting.mutant.is_none() && scenario.expect.violated.is_empty()
    };
    let faults = |scenario: &&&Scenario| {
        let (experiment, n) = (&scenario.experiment, scenario.experiment.setting.n);
        (experiment.plan.faults.len() + usize::from(experiment.random.is_some()), n < 3, n)
    };
    let Some(scenario) = scenarios.iter().filter(is_well).min_by_key(faults) else {
        return Ok(None);
    };
    let catalogue = Catalogue::from(scenario.entry.clone());
    let Ok(own) = Scenario::parse(&scenario.path, &scenario.text, &catalogue) else {
        return Ok(None);
    };
    let run = OneRun { seed: own.seeds.start, scenario: own, point: None };
    let name = format!("{}.html", run.scenario.entry.name);
    Ok(Some(shown(&run, None, folder, &name)?.0))
}

/// The smallest failure that a scenario with this mutant shows, in one sentence as well.
fn smallest_failure(
    mutant: &Mutant,
    scenarios: &[&Scenario],
    folder: &Path,
) -> Result<Option<(ShownRun, String)>, Failure> {
    let has_it =
        |scenario: &&&Scenario| scenario.experiment.setting.mutant.is_some_and(|own| own == mutant);
    for scenario in scenarios.iter().filter(has_it) {
        let Some(outcome) = failing(scenario, mutant)? else { continue };
        let Some(target) = Target::of(&outcome, &[mutant.violates]) else { continue };
        let effort = Effort { budget: BUDGET, halt: interrupt::listen(), progress: &|_, _| {} };
        let shrunk = shrink(scenario, &outcome, &target, &effort)?;
        let catalogue = Catalogue::from(scenario.entry.clone());
        let name = format!("{}-{}", scenario.entry.name, mutant.name);
        let Ok(small) = Scenario::parse(&format!("{name}.toml"), &shrunk.text, &catalogue) else {
            continue;
        };
        let Some(seed) = small.only_seed() else { continue };
        let run = OneRun { scenario: small, seed, point: None };
        let told = Some(mutant.violates.0);
        let (run, message) = shown(&run, told, folder, &format!("{name}.html"))?;
        return Ok(Some((run, message.unwrap_or(shrunk.message))));
    }
    Ok(None)
}

/// The first run of a scenario that violates the property of this mutant.
fn failing(scenario: &Scenario, mutant: &Mutant) -> Result<Option<Outcome>, Failure> {
    let seeds = scenario.seeds.clone();
    for seed in seeds.take(usize::try_from(SEED_COUNT_MAX).unwrap_or(usize::MAX)) {
        let outcome = run_one(scenario, seed, None, Repeat::Once)?;
        let violations = violations(scenario, &outcome);
        if violations.iter().any(|violated| violated.property == mutant.violates.0) {
            return Ok(Some(outcome));
        }
    }
    Ok(None)
}

/// Writes the page of a run; returns its diagram, and the violation of the property in a sentence.
fn shown(
    run: &OneRun,
    property: Option<&str>,
    folder: &Path,
    name: &str,
) -> Result<(ShownRun, Option<String>), Failure> {
    let (outcome, trace) = run.record()?;
    let violations = violations(&run.scenario, &outcome);
    let violated = property
        .and_then(|property| violations.iter().find(|violated| violated.property == property));
    let name = file_name(name.trim_end_matches(".html"));
    write_page(&folder.join(RUNS).join(&name), run, (&outcome, &trace), violated)?;
    let needs = violated.map(|violated| needs_of(&run.scenario, &outcome, violated)).transpose()?;
    let needs = needs.as_ref().and_then(Option::as_ref);
    let told = violated.map(|violated| (violated, needs));
    let diagram = diagram_without_states(run, (&outcome, &trace), told);
    let page = format!("{RUNS}/{name}");
    Ok((ShownRun { diagram, page }, violated.map(|violated| violated.message.clone())))
}
