//! What the compiler cannot hold: who may import whom, how long lines and files are, and that every
//! protocol and every mutant of the catalogue has a scenario and a row in the README.

use crate::shipped;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ftsim::Catalogue;
use ftsim::scenario::Scenario;
use ftsim_core::Setting;

/// Files of this kind under `dir`, build output apart.
fn files(dir: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(dir)];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            let skipped = path.file_name().is_some_and(|name| name == "target" || name == ".git");
            let entries = fs::read_dir(&path).expect("a readable folder");
            left.extend(entries.filter(|_| !skipped).map(|e| e.expect("a readable entry").path()));
        } else if path.extension().is_some_and(|e| e == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn root(name: &str) -> String {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(name))
}

#[test]
fn crates_depend_on_each_other_in_one_direction_only() {
    let allowed = [
        ("sim-core/Cargo.toml", &[][..]),
        ("protocols/spec/Cargo.toml", &["ftsim-core"]),
        ("protocols/Cargo.toml", &["ftsim-core", "ftsim-spec"]),
        ("reports/Cargo.toml", &["ftsim-core"]),
        ("Cargo.toml", &["ftsim-core", "ftsim-protocols", "ftsim-reports"]),
    ];
    for (manifest, allowed) in allowed {
        let text = root(manifest);
        let dependencies = text.split("\n[").filter(|table| table.contains("dependencies]\n"));
        let own = dependencies.filter(|table| !table.starts_with("workspace"));
        for line in own.flat_map(str::lines).filter(|line| line.starts_with("ftsim")) {
            let name = line.split(['.', ' ']).next().unwrap_or_default();
            assert!(allowed.contains(&name), "{manifest} must not depend on {name}");
        }
    }
}

#[test]
fn lines_fit_a_hundred_columns() {
    for path in files(".", "rs") {
        // What a terminal shows in a test's expectation may be wider.
        let mut shown = false;
        for (number, line) in (1..).zip(read(&path).lines()) {
            shown = (shown || line.ends_with("[[r#\"")) && !line.contains("\"#]]");
            let width = line.chars().count();
            assert!(width <= 100 || shown, "{}:{number}: {width} columns", path.display());
        }
    }
}

#[test]
fn files_have_one_noun() {
    for path in files(".", "rs") {
        let count = read(&path).lines().count();
        assert!(count <= 600, "{}: {count} lines: what is its second noun?", path.display());
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let is_for_authors = path.ends_with("src/prelude.rs");
        let is_vague = ["utils.rs", "prelude.rs", "common.rs"].contains(&name) && !is_for_authors;
        assert!(!is_vague, "{}", path.display());
    }
}

#[test]
fn every_test_file_says_what_it_guards() {
    for path in files("tests", "rs") {
        assert!(read(&path).starts_with("//! "), "{} has no head comment", path.display());
    }
}

#[test]
fn every_protocol_has_its_row_and_its_scenarios() {
    let (readme, scenarios) = (root("README.md"), shipped::scenarios());
    for entry in Catalogue::builtin().entries() {
        assert!(readme.contains(&format!("| `{}` |", entry.name)), "README lacks {}", entry.name);
        let own = || scenarios.iter().map(|(_, s)| s).filter(|s| s.entry.name == entry.name);
        let mutant_of = |s: &Scenario| s.experiment.setting.mutant.map(|mutant| mutant.name);
        let holds = own().any(|s| mutant_of(s).is_none() && s.expect.violated.is_empty());
        assert!(holds, "{} has no scenario that holds", entry.name);
        for mutant in entry.mutants {
            let runs = own().any(|s| {
                mutant_of(s) == Some(mutant.name) && s.expect.violated.contains(&mutant.violates)
            });
            assert!(runs, "no scenario shows what {}/{} breaks", entry.name, mutant.name);
        }
    }
}

#[test]
fn names_in_the_catalogue_are_unique_and_known() {
    let catalogue = Catalogue::builtin();
    let names: BTreeSet<_> = catalogue.entries().iter().map(|e| e.name).collect();
    assert_eq!(names.len(), catalogue.entries().len());
    for entry in catalogue.entries() {
        for mutant in entry.mutants {
            let known = entry.properties.iter().any(|p| p.id == mutant.violates);
            assert!(known, "{}/{} violates an unknown property", entry.name, mutant.name);
        }
        let mut running = Setting::of(1);
        for mutant in entry.mutants {
            running.mutant = Some(mutant);
            let same = entry.mutants.iter().filter(|other| running.runs(other)).count();
            assert_eq!(same, 1, "{} has two mutants like {}", entry.name, mutant.name);
        }
    }
}
