//! Guards the scenarios that are explored: the table of them is current, and the small ones are
//! explored again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ftsim::Catalogue;
use ftsim::explore::Settings;
use ftsim::scenario::Scenario;

/// The steps up to which an exploration is made again.
const STEP_COUNT_MAX: u64 = 20_000;
/// The column of the seconds, which differ.
const SECONDS: usize = 7;

type Row = Vec<String>;

/// The rows of the table of explorations in a text, by the names of their scenarios, without the
/// seconds.
fn rows(text: &str) -> BTreeMap<String, Row> {
    let table = text.split("| scenario | protocol |").nth(1).expect("a table");
    let lines = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let rows = lines.map(|line| {
        let cells = line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned());
        let mut row: Row = cells.collect();
        row.remove(SECONDS);
        (row[0].clone(), row)
    });
    rows.collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files() -> BTreeMap<String, PathBuf> {
    let entries = fs::read_dir(root().join("scenarios/explored")).expect("a folder");
    let paths = entries.map(|entry| entry.expect("a readable entry").path());
    let name = |path: &PathBuf| path.file_stem().expect("a name").to_str().map(str::to_owned);
    paths.map(|path| (name(&path).expect("UTF-8"), path)).collect()
}

fn documented() -> BTreeMap<String, Row> {
    rows(&fs::read_to_string(root().join("docs/explore.md")).expect("a document"))
}

#[test]
fn the_table_has_every_explored_scenario() {
    let (rows, files) = (documented(), files());
    assert!(rows.keys().eq(files.keys()), "{:?}\n{:?}", rows.keys(), files.keys());
    for (name, path) in &files {
        let text = fs::read_to_string(path).expect("a scenario");
        let read = Scenario::parse(name, &text, &Catalogue::builtin());
        let scenario = read.unwrap_or_else(|_| panic!("{name} is refused"));
        let settings = Settings::of(&scenario).expect("a scenario that can be explored");
        let told = [
            format!("`{}`", scenario.entry.name),
            scenario.experiment.setting.n.to_string(),
            settings.to_string(),
        ];
        assert_eq!(rows[name][1..4], told, "{name}");
    }
}

#[test]
fn every_protocol_without_lies_is_explored() {
    let rows = documented();
    let lying = [
        "bracha-rb",
        "byzantine-ben-or",
        "consistent-broadcast",
        "dolev-strong",
        "flat-group",
        "nmr-voting",
        "oral-messages",
        "pbft",
        "phase-king",
    ];
    for entry in Catalogue::builtin().entries() {
        let name = format!("`{}`", entry.name);
        let is_explored = rows.values().any(|row| row[1] == name && row[7..] == ["all"]);
        assert_eq!(is_explored, !lying.contains(&entry.name), "{name}");
    }
}

#[test]
fn small_scenarios_are_explored_to_the_end_as_the_table_says() {
    let (mut rows, files) = (documented(), files());
    rows.retain(|_, row| row[5].parse::<u64>().expect("steps") <= STEP_COUNT_MAX);
    assert!(rows.len() > 10, "{rows:?}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    command.args(["explore", "--format", "markdown"]).args(rows.keys().map(|name| &files[name]));
    let output = command.output().expect("ftsim starts");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(self::rows(&text), rows);
}
