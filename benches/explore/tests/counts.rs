//! Guards the comparison: what each tool says and counts, in sizes that take a moment.

use std::process::Command;

use serde_json::Value;

/// What a search came to: the verdict, the states and the runs.
#[track_caller]
fn search(tool: &str, protocol: &str, size: &str, threads: &str) -> (String, u64, u64) {
    let output = Command::new(env!("CARGO_BIN_EXE_ftsim-explore-bench"))
        .args(["search", tool, protocol, size, threads, "60"])
        .output()
        .expect("the bench starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().rev().find_map(|line| line.strip_prefix("report "));
    let report: Value = serde_json::from_str(line.expect("a report")).expect("JSON");
    let number = |key: &str| report[key].as_u64().expect("a number");
    (report["verdict"].as_str().expect("a verdict").to_owned(), number("states"), number("runs"))
}

#[track_caller]
fn held(tool: &str, protocol: &str, size: &str, states: u64, runs: u64) {
    let found = search(tool, protocol, size, "1");
    assert_eq!(found, ("Held".to_owned(), states, runs), "{tool} {protocol} {size}");
}

/// That both make this many runs, which is the number of classes counted without either.
#[track_caller]
fn one_run_a_class(protocol: &str, size: &str, runs: u64) {
    for tool in ["classes", "ftsim", "traceforge"] {
        held(tool, protocol, size, 0, runs);
    }
}

#[test]
fn stateright_has_its_published_counts() {
    held("stateright", "2pc-abstract", "3", 288, 0);
    held("stateright", "2pc-abstract", "5", 8_832, 0);
    held("stateright", "paxos-register", "3,wr,wr", 16_668, 0);
    held("stateright", "abd", "2,wr,wr", 544, 0);
}

#[test]
fn a_commit_of_n_takes_n_factorial_runs_for_each_vector_of_votes() {
    for (size, runs) in [("2", 4 * 2), ("3", 8 * 6), ("4", 16 * 24), ("5", 32 * 120)] {
        held("ftsim", "2pc", size, 0, runs);
        held("traceforge", "2pc", size, 0, runs);
    }
}

#[test]
fn paxos_takes_a_run_for_each_class() {
    one_run_a_class("paxos", "3,w", 36);
    one_run_a_class("paxos", "3,wr", 101);
    one_run_a_class("paxos", "3,w,r", 144);
    one_run_a_class("paxos", "2,wr,wr", 48);
    one_run_a_class("paxos-register", "2,wr,wr", 93);
}

#[test]
fn a_class_in_a_thousand_is_not_missed() {
    // A search with wakeup trees once made 78,546 runs of these.
    held("ftsim", "paxos", "3,w,w", 0, 78_638);
    held("traceforge", "paxos", "3,w,w", 0, 78_638);
}

#[test]
fn two_threads_see_what_one_sees() {
    for (protocol, size) in [("2pc", "4"), ("paxos", "3,w,r"), ("abd", "2,wr,wr")] {
        let one = search("ftsim", protocol, size, "1");
        assert_eq!(search("ftsim", protocol, size, "2"), one, "{protocol} {size}");
    }
}

#[test]
fn registers_take_a_run_for_each_class_and_each_order_of_calls() {
    one_run_a_class("abd", "2,w,w", 102);
    one_run_a_class("abd", "2,wr,wr", 16_772);
    one_run_a_class("quorum-abd", "2,w,r", 1_088);
    one_run_a_class("quorum-abd", "3,w", 288);
}

#[test]
fn each_tool_finds_what_is_broken() {
    for tool in ["ftsim", "stateright", "traceforge"] {
        for (protocol, size) in [("2pc-broken", "3"), ("paxos-broken", "3,w,w")] {
            assert_eq!(search(tool, protocol, size, "1").0, "Violated", "{tool} {protocol}");
        }
    }
    // The history of calls and returns is looked at, too; TraceForge takes long to find this.
    for tool in ["ftsim", "stateright"] {
        assert_eq!(search(tool, "quorum-abd-broken", "3,w,rr", "1").0, "Violated", "{tool}");
    }
}
