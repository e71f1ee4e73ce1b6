//! `ftsim explore`, as somebody types it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const RELIABLE: &str = r#"
protocol  = "eager-rb"
processes = 3

[workload]
broadcasts = 1
senders    = ["p0"]
"#;

/// Best-effort broadcast, taken for a reliable one.
const BEST_EFFORT: &str = r#"
protocol  = "beb"
processes = 3
check     = ["rb.agreement"]

[workload]
broadcasts = 1
senders    = ["p0"]

[expect]
violated = ["rb.agreement"]
"#;

const ALL_TO_ALL: &str = r#"
protocol  = "all-to-all-consensus"
processes = 3
"#;

const FLOODSET: &str = r#"
protocol  = "floodset"
processes = 3
"#;

fn ftsim(args: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    program.args(args).output().expect("ftsim starts")
}

/// Explores this scenario in a folder of its own.
fn explore(folder: &Path, scenario: &str, args: &[&str]) -> Output {
    let file = folder.join("small.toml");
    fs::write(&file, scenario).expect("a file");
    let file = file.to_str().expect("UTF-8");
    ftsim(&[&["explore", file], args].concat())
}

fn json(scenario: &str, args: &[&str]) -> (Option<i32>, Value) {
    let folder = tempfile::tempdir().expect("a folder");
    let done = explore(folder.path(), scenario, &[&["--format", "json"], args].concat());
    let whole: Value = serde_json::from_slice(&done.stdout).expect("JSON");
    (done.status.code(), whole["scenarios"][0].clone())
}

#[test]
fn reliable_broadcast_holds_in_every_run_with_two_crashes() {
    let (status, seen) = json(RELIABLE, &[]);
    assert_eq!(status, Some(0), "{seen:#}");
    assert_eq!((&seen["all"], &seen["budget"]["crashes"]), (&true.into(), &2.into()));
    let properties = seen["properties"].as_array().expect("a list");
    assert!(properties.iter().all(|one| one["violated"] == 0 && one["undecided"] == 0));
    assert!(properties.iter().all(|one| one["held"] != 0), "each is put to the test: {seen:#}");
}

/// A proposer of Paxos that gives way sets its timer twice in one step, to run out when it was set
/// last. If it is lost, the run ends with nothing delivered.
#[test]
fn a_timer_that_is_set_twice_in_a_step_runs_out() {
    let scenario = r#"
protocol  = "tob-consensus"
processes = 5
params    = { consensus = "paxos" }
workload  = { broadcasts = 2, senders = ["p0"] }
network   = { stabilise_at = "1s" }
run       = { first_seed = 1614, horizon = "100s" }
"#;
    let options = ["--strategy", "random", "--runs", "1", "--steps", "500"];
    let (_, seen) = json(scenario, &options);
    let properties = seen["properties"].as_array().expect("a list");
    assert!(properties.iter().all(|one| one["violated"] == 0), "{seen:#}");
}

#[test]
fn one_run_of_each_class_and_all_runs_come_to_the_same() {
    let (_, reduced) = json(RELIABLE, &["--crashes", "1"]);
    let (_, every) = json(RELIABLE, &["--crashes", "1", "--unreduced"]);
    assert_eq!((&reduced["all"], &every["all"]), (&true.into(), &true.into()));
    let [few, many] = [&reduced, &every].map(|seen| seen["runs"].as_u64().expect("a number"));
    assert!(few * 2 < many, "{few} of {many}");
}

#[test]
fn what_is_seen_does_not_depend_on_the_number_of_threads() {
    let lossy = "protocol = \"paxos\"\nprocesses = 3\n";
    for (scenario, args) in [
        (RELIABLE, vec![]),
        (BEST_EFFORT, vec![]),
        (FLOODSET, vec![]),
        // Enough in the middle of a part.
        (lossy, vec!["--runs", "5000"]),
    ] {
        let with = |jobs| {
            let (status, mut seen) = json(scenario, &[&args[..], &["--jobs", jobs]].concat());
            assert!(seen["runs"].as_u64() > Some(0), "{seen:#}");
            seen["scenario"].take();
            (status, seen)
        };
        assert_eq!(with("1"), with("2"));
        assert_eq!(with("1"), with("7"));
    }
    let (_, cut) = json(lossy, &["--runs", "5000"]);
    assert_eq!((&cut["runs"], &cut["all"]), (&5000.into(), &false.into()));
}

#[test]
fn three_processes_that_hear_each_other_have_as_many_runs_as_orders() {
    // Each hears its own proposal at once, and the two others in either order, before or after it
    // proposes itself: (3!)^3 orders in all, less those that the decision makes equal.
    let (status, seen) = json(ALL_TO_ALL, &[]);
    assert_eq!((status, &seen["all"]), (Some(0), &true.into()));
    let (_, every) = json(ALL_TO_ALL, &["--runs", "1000", "--unreduced"]);
    assert_eq!(every["all"], false);
    assert!(seen["runs"].as_u64() < every["runs"].as_u64());
}

#[test]
fn in_lockstep_floodset_survives_a_crash_between_any_two_sends() {
    let (status, seen) = json(FLOODSET, &[]);
    assert_eq!((status, &seen["time"]), (Some(0), &"lockstep".into()), "{seen:#}");
    assert_eq!(seen["all"], true);
}

#[test]
fn a_violation_becomes_a_scenario_that_shows_it_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("found");
    let done = explore(folder.path(), BEST_EFFORT, &["-o", out.to_str().expect("UTF-8")]);
    assert_eq!(done.status.code(), Some(0), "it is expected: {done:?}");
    let text = String::from_utf8(done.stdout).expect("UTF-8");
    assert!(text.contains("rb.agreement: violated in 1") && text.contains("as expected"), "{text}");
    let file = out.join("small-rb.agreement.toml");
    let file = file.to_str().expect("UTF-8");
    for command in ["run", "explain", "shrink"] {
        let again = ftsim(&[command, file]);
        assert_eq!(again.status.code(), Some(0), "{command}: {again:?}");
    }
}

#[test]
fn sampled_runs_are_never_all_runs() {
    for strategy in ["random", "pos", "pct:2", "guided"] {
        let args = ["--strategy", strategy, "--runs", "2500"];
        let (status, seen) = json(RELIABLE, &args);
        assert_eq!(status, Some(0), "nothing is expected, and nothing found: {seen:#}");
        assert_eq!((&seen["all"], &seen["runs"]), (&false.into(), &2500.into()));
        assert_eq!(seen["strategy"], strategy);
        let folder = tempfile::tempdir().expect("a folder");
        let text = explore(folder.path(), RELIABLE, &args).stdout;
        let text = String::from_utf8(text).expect("UTF-8");
        assert!(text.contains(&format!("sampled 2500 runs ({strategy})")), "{text}");
        assert!(text.contains("no violation in 2500 sampled runs"), "{text}");
        assert!(!text.contains("all,"), "{text}");
        assert_eq!(text.contains("of at least 1 in"), strategy == "pct:2", "{text}");
        let of_two = json(RELIABLE, &[&args[..], &["--jobs", "2"]].concat());
        let mut of_one = json(RELIABLE, &[&args[..], &["--jobs", "1"]].concat());
        of_one.1["scenario"] = of_two.1["scenario"].clone();
        assert_eq!(of_one, of_two);
    }
}

#[test]
fn a_sampled_violation_becomes_a_scenario_that_shows_it_again() {
    for strategy in ["random", "pos", "pct:1", "guided"] {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("found");
        let args = ["--strategy", strategy, "-o", out.to_str().expect("UTF-8")];
        let done = explore(folder.path(), BEST_EFFORT, &args);
        assert_eq!(done.status.code(), Some(0), "it is expected: {done:?}");
        let file = out.join("small-rb.agreement.toml");
        let again = ftsim(&["run", file.to_str().expect("UTF-8")]);
        assert_eq!(again.status.code(), Some(0), "{again:?}");
        let args = ["--strategy", strategy, "--crashes", "0", "--runs", "100"];
        let missed = explore(folder.path(), BEST_EFFORT, &args);
        assert_eq!(missed.status.code(), Some(1), "{missed:?}");
    }
}

#[test]
fn a_strategy_has_a_known_name() {
    let folder = tempfile::tempdir().expect("a folder");
    for strategy in ["pct", "pct:0", "pct:x", "best"] {
        let done = explore(folder.path(), RELIABLE, &["--strategy", strategy]);
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(2), "{done:?}");
        assert!(told.contains("random, pos, guided, or pct:D"), "{told}");
    }
}

#[test]
fn what_is_not_expected_and_what_is_not_found_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let surprised = BEST_EFFORT.replace("[expect]\nviolated = [\"rb.agreement\"]\n", "");
    let done = explore(folder.path(), &surprised, &[]);
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    let disappointed = explore(folder.path(), BEST_EFFORT, &["--crashes", "0"]);
    assert_eq!(disappointed.status.code(), Some(1), "{disappointed:?}");
    let cut = explore(folder.path(), RELIABLE, &["--runs", "3"]);
    assert_eq!(cut.status.code(), Some(3), "{cut:?}");
}

#[test]
fn a_scenario_says_how_it_is_explored_and_options_go_before() {
    let said = format!("{RELIABLE}\n[explore]\ncrashes = 1\nlosses = 2\ntime = \"lockstep\"\n");
    let (_, seen) = json(&said, &[]);
    let budget =
        |seen: &Value| (seen["budget"]["crashes"].clone(), seen["budget"]["losses"].clone());
    assert_eq!((&seen["time"], budget(&seen)), (&"lockstep".into(), (1.into(), 2.into())));
    let (_, seen) = json(&said, &["--crashes", "0", "--time", "free"]);
    assert_eq!((&seen["time"], budget(&seen)), (&"free".into(), (0.into(), 2.into())));
    let folder = tempfile::tempdir().expect("a folder");
    let huge = format!("{RELIABLE}\n[explore]\nsteps = 513\n");
    let done = explore(folder.path(), &huge, &[]);
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(2), "{done:?}");
    assert!(told.contains("513 is out of range") && told.contains("expected 1 to 512"), "{told}");
}

#[test]
fn what_cannot_be_explored_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let lies = "protocol = \"phase-king\"\nprocesses = 4\n";
    let many = "protocol = \"beb\"\nprocesses = 100\n";
    for (scenario, reason) in [(lies, "lies"), (many, "at most")] {
        let done = explore(folder.path(), scenario, &[]);
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(2), "{done:?}");
        assert!(told.contains(reason), "{told}");
    }
    let done = explore(folder.path(), RELIABLE, &["--steps", "1000000"]);
    assert_eq!(done.status.code(), Some(2), "{done:?}");
}

#[test]
fn lineage_proves_with_fewer_runs_than_there_are_patterns() {
    let (status, seen) = json(FLOODSET, &["--strategy", "lineage"]);
    assert_eq!((status, &seen["all"]), (Some(0), &true.into()), "{seen:#}");
    let patterns: u64 = seen["patterns"].as_str().and_then(|n| n.parse().ok()).expect("a number");
    let runs = seen["runs"].as_u64().expect("a number");
    assert!(0 < runs && runs < patterns, "{runs} of {patterns}");
    let (_, again) = json(FLOODSET, &["--strategy", "lineage"]);
    let about = ["patterns", "runs", "steps", "longest", "properties"];
    assert!(about.iter().all(|key| seen[key] == again[key]), "{seen:#}\n{again:#}");
}

#[test]
fn what_lineage_finds_becomes_a_scenario_that_shows_it_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("found");
    let args = ["--strategy", "lineage", "-o", out.to_str().expect("UTF-8")];
    let done = explore(folder.path(), BEST_EFFORT, &args);
    assert_eq!(done.status.code(), Some(0), "it is expected: {done:?}");
    let file = out.join("small-rb.agreement.toml");
    let again = ftsim(&["run", file.to_str().expect("UTF-8")]);
    assert_eq!(again.status.code(), Some(0), "{again:?}");
}

#[test]
fn lineage_is_about_crashes_losses_and_late_messages_in_lockstep() {
    let folder = tempfile::tempdir().expect("a folder");
    for other in [&["--time", "free"][..], &["--recoveries", "1"], &["--unreduced"]] {
        let args = [&["--strategy", "lineage"], other].concat();
        let done = explore(folder.path(), FLOODSET, &args);
        assert_eq!(done.status.code(), Some(2), "{done:?}");
    }
}

#[test]
fn late_messages_are_for_lineage_and_links_without_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let fifo = format!("{FLOODSET}\n[network]\norder = \"fifo\"\n");
    for (scenario, strategy) in [(FLOODSET, "exhaustive"), (fifo.as_str(), "lineage")] {
        let done = explore(folder.path(), scenario, &["--strategy", strategy, "--late", "1"]);
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!((done.status.code(), told.contains("--late")), (Some(2), true), "{done:?}");
    }
}

/// Two crashes and one late message of four processes, as the catalogue says.
#[test]
fn lineage_finds_the_rarest_mutant_of_flooding_consensus() {
    let folder = tempfile::tempdir().expect("a folder");
    let [out, shrunk] = ["found", "shrunk.toml"].map(|name| folder.path().join(name));
    let out = out.to_str().expect("UTF-8");
    let file = "scenarios/consensus/flooding-consensus-close-round.toml";
    let patterns = ["--strategy", "lineage", "--crashes", "2", "--late", "1", "-o", out];
    let done = ftsim(&[&["explore", file][..], &patterns].concat());
    assert_eq!(done.status.code(), Some(0), "it is expected: {done:?}");
    let found = format!("{out}/flooding-consensus-close-round-cons.agreement.toml");
    let again = ftsim(&["run", &found]);
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    let done = ftsim(&["shrink", &found, "-o", shrunk.to_str().expect("UTF-8")]);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    let text = fs::read_to_string(&shrunk).expect("it was written");
    let count = |what: &str| text.matches(what).count();
    let counts = ["crash        =", "[[fault]]", "[[message]]"].map(count);
    assert_eq!((counts, text.contains("processes = 4")), ([2, 2, 1], true), "{text}");
}

/// Three processes that want to enter while a token goes round for ever.
const TOKEN_RING: &str = r#"
protocol  = "token-ring"
processes = 3
workload  = { entries = 1, at = "0s" }
explore   = { time = "free" }
"#;

#[test]
fn all_states_are_seen_where_runs_have_no_end() {
    let args = ["--strategy", "states"];
    let (status, seen) = json(TOKEN_RING, &args);
    assert_eq!((status, &seen["all"]), (Some(0), &true.into()), "{seen:#}");
    let count = |key: &str| seen[key].as_u64().expect("a number");
    // All runs go round in the end. Only those in which nobody waits for ever are judged.
    assert_eq!((count("states"), count("cycles"), count("fair_cycles")), (139, 8, 1));
    assert_eq!(count("runs"), 1, "the fair cycle, and no end");
    let (_, again) = json(TOKEN_RING, &args);
    assert_eq!(seen["states"], again["states"]);
    // Nothing else finds an end here.
    let (status, _) = json(TOKEN_RING, &["--runs", "100"]);
    assert_eq!(status, Some(3));
}

#[test]
fn a_search_through_states_stops_when_it_is_told() {
    let (status, seen) = json(TOKEN_RING, &["--strategy", "states", "--runs", "1"]);
    assert_eq!(seen["all"], true, "it looks after every 256 states: {seen:#}");
    assert_eq!(status, Some(0));
    let two = "protocol = \"abd\"\n[processes]\nserver = 3\nclient = 2\n";
    let (status, seen) = json(two, &["--strategy", "states", "--runs", "1000"]);
    assert_eq!((status, &seen["all"]), (Some(3), &false.into()), "{seen:#}");
}
