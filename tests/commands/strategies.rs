//! `ftsim sweep --strategy`: an explorer's strategy over seeds, with what sweeps have.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

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

fn ftsim(folder: &Path, args: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    program.current_dir(folder).args(args).output().expect("ftsim starts")
}

fn sweep(folder: &Path, args: &[&str]) -> Output {
    fs::write(folder.join("small.toml"), BEST_EFFORT).expect("a file");
    let shared = ["sweep", "small.toml", "--seeds", "1..401"];
    ftsim(folder, &[&shared[..], args].concat())
}

/// All files of the results, by name.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            let inner = self::files(&path).into_iter();
            files.extend(inner.map(|(inner, text)| (format!("{name}/{inner}"), text)));
        } else {
            files.insert(name, fs::read_to_string(&path).expect("text"));
        }
    }
    files
}

#[test]
fn the_bytes_depend_neither_on_threads_nor_on_shards() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let strategy = ["--strategy", "pct:2", "--shrink", "20s"];
    for (out, more) in [
        ("one", vec!["--jobs", "1"]),
        ("two", vec!["--jobs", "2", "--check-determinism"]),
        ("first", vec!["--shard", "1/2"]),
        ("second", vec!["--shard", "2/2"]),
    ] {
        let done = sweep(folder, &[&strategy[..], &["--out", out], &more].concat());
        assert_eq!(done.status.code(), Some(0), "the violation is expected: {done:?}");
    }
    let merged = ftsim(folder, &["merge", "first", "second", "--out", "merged"]);
    assert_eq!(merged.status.code(), Some(0), "{merged:?}");
    let whole = files(&folder.join("one/small"));
    assert_eq!(whole, files(&folder.join("two/small")));
    assert_eq!(whole, files(&folder.join("merged/small")));
    assert!(whole["results.jsonl"].contains("\"strategy\":\"pct:2\""), "{whole:#?}");
    assert!(whole.keys().any(|name| name.starts_with("shrunk/")), "{:?}", whole.keys());
}

#[test]
fn the_runs_are_those_of_the_explorer() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let done = sweep(folder, &["--strategy", "random", "--out", "out", "--shrink", "off"]);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    let text = String::from_utf8(done.stdout).expect("UTF-8");
    assert!(text.contains("seeds 1..401, by random"), "{text}");
    let summary = fs::read_to_string(folder.join("out/small/summary.json")).expect("a summary");
    let summary: Value = serde_json::from_str(&summary).expect("JSON");
    let first = &summary["sweep"]["groups"][0]["examples"][0];
    let first_seed = first["seed"].as_u64().expect("a seed");
    // The explorer ends at the first run that shows what is expected.
    let args = ["explore", "small.toml", "--strategy", "random", "--format", "json"];
    let seen: Value =
        serde_json::from_slice(&ftsim(folder, &args).stdout).expect("the explorer's results");
    assert_eq!(seen["scenarios"][0]["runs"], first_seed, "{seen:#}");
    let repro = first["repro"].as_str().expect("delays alone can force it");
    for command in ["run", "replay", "explain"] {
        let again = ftsim(folder, &[command, &format!("out/small/{repro}")]);
        assert_eq!(again.status.code(), Some(0), "{command}: {again:?}");
    }
}

#[test]
fn a_sweep_ends_at_a_failure_and_goes_on_with_its_own_strategy_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let until = ["--out", "out", "--shrink", "off", "--until", "rb.agreement"];
    let done = sweep(folder, &[&until[..], &["--strategy", "pos"]].concat());
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    let resumed = sweep(folder, &[&until[..], &["--strategy", "pos", "--resume"]].concat());
    assert_eq!(resumed.status.code(), Some(0), "{resumed:?}");
    for other in [&["--strategy", "random", "--resume"][..], &["--resume"]] {
        let refused = sweep(folder, &[&until[..], other].concat());
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        assert!(told.contains("its strategy is \"pos\""), "{told}");
    }
    let page = ftsim(folder, &["report", "out", "-o", "page.html"]);
    assert_eq!(page.status.code(), Some(2), "its runs would be drawn anew: {page:?}");
}

#[test]
fn what_cannot_be_swept_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for (args, why) in [
        (&["--strategy", "guided"][..], "guided runs depend on the runs before them"),
        (&["--strategy", "lineage"], "lineage does not draw runs from seeds"),
        (&["--strategy", "best"], "random, pos, and pct:D"),
        (&["--strategy", "pos", "--timeout-run", "1s"], "cannot be used with"),
        (&["--strategy", "pos", "--save-failures"], "cannot be used with"),
    ] {
        let refused = sweep(folder.path(), &[args, &["--out", "out"]].concat());
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(2), "{args:?}: {refused:?}");
        assert!(told.contains(why), "{args:?}: {told}");
        assert!(!folder.path().join("out").exists(), "{args:?}");
    }
    let liars = "protocol = \"phase-king\"\nprocesses = 5\n";
    fs::write(folder.path().join("liars.toml"), liars).expect("a file");
    let args = ["sweep", "liars.toml", "--strategy", "pos", "--seeds", "9", "--out", "out"];
    let refused = ftsim(folder.path(), &args);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(told.contains("is about lies"), "{told}");
}
