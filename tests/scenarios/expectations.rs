//! Guards the scenarios: each comes out as it expects, and each mutant's violation is the mutant's
//! doing.

use std::fs;
use std::path::Path;

use crate::shipped;
use annotate_snippets::Renderer;
use ftsim::run::necessity::set;
use ftsim::scenario::Scenario;
use ftsim::sweep::judge;
use ftsim::{Catalogue, sweep};
use ftsim_core::MutantKind;
use ftsim_reports::SeedRange;
use toml::{Table, Value};

fn parse(path: &Path, text: &str) -> Result<Scenario, String> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    Scenario::parse(name, text, &Catalogue::builtin()).map_err(|diagnostics| {
        let render = |d: &ftsim::scenario::diagnostic::Diagnostic| d.render(&Renderer::plain());
        diagnostics.iter().map(render).collect::<Vec<_>>().join("\n")
    })
}

/// Calls `check` with every scenario, and tells all that went wrong.
fn each(check: impl Fn(&Path, &str) -> Result<(), String> + Sync) {
    let checked = shipped::in_parallel(&shipped::files(), |path| {
        let text = fs::read_to_string(path).expect("a readable scenario");
        check(path, &text).map_err(|why| format!("{}: {why}", path.display())).err()
    });
    let wrong: Vec<String> = checked.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn runs_as_expected(path: &Path, text: &str) -> Result<(), String> {
    let scenario = parse(path, text)?;
    let seeds = scenario.seeds.clone();
    let tally = sweep::sweep(&scenario, seeds.clone(), 1, &|_| {}).map_err(|e| e.to_string())?;
    let range = SeedRange::from(seeds.clone());
    let report = judge::report(&scenario, range, &tally);
    let surprises = report.surprises.iter().map(|s| format!("{} {}", s.subject, s.message));
    let surprises: Vec<String> = surprises.collect();
    if surprises.is_empty() { Ok(()) } else { Err(surprises.join("\n    ")) }
}

#[test]
fn every_scenario_comes_out_as_it_expects() {
    each(runs_as_expected);
}

/// A code mutant is taken out, a mutant of the world is given its assumption back: the property
/// must hold.
#[test]
fn without_its_mutant_no_scenario_violates_the_mutants_property() {
    each(|path, text| {
        let mut file: Table = text.parse().map_err(|e| format!("{e}"))?;
        let params = file.get_mut("params").and_then(Value::as_table_mut);
        let Some(Value::String(name)) = params.and_then(|params| params.remove("mutant")) else {
            return Ok(());
        };
        let scenario = parse(path, text)?;
        let known = scenario.entry.mutants.iter().find(|mutant| mutant.name == name);
        let mutant = known.expect("a scenario that was accepted names a known mutant");
        if !scenario.expect.violated.contains(&mutant.violates) {
            return Err(format!(
                "mutant {name} must violate {}, says the catalogue",
                mutant.violates
            ));
        }
        if let MutantKind::Assumption { key, restored } = mutant.kind {
            let restored = restored.map(|value| {
                let table: Table = format!("value = {value}").parse().expect("a value in TOML");
                table["value"].clone()
            });
            let mut root = Value::Table(file);
            set(&mut root, key, restored.as_ref());
            file = match root {
                Value::Table(table) => table,
                _ => unreachable!("a table stays one"),
            };
        }
        file.remove("expect");
        let whole = parse(path, &file.to_string()).map_err(|e| format!("{e}\n{file}"))?;
        let seeds = whole.seeds.clone();
        let tally = sweep::sweep(&whole, seeds, 1, &|_| {}).map_err(|e| e.to_string())?;
        let property = tally.properties.get(&mutant.violates);
        match property.and_then(|property| property.first_violated.as_ref()) {
            None => Ok(()),
            Some(example) => Err(format!(
                "{} is violated without mutant {name} too, in seed {}: {}",
                mutant.violates, example.seed, example.message
            )),
        }
    });
}

#[test]
fn the_example_of_the_reference_comes_out_as_it_expects() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scenario.md");
    let text = fs::read_to_string(&page).expect("a readable page");
    let example = text.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    runs_as_expected(&page, example.expect("an example")).expect("an example that runs");
}
