//! `ftsim check-history`: histories from outside, and those that ftsim writes itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn ftsim(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ftsim")).args(arguments).output().expect("ftsim starts")
}

/// A file in a folder of this test.
fn file(test: &str, name: &str, text: &str) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("check-history-{test}"));
    fs::create_dir_all(&folder).expect("a folder");
    let path: PathBuf = folder.join(name);
    fs::write(&path, text).expect("a file");
    path.display().to_string()
}

/// The exit status, standard output and standard error.
fn check(file: &str, options: &[&str]) -> (i32, String, String) {
    let output = ftsim(&[&["check-history", file], options].concat());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().expect("a status"), text(&output.stdout), text(&output.stderr))
}

/// A history of `process type f value`, an entry for each.
fn edn(entries: &[(u32, &str, &str, &str)]) -> String {
    let entry = |(process, kind, f, value): &(u32, &str, &str, &str)| {
        format!("{{:process {process} :type :{kind} :f :{f} :value {value}}}\n")
    };
    entries.iter().map(entry).collect()
}

const STALE: &[(u32, &str, &str, &str)] = &[
    (0, "invoke", "write", "1"),
    (0, "ok", "write", "1"),
    (1, "invoke", "read", "nil"),
    (1, "ok", "read", "nil"),
];

#[test]
fn a_stale_read_is_shown_with_the_longest_legal_order() {
    let path = file("stale", "stale.edn", &edn(STALE));
    let (status, told, _) = check(&path, &["--model", "register"]);
    assert_eq!(status, 1, "{told}");
    assert!(told.contains("the object is not linearizable"), "{told}");
    assert!(told.contains("line 1  process 0  write 1 -> ok"), "{told}");
    let misfit = "line 3  process 1  read nil -> ok  (it would be 1; the first answer that";
    assert!(told.contains(misfit), "{told}");
    let (status, json, _) = check(&path, &["--model", "register", "--format", "json"]);
    assert_eq!(status, 1);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["verdict"], "violated");
    assert_eq!(json["objects"][0]["longest_order"][0]["line"], 1);
    assert_eq!(json["objects"][0]["fit_nowhere"][0]["line"], 3);
    assert_eq!(json["objects"][0]["fit_nowhere"][0]["instead"], "1");
}

#[test]
fn an_operation_that_crashed_may_take_effect_at_any_time_or_never() {
    for found in ["nil", "1"] {
        let mut history = STALE.to_vec();
        history[1].1 = "info";
        history[3].3 = found;
        let path = file("crashed", &format!("{found}.edn"), &edn(&history));
        assert_eq!(check(&path, &["--model", "register"]).0, 0, "{found}");
        // What failed has had no effect.
        history[1].1 = "fail";
        let path = file("crashed", &format!("{found}-failed.edn"), &edn(&history));
        let status = i32::from(found == "1");
        assert_eq!(check(&path, &["--model", "register"]).0, status, "{found}");
    }
}

#[test]
fn each_model_has_good_and_bad_histories() {
    type Case = (&'static str, &'static [(&'static str, &'static str, &'static str)], i32);
    let cases: &[Case] = &[
        ("cas-register", &[("write", "1", "1"), ("cas", "[1 2]", ":y"), ("read", "nil", "2")], 0),
        ("cas-register", &[("write", "1", "1"), ("cas", "[2 3]", ":n")], 1),
        ("kv", &[("append", "[:x 1]", "[:x 1]"), ("read", "[:x nil]", "[:x [1]]")], 0),
        ("kv", &[("append", "[:x 1]", "[:x 1]"), ("read", "[:y nil]", "[:y [1]]")], 1),
        ("set", &[("add", "7", "7"), ("read", "nil", "#{7}")], 0),
        ("set", &[("add", "7", "7"), ("add", "8", "8"), ("read", "nil", "[8]")], 1),
        ("queue", &[("enqueue", "1", "1"), ("enqueue", "2", "2"), ("dequeue", "nil", "1")], 0),
        ("queue", &[("enqueue", "1", "1"), ("enqueue", "2", "2"), ("dequeue", "nil", "2")], 1),
        ("lock", &[("acquire", "nil", "nil"), ("release", "nil", "nil")], 0),
        ("lock", &[("acquire", "nil", "nil"), ("acquire", "nil", "nil")], 1),
    ];
    for (index, (model, operations, status)) in cases.iter().enumerate() {
        let both = |(f, asked, found): &(&'static str, &'static str, &'static str)| {
            [(0, "invoke", *f, *asked), (0, "ok", *f, *found)]
        };
        let history: Vec<_> = operations.iter().flat_map(both).collect();
        let path = file("models", &format!("{index}.edn"), &edn(&history));
        let (seen, told, errors) = check(&path, &["--model", model]);
        assert_eq!(seen, *status, "{model} {operations:?}: {told}{errors}");
    }
}

#[test]
fn json_lines_are_read_like_edn() {
    let lines = [
        r#"{"process": 0, "type": "invoke", "f": "write", "value": 3, "time": 5}"#,
        r#"{"process": "nemesis", "type": "info", "f": "kill", "value": null}"#,
        r#"{"process": 0, "type": "ok", "f": "write", "value": 3}"#,
        r#"{"process": 1, "type": "invoke", "f": "read", "value": null}"#,
        r#"{"process": 1, "type": "ok", "f": "read", "value": 4}"#,
    ];
    let path = file("jsonl", "a.jsonl", &lines.join("\n"));
    assert_eq!(check(&path, &["--model", "register"]).0, 1);
    let path = file("jsonl", "b.jsonl", &lines.join("\n").replace('4', "3"));
    assert_eq!(check(&path, &["--model", "register"]).0, 0);
}

#[test]
fn what_is_no_history_is_refused_with_its_place() {
    let bad = [
        ("{:process 0 :type :ok :f :read}", "1:19: process 0 has invoked nothing"),
        ("{:process 0 :type :invoke :f :pop}", "1:30: the model knows read and write, but no"),
        ("{:process 0 :type :invoke}", "1:1: an entry needs the field `f`"),
        ("{:process 0 :type :begin :f :read}", "1:19: `type` must be invoke, ok, fail or info"),
        ("\n{:process 0 :type", "2:18: a value is missing"),
        ("{:process [] :type :ok :f :read}", "1:11: `process` must be a number or a name"),
        ("\u{1b}[31m", "1:1: an entry must be a map"),
    ];
    for (index, (text, message)) in bad.iter().enumerate() {
        let path = file("bad", &format!("{index}.edn"), text);
        let (status, told, errors) = check(&path, &["--model", "register"]);
        assert_eq!((status, told.as_str()), (2, ""), "{text}: {errors}");
        assert!(errors.contains(&format!("{path}:{message}")), "{text}: {errors}");
    }
    let busy = edn(&[(0, "invoke", "read", "nil"), (0, "invoke", "read", "nil")]);
    let path = file("bad", "busy.edn", &busy);
    let (status, _, errors) = check(&path, &["--model", "register"]);
    assert!(status == 2 && errors.contains("2:19: process 0 is still busy"), "{errors}");
    let path = file("bad", "bare.edn", &edn(STALE));
    let (status, _, errors) = check(&path, &["--model", "kv"]);
    assert!(status == 2 && errors.contains("[KEY VALUE], not 1"), "{errors}");
    assert_eq!(check("there-is-none.edn", &["--model", "register"]).0, 2);
}

#[test]
fn a_search_that_is_cut_off_is_undecided() {
    let path = file("cut", "a.edn", &edn(STALE));
    let (status, told, _) = check(&path, &["--model", "register", "--steps", "1"]);
    assert_eq!(status, 3, "{told}");
    assert!(told.contains("cut off at the limit of 1 steps (--steps)"), "{told}");
}

/// What `ftsim replay --format edn` writes is judged as the run judged it.
#[test]
fn the_histories_of_runs_are_judged_as_the_runs_were() {
    let scenarios = [
        "scenarios/abd-crashes.toml",
        "scenarios/split-brain-one-way.toml",
        "scenarios/primary-backup-groups-quorum.toml",
    ];
    let mut seen = [0, 0];
    for scenario in scenarios {
        let path = [scenario.to_owned(), scenario.replace("scenarios/", "scenarios/replication/")];
        let Some(path) = path.iter().find(|path| Path::new(path).exists()) else { continue };
        for seed in 1..=8 {
            let seed = seed.to_string();
            let run = ftsim(&["replay", path, "--seed", &seed, "--format", "jsonl"]);
            let text = String::from_utf8_lossy(&run.stdout).into_owned();
            let last: Value = serde_json::from_str(text.lines().last().expect("a line")).unwrap();
            let verdicts = last["outcome"]["properties"].as_array().expect("properties").clone();
            let judged = verdicts.iter().find(|v| v["name"] == "reg.linearizable").unwrap();
            let violated = judged["verdict"] == "violated";
            let history = ftsim(&["replay", path, "--seed", &seed, "--format", "edn"]);
            let history = String::from_utf8_lossy(&history.stdout).into_owned();
            let own = file("own", "own.edn", &history);
            let options = ["--model", "kv", "--initial", "0", "--failed-cas", "compared"];
            let (status, told, errors) = check(&own, &options);
            assert_eq!(status, i32::from(violated), "{path}, seed {seed}: {told}{errors}");
            seen[usize::from(violated)] += 1;
        }
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}
