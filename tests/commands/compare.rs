//! `ftsim compare`, as somebody types it: one world under several protocols of one service.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

/// Three servers answer two clients; the one that leads crashes.
const WORLD: &str = r#"
protocol = "raft"
check    = ["raft.leader-append-only"]

[processes]
server = 3
client = 2

[network]
delay = "1ms..5ms"

[workload]
operations = 10
increments = 0

[[fault]]
at    = "200ms"
crash = "p0"

[run]
seeds   = 40
horizon = "10s"

[expect]
vacuous = ["raft.state-machine-safety"]
"#;

fn compare(args: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("world.toml");
    fs::write(&file, WORLD).expect("a file");
    let mut program = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    program.current_dir(&folder).args(["compare"]).args(args);
    program.args(["--scenario", "world.toml"]).output().expect("ftsim starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn protocols_of_one_service_stand_beside_each_other() {
    let run = compare(&["raft", "abd", "primary-backup", "--format", "json", "--jobs", "1"]);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let shown: Value = serde_json::from_slice(&run.stdout).expect("JSON");
    let rows = shown["rows"].as_array().expect("rows");
    let names: Vec<&Value> = rows.iter().map(|row| &row["contender"]).collect();
    assert_eq!(names, ["raft", "abd", "primary-backup"]);
    for row in rows {
        assert_eq!((&row["runs"], &row["answered"]), (&40.into(), &800.into()), "{row}");
        assert_eq!(row["violated"], serde_json::json!({}), "{row}");
        for key in ["messages", "steps", "latency_p50_ns", "latency_p99_ns", "outage_ns"] {
            let [low, mean, high] = [&row[key]["interval"]["low"], &row[key]["mean"]]
                .into_iter()
                .chain([&row[key]["interval"]["high"]])
                .map(|number| number.as_f64().expect("a number"))
                .collect::<Vec<_>>()
                .try_into()
                .expect("three");
            assert!(0.0 < low && low <= mean && mean <= high, "{key} of {row}");
        }
    }
    // Nobody has to take over from a server where a majority of any servers answers.
    let outage = |row: &Value| row["outage_ns"]["mean"].as_f64().expect("a number");
    assert!(outage(&rows[1]) < outage(&rows[0]), "{shown}");
    let again = compare(&["raft", "abd", "primary-backup", "--format", "json", "--jobs", "4"]);
    assert_eq!(again.stdout, run.stdout);
}

#[test]
fn a_protocol_is_compared_with_itself_under_other_parameters() {
    let [slow, fast] = ["raft election_timeout=1s..2s", "raft election_timeout=100ms..200ms"];
    let run = compare(&[slow, fast, "--format", "json"]);
    let shown: Value = serde_json::from_slice(&run.stdout).expect("JSON");
    let outage = |row: usize| shown["rows"][row]["outage_ns"]["mean"].as_f64().expect("a number");
    assert!(outage(0) > 2.0 * outage(1), "{shown}");
}

#[test]
fn the_table_is_text() {
    let run = compare(&["raft", "abd", "--seeds", "5"]);
    let shown = text(&run.stdout);
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].starts_with("contender  answered"), "{shown}");
    assert!(lines[1].starts_with("raft       100 of 100"), "{shown}");
    assert!(lines[2].starts_with("abd        100 of 100"), "{shown}");
    assert!(shown.contains("5 runs of each, in the world of world.toml"), "{shown}");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let refused = [
        (&["rafd"][..], "unknown protocol `rafd`"),
        (&["raft", "two-phase-commit"], "world.toml under two-phase-commit"),
        (&["raft patience=1s"], "patience"),
        (&["raft patience"], "expected KEY=VALUE"),
        (&[""], "unknown protocol ``"),
    ];
    for (args, told) in refused {
        let run = compare(args);
        assert_eq!(run.status.code(), Some(2), "{args:?}: {run:?}");
        assert!(text(&run.stderr).contains(told), "{args:?}: {}", text(&run.stderr));
    }
}
