//! Guards the binary as a shell sees it: output, errors, exit status.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use expect_test::{expect, expect_file};

/// A scenario in which the sender of a broadcast dies after its second message.
const DIES: &str = r#"
protocol = "beb"
processes = 4
check = ["rb.agreement"]
[workload]
senders = ["p0", "p3"]
[[fault]]
when = { process = "p0", sends = "Data", nth = 2 }
crash = "p0"
[run]
seeds = 20
"#;

const AS_EXPECTED: &str = "[expect]\nviolated = [\"rb.agreement\"]\n";

/// Runs ftsim in a folder of the test's own that holds these files.
fn ftsim(test: &str, files: &[(&str, &str)], args: &[&str]) -> Output {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    fs::create_dir_all(&folder).expect("a folder");
    for (name, text) in files {
        fs::write(folder.join(name), text).expect("a file");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    command.current_dir(folder).args(args).output().expect("ftsim starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

#[test]
fn help_lists_the_exit_status() {
    let output = ftsim("help", &[], &["--help"]);
    assert_eq!(output.status.code(), Some(0));
    for line in ["run ", "replay ", "Exit status:", "   70  ftsim itself failed"] {
        assert!(stdout(&output).contains(line), "{line}: {}", stdout(&output));
    }
    assert_eq!(ftsim("help", &[], &["frobnicate"]).status.code(), Some(2));
}

#[test]
fn a_misspelt_key_is_shown_with_its_place_and_its_neighbour() {
    let bad = "protocol = \"beb\"\nprocesses = 3\n[network]\ndealy = \"5ms\"\n";
    let output = ftsim("misspelt", &[("x.toml", bad)], &["run", "x.toml"]);
    assert_eq!(output.status.code(), Some(2));
    expect![[r#"
        error: unknown field `dealy`
         --> x.toml:4:1
          |
        4 | dealy = "5ms"
          | ^^^^^
          |
          = note: expected one of `delay`, `loss`, `duplicate`, `order`, `bandwidth`, `corrupt`,
                  `links`, `resend_after`, `stabilise_at`, `bound`, `link`
        help: did you mean `delay`?

    "#]]
    .assert_eq(&stderr(&output));
    let check = ftsim("misspelt", &[], &["check", "x.toml"]);
    assert_eq!((check.status, check.stderr), (output.status, output.stderr));
}

#[test]
fn files_that_cannot_be_read_are_told_and_the_others_still_run() {
    let good = format!("{DIES}{AS_EXPECTED}");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("unreadable");
    fs::create_dir_all(folder.join("empty")).expect("a folder");
    fs::write(folder.join("latin.toml"), [b'#', 0xe9, b'\n']).expect("a file");
    let args = ["run", "none.toml", "no*.toml", "empty", "latin.toml", "good.toml"];
    let output = ftsim("unreadable", &[("good.toml", &good)], &args);
    assert_eq!(output.status.code(), Some(2));
    assert!(stdout(&output).contains("1 scenario, 20 runs: 1 as expected"), "{}", stdout(&output));
    expect![[r#"
        error: there is no such file
        --> none.toml

        error: no file matches
        --> no*.toml

        error: no file in this folder ends in `.toml`
        --> empty

        error: not UTF-8 from byte 1 on
        --> latin.toml

    "#]]
    .assert_eq(&stderr(&output));
}

#[test]
fn a_scenario_that_comes_out_as_expected_is_one_row() {
    let good = format!("{DIES}{AS_EXPECTED}");
    let output = ftsim("expected", &[("x.toml", &good)], &["run", "x.toml"]);
    assert_eq!(output.status.code(), Some(0));
    expect![[r#"
        ok  x.toml  beb  20 seeds  4 held; rb.agreement violated in 20, as expected

        1 scenario, 20 runs: 1 as expected
    "#]]
    .assert_eq(&stdout(&output));
    assert_eq!(stderr(&output), "");
}

#[test]
fn a_surprise_ends_with_the_command_that_replays_it() {
    let output = ftsim("surprise", &[("x y.toml", DIES)], &["run", "x y.toml", "--seeds", "5..8"]);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    assert!(text.starts_with("UNEXPECTED  x y.toml  beb  seeds 5..8  "), "{text}");
    assert!(text.contains("x y.toml: rb.agreement violated in 3 of 3 seeds; "), "{text}");
    assert!(text.contains("replay: ftsim replay 'x y.toml' --seed 5\n"), "{text}");
}

#[test]
fn what_was_expected_and_did_not_come_is_a_surprise() {
    let cases = [
        ("[expect]\nviolated = [\"rb.no-creation\"]\n", "rb.no-creation expected to be violated"),
        ("[expect]\nvacuous = [\"rb.no-creation\"]\n", "rb.no-creation expected to be vacuous"),
        ("[expect]\nundecided = [\"rb.validity\"]\n", "rb.validity expected to be undecided"),
        ("[expect]\nreached = [\"blocked\"]\n", "blocked expected to be reached"),
        (
            "[[fault]]\nafter_effect = { process = \"p1\", nth = 900 }\nheal = true\n",
            "fault 2 never",
        ),
    ];
    for (rest, told) in cases {
        let scenario = format!("{DIES}{rest}");
        let output = ftsim("absent", &[("x.toml", &scenario)], &["run", "x.toml"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stdout(&output).contains(told), "{told}: {}", stdout(&output));
    }
}

#[test]
fn what_cannot_be_judged_has_a_status_of_its_own() {
    let cut = "protocol = \"eager-rb\"\nprocesses = 4\n[[fault]]\nat = \"0ms\"\n\
               partition = { shape = \"halves\" }\n";
    let output = ftsim("undecided", &[("x.toml", cut)], &["run", "x.toml"]);
    assert_eq!(output.status.code(), Some(3), "{}", stdout(&output));
    assert!(stdout(&output).starts_with("undecided  "), "{}", stdout(&output));
}

#[test]
fn what_was_expected_to_be_undecided_is_no_surprise() {
    let cut = "protocol = \"eager-rb\"\nprocesses = 4\n[[fault]]\nat = \"0ms\"\n\
               partition = { shape = \"halves\" }\n[run]\nseeds = 20\n\
               [expect]\nundecided = [\"beb.validity\", \"rb.agreement\"]\n";
    let output = ftsim("undecided-expected", &[("x.toml", cut)], &["run", "x.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    expect![[r#"
        ok  x.toml  eager-rb  20 seeds  3 held; beb.validity undecided in 20, as expected; rb.agreement undecided in 20, as expected

        1 scenario, 20 runs: 1 as expected
    "#]]
    .assert_eq(&stdout(&output));
}

#[test]
fn results_are_the_same_on_any_number_of_threads() {
    let run = |jobs| {
        let args = ["run", "x.toml", "--seeds", "200", "--format", "json", "--jobs", jobs];
        ftsim("threads", &[("x.toml", DIES)], &args).stdout
    };
    let one = run("1");
    assert!(!one.is_empty());
    assert_eq!(one, run("2"));
    assert_eq!(one, run("7"));
}

#[test]
fn json_holds_the_same_facts() {
    let args = ["run", "x.toml", "--format", "json"];
    let output = ftsim("json", &[("x.toml", DIES)], &args);
    assert_eq!(output.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["schema"], 1);
    let scenario = &json["scenarios"][0];
    assert_eq!(scenario["file"], "x.toml");
    assert_eq!(scenario["seeds"], serde_json::json!({ "from": 1, "until": 21 }));
    assert_eq!(scenario["as_expected"], false);
    assert_eq!(scenario["surprises"][0]["kind"], "violated");
    assert_eq!(scenario["surprises"][0]["replay"], "ftsim replay x.toml --seed 1");
    let properties = scenario["properties"].as_array().expect("a list");
    let agreement = properties.iter().find(|p| p["name"] == "rb.agreement").expect("agreement");
    assert_eq!(agreement["violated"], 20);
    assert_eq!(agreement["first_violating_seed"], 1);
}

/// p1 is down from 100 ms to 400 ms of a second, and p0 sends a message every 200 ms.
const DOWN: &str = r#"
protocol = "reliable-link"
processes = 2
params = { timeout = "100ms", backoff = "constant" }
network = { delay = "10ms" }
workload = { senders = ["p0"], messages = 3, every = "200ms" }
[[fault]]
at = "100ms"
crash = "p1"
recover_after = "300ms"
[[fault]]
at = "1s"
heal = true
[run]
seeds = 20
"#;

#[test]
fn figures_are_those_of_the_script() {
    let output = ftsim("figures", &[("x.toml", DOWN)], &["run", "x.toml", "--figures"]);
    expect![[r#"
        ok  x.toml  reliable-link  20 seeds  4 held

        1 scenario, 20 runs: 1 as expected

        x.toml: figures of 20 runs
        unit       failures  repairs   MTTF   MTTR  MTBF         A         up
        process          20       20   1.7s  300ms    2s  85.000 %   85.000 %
        p1               20       20  700ms  300ms    1s  70.000 %   70.000 %
        series           20       20  700ms  300ms    1s  70.000 %   70.000 %
        parallel          0        0   none   none  none      none  100.000 %
        reliable   0 of 20 runs without a failure
        asked      60 operations, 60 answered (100.000 %)
        latency    mean 83.33ms, half in 30.02ms, 90 % in 210ms, 99 % in 210ms, all in 210ms
        cost       2.67 messages for each operation
        messages   160; a run: mean 8.00, min 8, p50 8, p99 8, max 8
        kinds      100 Data, 60 Ack
        steps      320; a run: mean 16.00, min 16, p50 16, p99 16, max 16
        bytes      8080; a run: mean 404.00, min 404, p50 404, p99 404, max 404
    "#]]
    .assert_eq(&stdout(&output));
    let output = ftsim("figures", &[], &["run", "x.toml", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let figures = &json["scenarios"][0]["figures"];
    expect![[r#"
        {
          "runs": 20,
          "runs_without_failure": 0,
          "process": {
            "failures": 20,
            "repairs": 20,
            "mttf_ns": 1700000000,
            "mttr_ns": 300000000,
            "mtbf_ns": 2000000000,
            "availability": 0.85,
            "up_share": 0.85
          },
          "failed": [
            {
              "process": "p1",
              "failures": 20,
              "repairs": 20,
              "mttf_ns": 700000000,
              "mttr_ns": 300000000,
              "mtbf_ns": 1000000000,
              "availability": 0.7,
              "up_share": 0.7
            }
          ],
          "series": {
            "failures": 20,
            "repairs": 20,
            "mttf_ns": 700000000,
            "mttr_ns": 300000000,
            "mtbf_ns": 1000000000,
            "availability": 0.7,
            "up_share": 0.7
          },
          "parallel": {
            "failures": 0,
            "repairs": 0,
            "mttf_ns": null,
            "mttr_ns": null,
            "mtbf_ns": null,
            "availability": null,
            "up_share": 1.0
          },
          "operations": {
            "asked": 60,
            "answered": 60,
            "answered_share": 1.0,
            "latency_ns": {
              "mean": 83333333,
              "p50": 30015487,
              "p90": 210000000,
              "p99": 210000000,
              "longest": 210000000
            },
            "waited_mean_ns": null
          },
          "messages": 160,
          "messages_per_operation": 2.6666666666666665
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(figures).expect("JSON"));
}

#[test]
fn a_mean_over_no_failures_is_none() {
    let idle = "protocol = \"beb\"\nprocesses = 2\n[network]\ndelay = \"5ms\"\n[run]\nseeds = 3\n";
    let output = ftsim("no-figures", &[("x.toml", idle)], &["run", "x.toml", "--figures"]);
    expect![[r#"
        ok  x.toml  beb  3 seeds  4 held

        1 scenario, 3 runs: 1 as expected

        x.toml: figures of 3 runs
        unit       failures  repairs  MTTF  MTTR  MTBF     A         up
        process           0        0  none  none  none  none  100.000 %
        series            0        0  none  none  none  none  100.000 %
        parallel          0        0  none  none  none  none  100.000 %
        reliable   3 of 3 runs without a failure
        asked      6 operations, 6 answered (100.000 %)
        latency    mean 0s, half in 0s, 90 % in 0s, 99 % in 0s, all in 0s
        cost       1.00 messages for each operation
        messages   6; a run: mean 2.00, min 2, p50 2, p99 2, max 2
        steps      24; a run: mean 8.00, min 8, p50 8, p99 8, max 8
        bytes      60; a run: mean 20.00, min 20, p50 20, p99 20, max 20
    "#]]
    .assert_eq(&stdout(&output));
}

#[test]
fn a_replay_shows_settings_trace_and_verdicts_and_repeats_itself() {
    let args = ["replay", "x.toml", "--seed", "2"];
    let output = ftsim("replay", &[("x.toml", DIES)], &args);
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    let version = format!("ftsim      {}\n", env!("CARGO_PKG_VERSION"));
    expect_file!["../golden/replay.txt"].assert_eq(&text.replace(&version, "ftsim      VERSION\n"));
    for line in text.lines() {
        assert!(!line.starts_with(' ') && !line.ends_with(' '), "{line:?}");
    }
    assert_eq!(output.stdout, ftsim("replay", &[], &args).stdout);
}

#[test]
fn a_replay_as_json_is_an_object_a_line() {
    let args = ["replay", "x.toml", "--seed", "2", "--format", "jsonl"];
    let output = ftsim("replay-jsonl", &[("x.toml", DIES)], &args);
    let text = stdout(&output);
    let parse = |line| serde_json::from_str::<serde_json::Value>(line).expect("JSON");
    let lines: Vec<serde_json::Value> = text.lines().map(parse).collect();
    assert_eq!(lines[0]["seed"], 2);
    assert_eq!(lines[1]["event"], "start");
    let outcome = &lines.last().expect("a last line")["outcome"];
    assert_eq!(outcome["seed"], 2);
    assert_eq!(outcome["statistics"]["crashes"], 1);
    let figures = &lines.last().expect("a last line")["figures"];
    assert_eq!((&figures["runs"], &figures["failed"][0]["process"]), (&1.into(), &"p0".into()));
    assert_eq!(output.stdout, ftsim("replay-jsonl", &[], &args).stdout);
}

#[test]
fn protocols_are_listed_and_described() {
    let list = stdout(&ftsim("list", &[], &["list"]));
    assert!(list.starts_with("protocol"), "{list}");
    assert!(list.contains("beb"), "{list}");
    let described = stdout(&ftsim("list", &[], &["describe", "beb"]));
    for part in ["faults    crash-stop", "senders", "rb.validity", "as-rb", "by `check`"] {
        assert!(described.contains(part), "{part}: {described}");
    }
    for args in [&["list", "--format", "json"][..], &["describe", "beb", "--format", "json"]] {
        let output = ftsim("list", &[], args);
        serde_json::from_slice::<serde_json::Value>(&output.stdout).expect("JSON");
    }
    let unknown = ftsim("list", &[], &["describe", "bep"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert_eq!(stderr(&unknown), "error: unknown protocol `bep`\nhelp: did you mean `beb`?\n");
}

#[test]
fn the_schema_is_the_one_that_is_committed() {
    let output = ftsim("schema", &[], &["schema"]);
    expect_file!["../../docs/scenario.schema.json"].assert_eq(&stdout(&output));
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    let piped = command.arg("schema").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("ftsim starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ftsim ends");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stderr(&output), "");
}

#[test]
fn files_call_ftsim_with_options_that_it_has() {
    let mut calls = 0;
    for file in [
        "docs/ci/github.yml",
        "docs/ci/gitlab.yml",
        "docs/cluster/kubernetes.yml",
        "docs/cluster/sweep.sbatch",
        "docs/cluster/merge.sbatch",
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let text = fs::read_to_string(path).expect("a file");
        let text = text.replace("\"$FTSIM\"", "ftsim").replace("\\\n", "\n");
        for subcommand in ["sweep", "merge"] {
            let Some((_, rest)) = text.split_once(&format!("ftsim {subcommand} ")) else {
                continue;
            };
            // A call ends where its line, and those that are indented like it, end.
            let call = rest.split("\n\n").next().unwrap_or_default();
            let call = call.split("\n      - ").next().unwrap_or_default();
            let call = call.split("\n  artifacts:").next().unwrap_or_default();
            let mut ftsim = Command::new(env!("CARGO_BIN_EXE_ftsim"));
            let help = ftsim.args([subcommand, "--help"]).output().expect("ftsim starts");
            let help = String::from_utf8(help.stdout).expect("UTF-8");
            for option in call.split_whitespace().filter(|word| word.starts_with("--")) {
                assert!(help.contains(&format!(" {option}")), "{file}: {subcommand} {option}");
                calls += 1;
            }
        }
    }
    assert!(calls > 15, "{calls} options found");
}

#[test]
fn a_folder_stands_for_all_scenarios_below_it() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("folders");
    let _ = fs::remove_dir_all(&folder);
    for below in ["a/b", "regressions"] {
        fs::create_dir_all(folder.join(below)).expect("a folder");
    }
    let text = "protocol = \"beb\"\nprocesses = 3\n";
    for name in ["z.toml", "a/y.toml", "a/b/x.toml", "a/notes.txt", "regressions/other.toml"] {
        fs::write(folder.join(name), text).expect("a file");
    }
    for command in ["check", "run"] {
        let mut ftsim = Command::new(env!("CARGO_BIN_EXE_ftsim"));
        let told = ftsim.current_dir(&folder).args([command, "."]).output().expect("ftsim starts");
        let told = String::from_utf8(told.stdout).expect("UTF-8");
        let places: Vec<_> =
            ["./a/b/x.toml", "./a/y.toml", "./z.toml"].map(|name| told.find(name)).to_vec();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{command}: {told}");
        assert!(!told.contains("notes") && !told.contains("regressions"), "{told}");
    }
}
