//! `ftsim stress`, as somebody types it.

use std::fs;
use std::process::{Command, Output};

fn stress(args: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    program.arg("stress").args(args).output().expect("ftsim starts")
}

fn text(output: &[u8]) -> String {
    String::from_utf8(output.to_vec()).expect("UTF-8")
}

#[test]
fn the_table_has_a_row_for_each_protocol() {
    let args = ["eager-rb", "beb", "--scenarios", "5", "--seeds", "2"];
    let run = stress(&args);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let lines: Vec<String> = text(&run.stdout).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(lines[1].starts_with("eager-rb  its model  5          10"), "{lines:#?}");
    assert!(lines[1..].iter().all(|line| line.ends_with("nothing")), "{lines:#?}");
    let single = stress(&[&args[..], &["--jobs", "1"]].concat());
    assert_eq!(single.stdout, run.stdout);
}

#[test]
fn beyond_its_model_a_protocol_falls_and_leaves_a_small_scenario() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("fallen");
    let out = path.to_str().expect("UTF-8");
    let args = ["eager-rb", "--beyond", "--scenarios", "20", "--seeds", "5", "-o", out];
    let run = stress(&args);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert!(text(&run.stdout).contains("eager-rb, lost messages, rb.agreement: fell in"));
    let file = path.join("eager-rb-lost-messages-rb.agreement.toml");
    let shrunk = fs::read_to_string(&file).expect("a scenario");
    assert!(shrunk.contains("processes = 3"), "{shrunk}");
    let mut program = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    let again = program.arg("run").arg(&file).output().expect("ftsim starts");
    assert_eq!(again.status.code(), Some(0), "{again:?}");
}

#[test]
fn one_scenario_is_shown_and_can_be_run() {
    let shown = stress(&["phase-king", "--show", "3"]);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shown.toml");
    fs::write(&file, &shown.stdout).expect("a file");
    let mut program = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    let checked = program.arg("check").arg(&file).output().expect("ftsim starts");
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
}

#[test]
fn results_are_for_programs_too_and_time_can_be_up() {
    let run = stress(&["beb", "--format", "json", "--for", "0s"]);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let whole: serde_json::Value = serde_json::from_slice(&run.stdout).expect("JSON");
    assert_eq!(whole["rows"][0]["protocol"], "beb");
    assert_eq!(whole["rows"][0]["scenarios"], 0);
}

#[test]
fn an_unknown_protocol_is_told_with_the_nearest() {
    let run = stress(&["eager-br"]);
    assert_eq!(run.status.code(), Some(2));
    let told = text(&run.stderr);
    assert!(told.contains("unknown protocol `eager-br`") && told.contains("eager-rb"), "{told}");
}
