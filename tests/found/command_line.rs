//! Defects of the commands.

mod accepted;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use accepted::parse;
use ftsim::run;
use ftsim::run::repro;
use ftsim::scenario::Scenario;
use ftsim::shrink::{Effort, Target, shrink, weight_of};
use ftsim_core::fault::Trigger;

/// The sender of a best-effort broadcast dies between two of its sends.
const DIES: &str = r#"
protocol = "beb"
check = ["rb.agreement"]
processes = 3
[params]
mutant = "as-rb"
[workload]
senders = ["p0"]
[[fault]]
when = { process = "p0", sends = "Data", nth = 1 }
crash = "p0"
[expect]
violated = ["rb.agreement"]
vacuous = ["beb.validity", "rb.validity"]
"#;

/// A folder of the test's own, empty but for these files.
fn folder(test: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("command_line").join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    for (name, text) in files {
        fs::write(folder.join(name), text).expect("a file");
    }
    folder
}

/// Runs ftsim in this folder.
fn ftsim(folder: &PathBuf, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    command.current_dir(folder).args(args).output().expect("ftsim starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// The command fails with status 2 and says this.
fn refused(folder: &PathBuf, args: &[&str], said: &str) {
    let output = ftsim(folder, args);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {}{}", stdout(&output), stderr(&output));
    assert!(stderr(&output).contains(said), "{args:?}: {}", stderr(&output));
}

#[test]
fn seeds_that_toml_cannot_say_are_refused_wherever_they_are_written() {
    let last = "9223372036854775807";
    let beyond = "9223372036854775808";
    let largest = "18446744073709551615";
    let cases = [
        (format!("first_seed = {largest}"), "TOML has no integer as large as this"),
        (format!("first_seed = {beyond}"), "TOML has no integer as large as this"),
        (format!("seeds = {largest}"), "TOML has no integer as large as this"),
        (format!("first_seed = {last}\nseeds = 3"), "seeds end at 9223372036854775807"),
        (format!("first_seed = {last}"), "seeds end at 9223372036854775807"),
    ];
    for (index, (run, said)) in cases.iter().enumerate() {
        let text = format!("{DIES}[run]\n{run}\n");
        let folder = folder(&format!("seeds-{index}"), &[("x.toml", &text)]);
        refused(&folder, &["check", "x.toml"], said);
        refused(&folder, &["sweep", "x.toml", "--out", "o"], said);
    }
    let masked = format!("{DIES}[[mask]]\nprocess = \"p0\"\nrequest = {beyond}\n");
    let folder = folder("seeds-typed", &[("x.toml", DIES), ("masked.toml", &masked)]);
    refused(&folder, &["check", "masked.toml"], "masked.toml:17:11");
    let seeds_end = "seeds end at 9223372036854775807";
    for command in ["run", "replay", "shrink", "explain"] {
        refused(&folder, &[command, "x.toml", "--seed", beyond], seeds_end);
    }
    refused(
        &folder,
        &["diff", "x.toml", "x.toml", "--seed", "1", "--other-seed", beyond],
        seeds_end,
    );
    refused(&folder, &["run", "x.toml", "--seeds", beyond], seeds_end);
    refused(
        &folder,
        &["sweep", "x.toml", "--seeds", &format!("5..{beyond}"), "--out", "o"],
        seeds_end,
    );
    let from_commit = ["--seeds", last, "--seed-from-commit", "ffffffffffff", "--out", "o"];
    let sweep = [["sweep", "x.toml"].as_slice(), from_commit.as_slice()].concat();
    refused(&folder, &sweep, "the last seed");
    assert!(!folder.join("o").exists());
}

#[test]
fn the_last_seed_runs_and_its_repro_is_the_same_run() {
    let text = format!("{DIES}[run]\nfirst_seed = 9223372036854775806\nseeds = 1\n");
    let folder = folder("last-seed", &[("x.toml", &text)]);
    let last = "9223372036854775807";
    let range = "9223372036854775806..9223372036854775807";
    for (seed, seeds) in [("9223372036854775806", vec!["--seeds", range]), (last, vec![])] {
        let mut sweep = vec!["sweep", "x.toml", "--shrink", "off", "--out", seed];
        sweep.extend(seeds);
        if seed == last {
            let text = text.replace("775806", "775807");
            fs::write(folder.join("x.toml"), text).expect("a file");
        }
        let output = ftsim(&folder, &sweep);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let repro = format!("{seed}/x/repros/seed-{seed}.toml");
        let output = ftsim(&folder, &["replay", &repro]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(stdout(&output).contains(&format!("seed       {seed}\n")));
    }
}

/// A small two-phase commit in which every crash point of a seed is run.
const EVERY: &str = r#"
protocol = "two-phase-commit"
processes = { coordinator = 1, participant = 2 }
workload = { transactions = 1 }
[random]
crash_points = "every"
[expect]
vacuous = ["ac.non-triviality", "ac.termination"]
[run]
horizon = "2s"
"#;

/// A vote before it is logged: in some crash points of each seed somebody decides otherwise.
const EVERY_BROKEN: &str = "[params]\nmutant = \"vote-before-log\"\n";

#[test]
fn a_drawn_fault_of_size_zero_is_refused_and_none_is_drawn() {
    let sizes = [
        "reorder = { F, duration = D, within = \"0s\" }",
        "delay = { F, duration = D, by = \"0s\" }",
        "late = { F, duration = D, by = \"0s\" }",
        "skew = { F, duration = D, by = \"0s\" }",
        "slow_sync = { F, duration = D, by = \"0s\" }",
        "jump = { F, by = \"0s\" }",
    ];
    let refused = parse(include_str!("cases/repro-rejected.toml"));
    assert_eq!(refused.map(drop), Err("a fault of 0ms does nothing".to_owned()));
    for kind in sizes {
        let of = |kind: &str| {
            let kind = kind.replace("D,", "\"1ms..2ms\",");
            let kind = kind.replace("F,", "count = 3, between = \"0s..20ms\",");
            format!("protocol = \"beb\"\nprocesses = 3\n[random]\nmax_faulty = 3\n{kind}\n")
        };
        let text = of(kind);
        let message = parse(&text).map(drop).expect_err("nothing can be drawn");
        assert_eq!(message, "a fault of 0ms does nothing", "{text}");
        // Half of these draws are zero.
        let text = of(&kind.replace("by = \"0s\"", "by = \"0s..1ns\""));
        let Ok(scenario) = parse(&text) else {
            assert!(kind.starts_with("reorder"));
            continue;
        };
        for seed in 1..20 {
            let recorded = run::record(&scenario, seed).expect("a run");
            let repro = repro::text(&scenario, "a test", &recorded).expect("a repro");
            assert!(parse(&repro).is_ok(), "{repro}");
        }
    }
}

#[test]
fn what_is_drawn_beyond_what_a_fault_may_be_is_refused() {
    let head = "protocol = \"floodset\"\nprocesses = 3\n[params]\nf = 1\n";
    let cases = [
        ("[random]\ndelay = { F, duration = \"1ms\", by = \"1ms\" }", "messages could take 11ms"),
        (
            "[random]\nreorder = { F, duration = \"1ms\", within = \"1ms\" }",
            "messages could take 11ms",
        ),
        (
            "[random]\npartition = { F, duration = \"1ms\", shape = \"ring-of-majorities\" }",
            "3 processes are too few for this shape",
        ),
        (
            "[liveness]\nmode = \"heal-all\"\nat = \"20ms\"\n\
             [random]\nmax_faulty = 1\ncrash = { F }",
            "the last fault could strike at 20ms, after all faults have ended",
        ),
        (
            "[network]\nstabilise_at = \"20ms\"\n[random]\nmax_faulty = 1\n\
             slow = { F, duration = \"1ms\", factor = 2 }",
            "a `slow` could last until 21ms",
        ),
    ];
    for (section, said) in cases {
        let section = section.replace("F,", "count = 1, between = \"0s..20ms\",");
        let section = section.replace("F }", "count = 1, between = \"0s..20ms\" }");
        assert_eq!(parse(&format!("{head}{section}\n")).map(drop), Err(said.to_owned()));
    }
}

#[test]
fn liars_that_are_drawn_into_a_circle_have_a_repro() {
    let text = "protocol = \"phase-king\"\nprocesses = 9\n[random]\nmax_faulty = 2\n\
                byzantine = { count = \"1..3\", between = \"0s..5ms\", \
                behaviour = { collude = { with = [\"p0\", \"p1\", \"p2\", \"p3\"] } } }\n";
    let scenario = parse(text).expect("a scenario");
    for seed in 1..60 {
        let recorded = run::record(&scenario, seed).expect("a run");
        let repro = repro::text(&scenario, "a test", &recorded).expect("a repro");
        let again = parse(&repro).unwrap_or_else(|why| panic!("seed {seed}: {why}\n{repro}"));
        assert_eq!(run::run(&again, seed).expect("a run").digest, recorded.0.digest);
    }
}

/// Shrinks a file; the result is accepted, and runs as it says.
fn shrinks(folder: &PathBuf, args: &[&str]) {
    let output = ftsim(folder, &[&["shrink"], args, &["-o", "small.toml"]].concat());
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
    let output = ftsim(folder, &["run", "small.toml"]);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}{}", stdout(&output), stderr(&output));
}

#[test]
fn each_crash_point_has_the_targets_that_its_seed_chooses() {
    let text = include_str!("cases/crash-points-and-any-process.toml");
    let scenario = parse(text).expect("a scenario");
    let every = scenario.crash_points.expect("crash points");
    for seed in 1..4 {
        let points = run::crash_points(&scenario, seed, every).expect("points");
        for (point, plan) in points.iter().step_by(5) {
            let pauses = plan.faults.iter().filter(|fault| fault.trigger != Trigger::Never);
            assert_eq!(pauses.count(), 2, "one pause and the crash");
            let recorded = run::record_either(&scenario, seed, Some(*point)).expect("a run");
            let repro = repro::text(&scenario, "a test", &recorded).expect("a repro");
            let again = parse(&repro).expect("a scenario");
            assert_eq!(run::run(&again, seed).expect("a run").digest, recorded.0.digest);
        }
    }
}

#[test]
fn a_run_without_the_fault_that_its_mutant_needs_can_be_shrunk() {
    // The fault comes when all is over, or is an empty list; garbled messages do the harm.
    let text = include_str!("cases/shrink-mutant-without-its-fault.toml");
    let folder = folder("no-fault", &[("x.toml", text)]);
    shrinks(&folder, &["x.toml", "--property", "reg.linearizable", "--budget", "20s"]);
}

#[test]
fn what_the_workload_drew_stays_when_processes_are_left_out() {
    // Two processes do, whoever has drawn the values that differ.
    let text = "protocol = 'all-to-all-consensus'\nprocesses = 6\nparams = { mutant = 'timeout' }\n\
                workload = { draw_below = 3 }\nnetwork = { delay = '1ms..60ms' }\n";
    let scenario = parse(text).expect("a scenario");
    let halt = AtomicBool::new(false);
    let budget = Duration::from_secs(600);
    let effort = Effort { budget, halt: &halt, progress: &|_, _| {} };
    let mut shrunk_count = 0;
    for seed in 1..50 {
        let outcome = run::run(&scenario, seed).expect("a run");
        let Some(target) = Target::of(&outcome, &[]) else { continue };
        let shrunk = shrink(&scenario, &outcome, &target, &effort).expect("no failure of ftsim");
        assert_eq!(shrunk.after.processes, 2, "seed {seed}:\n{}", shrunk.text);
        shrunk_count += 1;
    }
    assert!(shrunk_count >= 5, "{shrunk_count} runs fail");
}

#[test]
fn slowness_has_no_bounds_of_its_own() {
    let text = include_str!("cases/slow-times-forty.toml");
    let scenario = parse(text).expect("a scenario");
    for seed in 1..4 {
        run::run(&scenario, seed).expect("a run");
    }
}

#[test]
fn a_run_whose_ties_are_drawn_can_be_shrunk() {
    let text = include_str!("cases/shrink-drawn-ties.toml");
    let folder = folder("ties", &[("x.toml", text)]);
    for seed in ["1", "2", "3"] {
        let args = ["shrink", "x.toml", "--seed", seed, "--budget", "5s", "-o", "small.toml"];
        let output = ftsim(&folder, &args);
        // Not every seed fails; none fails ftsim.
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}", stderr(&output));
    }
}

#[test]
fn no_message_of_a_shrunk_scenario_takes_longer_than_its_horizon() {
    let text = include_str!("cases/shrink-beyond-horizon.toml");
    let folder = folder("beyond-horizon", &[("x.toml", text)]);
    shrinks(&folder, &["x.toml"]);
}

#[test]
#[expect(clippy::disallowed_types, reason = "how long it takes is what is wrong")]
fn shrinking_ends_when_its_time_is_up_with_a_scenario_that_runs_as_it_says() {
    let text = include_str!("cases/shrink-other-run.toml").replace("200", "60");
    let folder = folder("no-time", &[("x.toml", &text)]);
    for budget in ["0s", "100ms"] {
        // Thousands of messages are written out when it begins: to look at each took minutes.
        let began = std::time::Instant::now();
        shrinks(&folder, &["x.toml", "--budget", budget]);
        assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
    }
}

#[test]
fn run_and_sweep_take_the_same_seeds_where_every_crash_point_is_run() {
    let folder = folder("every", &[("x.toml", EVERY)]);
    let report = |args: &[&str]| {
        let output = ftsim(&folder, args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stdout(&output));
        stdout(&output).lines().next().expect("a row").to_owned()
    };
    let of = |seeds: &[&str], out: &str| {
        let run = report(&[&["run", "x.toml"], seeds].concat());
        assert_eq!(run, report(&[&["sweep", "x.toml", "--out", out], seeds].concat()));
        let words: Vec<&str> = run.split_whitespace().collect();
        let at = words.windows(2).position(|two| two == ["crash", "points"]).expect("points");
        (words[at - 1].parse::<u64>().expect("a number"), run)
    };
    let (one, row) = of(&[], "one");
    assert!(!row.contains("seeds") && one > 10, "{row}");
    let (three, row) = of(&["--seeds", "3"], "three");
    assert!(row.contains(" of 3 seeds") && three > 2 * one, "{row}");
    let text = EVERY.replace("[run]", "[run]\nseeds = 3");
    fs::write(folder.join("x.toml"), text).expect("a file");
    assert_eq!(of(&[], "own").0, three);
}

#[test]
fn a_crash_point_beyond_the_last_effect_is_refused() {
    let text = format!("{EVERY}{EVERY_BROKEN}");
    let folder = folder("no-point", &[("x.toml", &text)]);
    let said = "effects in seed 1: there is no crash point p0:7000";
    for command in ["replay", "explain", "shrink"] {
        let args = [command, "x.toml", "--seed", "1", "--crash-point", "p0:7000"];
        refused(&folder, &args, said);
    }
    refused(&folder, &["shrink", "x.toml", "--crash-point", "p0:7000"], said);
    let record = ["record", "x.toml", "--seed", "1", "--crash-point", "p0:7000", "-o", "r"];
    refused(&folder, &record, said);
    assert!(!folder.join("r").exists());
    let diff = ["diff", "x.toml", "x.toml", "--seed", "1", "--crash-point", "p0:7000"];
    refused(&folder, &diff, said);
    let output = ftsim(&folder, &["replay", "x.toml", "--seed", "1", "--crash-point", "p0:7"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

/// The seeds that a sweep's summary says it has run.
fn summary(folder: &std::path::Path, out: &str) -> serde_json::Value {
    let text = fs::read_to_string(folder.join(out).join("x/summary.json")).expect("a summary");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn until_failure_passes_by_failures_that_are_expected() {
    let lossy = "protocol = \"beb\"\ncheck = [\"rb.agreement\"]\nprocesses = 3\n\
                 workload = { senders = [\"p0\"] }\n[random]\nmax_faulty = 1\n\
                 crash = { count = \"0..1\", between = \"0ms..20ms\" }\n";
    let expected = format!("{lossy}[expect]\nviolated = [\"rb.agreement\"]\n");
    let folder = folder("until", &[("x.toml", &expected)]);
    let sweep = |options: &[&str], out: &str| {
        let args = ["sweep", "x.toml", "--seeds", "0..300", "--shrink", "off", "--out", out];
        let output = ftsim(&folder, &[&args, options].concat());
        assert!(output.status.code().is_some_and(|code| code < 2), "{}", stderr(&output));
        summary(&folder, out)["sweep"].clone()
    };
    let passed = sweep(&["--until-failure"], "passed");
    assert_eq!(passed["scenario"]["seeds"]["until"], 300);
    assert!(passed["failing"].as_u64() > Some(3));
    let first = passed["groups"][0]["examples"][0]["seed"].as_u64().expect("a seed");
    let named = sweep(&["--until", "rb.agreement"], "named");
    assert_eq!(named["scenario"]["seeds"]["until"], first + 1);
    fs::write(folder.join("x.toml"), lossy).expect("a file");
    let unexpected = sweep(&["--until-failure"], "unexpected");
    assert_eq!(unexpected["scenario"]["seeds"]["until"], first + 1);
    let none = sweep(&["--until", "panicked"], "none");
    assert_eq!(none["scenario"]["seeds"]["until"], 300);
    let args = ["sweep", "x.toml", "--until", "rb.nonsense", "--out", "bad"];
    refused(&folder, &args, "x.toml does not check rb.nonsense; it checks beb.validity");
    let both = ["sweep", "x.toml", "--until", "rb.agreement", "--until-failure", "--out", "bad"];
    assert_eq!(ftsim(&folder, &both).status.code(), Some(2));
}

#[test]
fn a_sweep_names_the_smallest_that_the_first_failing_runs_shrink_to() {
    let text = "protocol = \"beb\"\ncheck = [\"rb.agreement\"]\nprocesses = 4\n\
                [random]\nmax_faulty = 3\n\
                crash = { count = \"1..3\", between = \"0ms..20ms\" }\n\
                loss = { count = \"0..2\", between = \"0ms..5ms\", duration = \"1ms..9ms\", \
                probability = 0.5 }\n[run]\nseeds = 60\nhorizon = \"1s\"\n";
    let folder = folder("smallest", &[("x.toml", text)]);
    assert_eq!(ftsim(&folder, &["sweep", "x.toml", "--out", "o"]).status.code(), Some(1));
    let summary = summary(&folder, "o");
    let catalogue = ftsim::Catalogue::builtin();
    let mut later = 0;
    for group in summary["sweep"]["groups"].as_array().expect("groups") {
        let property = group["property"].as_str().expect("a property");
        let name = |example: &serde_json::Value| {
            let repro = example["repro"].as_str().expect("a repro");
            let stem = repro.trim_start_matches("repros/").trim_end_matches(".toml");
            format!("shrunk/{stem}-{property}.toml")
        };
        let weight = |name: &str| {
            let file = fs::read_to_string(folder.join("o/x").join(name)).expect("a file");
            let small = Scenario::parse(name, &file, &catalogue).expect("a scenario");
            weight_of(&small, small.seeds.start, property).expect("it fails")
        };
        let names: Vec<String> =
            group["examples"].as_array().expect("examples").iter().map(name).collect();
        let smallest = names.iter().map(|name| weight(name)).min().expect("an example");
        let named = group["shrunk"].as_str().expect("a shrunk file");
        assert_eq!(weight(named), smallest);
        later += u32::from(weight(&names[0]) > smallest);
    }
    assert!(later > 0, "the first was the smallest in every group, which shows little");
}

#[test]
fn messages_steps_and_bytes_are_told_over_all_seeds() {
    let text = "protocol = \"beb\"\nprocesses = 3\nworkload = { senders = [\"p0\"] }\n";
    let folder = folder("traffic", &[("x.toml", text)]);
    let run = |args: &[&str]| stdout(&ftsim(&folder, &[&["run", "x.toml"], args].concat()));
    let json = |args: &[&str]| -> serde_json::Value {
        let text = run(&[args, &["--format", "json"]].concat());
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        value["scenarios"][0]["traffic"].clone()
    };
    let scenario = parse(text).expect("a scenario");
    let outcomes: Vec<_> = (1..101).map(|seed| run::run(&scenario, seed).expect("a run")).collect();
    let mut steps: Vec<u64> = outcomes.iter().map(|outcome| outcome.statistics.events).collect();
    let sent: u64 = outcomes.iter().map(|outcome| outcome.statistics.sent()).sum();
    steps.sort_unstable();
    let told = json(&[]);
    assert_eq!(told["messages"]["total"], sent);
    assert_eq!(told["kinds"]["Data"], sent);
    assert_eq!(told["steps"]["total"], steps.iter().sum::<u64>());
    let quantiles = [("min", 0), ("p50", 49), ("p99", 98), ("max", 99)];
    for (name, index) in quantiles {
        assert_eq!(told["steps"][name], steps[index], "{name}");
    }
    assert_eq!(told["bytes"], serde_json::Value::Null);
    // Bytes are those of what a trace shows as JSON, and to count them changes no run.
    let bytes = json(&["--figures"])["bytes"]["total"].as_u64().expect("bytes");
    assert!(bytes >= 5 * sent && bytes < 100 * sent, "{bytes} bytes, {sent} messages");
    let text = run(&["--figures"]);
    assert!(text.contains(&format!("\nmessages   {sent}; a run: mean ")), "{text}");
    assert!(text.contains(&format!("\nbytes      {bytes}; a run: mean ")), "{text}");
    for out in ["one", "parts"] {
        let args = ["sweep", "x.toml", "--seeds", "1..101", "--out", out];
        let shown = if out == "one" {
            stdout(&ftsim(&folder, &args))
        } else {
            for part in ["1/2", "2/2"] {
                let out = format!("part-{}", &part[..1]);
                let args = ["sweep", "x.toml", "--seeds", "1..101", "--shard", part, "--out", &out];
                assert_eq!(ftsim(&folder, &args).status.code(), Some(0));
            }
            stdout(&ftsim(&folder, &["merge", "part-1", "part-2", "--out", out]))
        };
        assert!(shown.contains(&format!("\nmessages   {sent}; a run: mean ")), "{shown}");
        assert_eq!(summary(&folder, out)["sweep"]["scenario"]["traffic"], told);
    }
    let args = ["sweep", "x.toml", "--seeds", "1..101", "--bytes", "--out", "bytes"];
    let shown = stdout(&ftsim(&folder, &args));
    assert!(shown.contains(&format!("\nbytes      {bytes}; a run: mean ")), "{shown}");
}
