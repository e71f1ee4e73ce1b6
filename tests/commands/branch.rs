//! `ftsim branch`: other futures of a run, and the moment it went wrong.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use ftsim::Catalogue;
use ftsim::branch::{Effort, Origin};
use ftsim::run;
use ftsim::scenario::Scenario;
use ftsim::sweep::sweep;
use serde_json::Value;

/// One broadcast on links that lose a third, in step 4: losses alone decide.
const LOSSY: &str = r#"
protocol  = "beb"
processes = 3
check     = ["rb.agreement"]

[network]
loss = 0.3

[workload]
broadcasts = 1
senders    = ["p0"]

[expect]
violated = ["rb.agreement", "beb.validity"]
"#;

/// The script has p0 crash between its sends; only delays are drawn.
const SCRIPTED: &str = r#"
protocol  = "beb"
processes = 3
check     = ["rb.agreement"]

[workload]
broadcasts = 1
senders    = ["p0"]

[[fault]]
crash = "p0"
when  = { process = "p0", sends = "Data", nth = 1 }

[expect]
violated = ["rb.agreement"]
"#;

fn ftsim(args: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    program.args(args).output().expect("ftsim starts")
}

/// Branches a run of this scenario in a folder of its own.
fn branch(folder: &Path, scenario: &str, args: &[&str]) -> Output {
    let file = folder.join("small.toml");
    fs::write(&file, scenario).expect("a file");
    let file = file.to_str().expect("UTF-8");
    ftsim(&[&["branch", file], args].concat())
}

fn json(scenario: &str, args: &[&str]) -> (Option<i32>, Value) {
    let folder = tempfile::tempdir().expect("a folder");
    let done = branch(folder.path(), scenario, &[&["--format", "json"], args].concat());
    let seen = serde_json::from_slice(&done.stdout);
    (done.status.code(), seen.unwrap_or_else(|_| panic!("no JSON: {done:?}")))
}

fn parse(text: &str) -> Scenario {
    Scenario::parse("small.toml", text, &Catalogue::builtin()).expect("a valid scenario")
}

/// The first seed whose run violates this property, or does not.
fn seed(text: &str, property: &str, violates: bool) -> u64 {
    let scenario = parse(text);
    let is_such = |seed: &u64| {
        let outcome = run::run(&scenario, *seed).expect("a run");
        let id = |failure: run::failure::Failure| failure.id.property == property;
        run::failure::failures(&outcome).any(id) == violates
    };
    (1..1_000).find(is_such).expect("such a seed")
}

fn violating(seen: &Value, property: &str) -> (u64, f64, f64) {
    let rows = seen["properties"].as_array().expect("a list");
    let row = rows.iter().find(|row| row["property"] == property).expect("a row");
    let rate = &row["violated"];
    let share = |end: &str| rate[end].as_f64().expect("a share");
    (rate["count"].as_u64().expect("a count"), share("low"), share("high"))
}

#[test]
fn before_the_first_step_futures_are_as_likely_to_fail_as_seeds() {
    let (status, seen) = json(LOSSY, &["--seed", "7", "--step", "0", "--seeds", "2000"]);
    assert_eq!((status, &seen["after"]), (Some(0), &0.into()), "{seen:#}");
    let tally = sweep(&parse(LOSSY), 1..2_001, 2, &|_| {}).expect("a sweep");
    let swept = tally.properties.iter().find(|(id, _)| id.0 == "rb.agreement").expect("checked");
    let swept = ftsim_reports::Rate::new(swept.1.violated, 2_000);
    let (_, low, high) = violating(&seen, "rb.agreement");
    assert!(low < swept.high && swept.low < high, "{low} to {high}, and {swept}");
    // At least one of two messages is lost: 0.51.
    assert!(low < 0.51 && 0.51 < high, "{low} to {high}");
}

#[test]
fn after_the_last_step_every_future_is_the_run() {
    for violates in [true, false] {
        let seed = seed(LOSSY, "rb.agreement", violates).to_string();
        let (_, first) = json(LOSSY, &["--seed", &seed, "--step", "0"]);
        let last = first["steps"].to_string();
        let (_, seen) = json(LOSSY, &["--seed", &seed, "--step", &last, "--seeds", "20"]);
        let (count, ..) = violating(&seen, "rb.agreement");
        assert_eq!(count, if violates { 20 } else { 0 }, "{seen:#}");
    }
}

#[test]
fn futures_have_the_run_s_past_and_differ_after_it() {
    let (_, early) = json(LOSSY, &["--seed", "1", "--step", "3"]);
    let (count, ..) = violating(&early, "rb.agreement");
    assert!(0 < count && count < 100, "{early:#}");
    let scenario = parse(LOSSY);
    let mut runner = scenario.prepare().expect("a valid scenario");
    let (outcome, trace) = runner.record(1);
    for step in 0..=outcome.statistics.events {
        runner.begin_unstarted_recorded(1);
        assert_eq!(runner.advance(step), Some(step));
        for seed in 500..510 {
            let (_, future) = runner.record_other_future(seed);
            let common = |trace: &ftsim_core::Trace| {
                let past = trace.entries.iter().take_while(|entry| entry.step <= step);
                past.cloned().collect::<Vec<_>>()
            };
            assert!(common(&future) == common(&trace), "after step {step}");
        }
    }
}

#[test]
fn the_same_bytes_with_any_number_of_threads() {
    let seed = seed(LOSSY, "rb.agreement", true).to_string();
    let folder = tempfile::tempdir().expect("a folder");
    for args in [&["--step", "3", "--seeds", "333"][..], &["--moment"]] {
        for format in ["text", "json"] {
            let with = |jobs| {
                let args = [&["--seed", &seed, "--format", format, "--jobs", jobs], args].concat();
                let done = branch(folder.path(), LOSSY, &args);
                assert_eq!(done.status.code(), Some(0), "{done:?}");
                assert!(!done.stdout.is_empty());
                done.stdout
            };
            assert_eq!(with("1"), with("2"));
            assert_eq!(with("1"), with("5"));
        }
    }
}

#[test]
fn losses_go_wrong_in_the_step_that_sends() {
    let seed = seed(LOSSY, "rb.agreement", true).to_string();
    let (status, seen) = json(LOSSY, &["--seed", &seed, "--moment", "--property", "rb.agreement"]);
    assert_eq!((status, &seen["property"]), (Some(0), &"rb.agreement".into()), "{seen:#}");
    let moment = &seen["moment"];
    assert_eq!((&moment["kind"], &moment["step"]), (&"step".into(), &4.into()), "{seen:#}");
    let count = |point: &Value| point["violating"]["count"].as_u64().expect("a count");
    assert!((30..70).contains(&count(&moment["before"])), "{seen:#}");
    assert_eq!(count(&moment["after"]), 100);
    let curve = seen["curve"].as_array().expect("a curve");
    assert_eq!(curve.len() as u64, seen["steps"].as_u64().expect("a number") + 1);
    assert!(curve[..4].iter().all(|point| (30..70).contains(&count(point))), "{seen:#}");
    assert!(curve[4..].iter().all(|point| count(point) == 100), "{seen:#}");

    // With few points, the same step; and `explain` tells it.
    let (_, few) =
        json(LOSSY, &["--seed", &seed, "--moment", "--property", "rb.agreement", "--points", "4"]);
    assert_eq!(few["moment"]["step"], 4, "{few:#}");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("small.toml");
    fs::write(&file, LOSSY).expect("a file");
    let file = file.to_str().expect("UTF-8");
    let told = ftsim(&["explain", file, "--seed", &seed, "--property", "rb.agreement", "--moment"]);
    let text = String::from_utf8(told.stdout).expect("UTF-8");
    assert!(text.contains("\nWhen it went wrong\n  It went wrong in step 4, at "), "{text}");
    let plain = ftsim(&["explain", file, "--seed", &seed]);
    assert!(!String::from_utf8(plain.stdout).expect("UTF-8").contains("went wrong"));
}

#[test]
fn what_a_script_decides_is_certain_from_the_start() {
    let (status, seen) = json(SCRIPTED, &["--seed", "1", "--moment"]);
    assert_eq!((status, &seen["moment"]["kind"]), (Some(0), &"from-the-start".into()), "{seen:#}");
    let folder = tempfile::tempdir().expect("a folder");
    let told = branch(folder.path(), SCRIPTED, &["--seed", "1", "--moment"]);
    let text = String::from_utf8(told.stdout).expect("UTF-8");
    assert!(text.contains("It was certain from the start: 100 of 100 (above "), "{text}");
}

#[test]
fn a_panic_ends_all_futures_that_come_after_it() {
    // No protocol of the catalogue panics; what is branched where nothing can be is the run.
    let scenario = parse(SCRIPTED);
    let outcome = run::run(&scenario, 1).expect("a run");
    let origin = Origin { scenario: &scenario, request: 1.into(), outcome: &outcome };
    let halt = std::sync::atomic::AtomicBool::new(false);
    let effort = Effort { count: 60, jobs: 2, halt: &halt, progress: &|_| {} };
    let steps: Vec<u64> = (0..=origin.step_count()).collect();
    let futures = origin.futures(&steps, 0, &effort).expect("futures");
    assert!(futures.iter().all(|futures| futures.tally.seed_count == 60));
    assert!(futures.is_sorted_by_key(|futures| (futures.after, futures.at)));
    halt.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(origin.futures(&steps, 0, &effort).is_err(), "it is interrupted");
}

#[test]
fn a_violation_that_is_not_expected_shows_in_the_status() {
    let (status, _) =
        json(&LOSSY.replace("\"rb.agreement\", ", ""), &["--seed", "1", "--step", "3"]);
    assert_eq!(status, Some(1));
    let (status, _) = json(LOSSY, &["--seed", "1", "--step", "3"]);
    assert_eq!(status, Some(0));
}

#[test]
fn what_cannot_be_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let well = seed(LOSSY, "rb.agreement", false).to_string();
    for (args, status, message) in [
        (&["--seed", "1", "--step", "1000"][..], 2, "seed 1 of "),
        (&["--seed", "1", "--step", "18446744073709551615"], 2, " steps, not 18446744073709551615"),
        (&["--seed", "1", "--step", "18446744073709551616"], 2, "invalid value"),
        (&["--seed", "1", "--step", "-1"], 2, "unexpected argument"),
        (&["--seed", "1"], 2, "--step"),
        (&["--step", "1"], 2, "add --seed S"),
        (&["--seed", "1", "--step", "1", "--moment"], 2, "cannot be used with"),
        (&["--seed", "1", "--step", "1", "--seeds", "0"], 2, "invalid value"),
        (&["--seed", "1", "--step", "1", "--seeds", "1000001"], 2, "invalid value"),
        (&["--seed", "1", "--moment", "--points", "1"], 2, "invalid value"),
        (&["--seed", "1", "--moment", "--property", "me.exclusion"], 2, "me.exclusion"),
        (&["--seed", &well, "--moment", "--property", "rb.agreement"], 1, "does not violate"),
    ] {
        let done = branch(folder.path(), LOSSY, args);
        let told = String::from_utf8(done.stderr).expect("UTF-8");
        assert_eq!(done.status.code(), Some(status), "{args:?}: {told}");
        assert!(told.contains(message), "{args:?}: {told}");
        assert!(done.stdout.is_empty(), "{args:?}");
    }
}
