//! Guards an exploration against interruption: cut off anywhere it goes on to the same bytes, and a
//! file of parts that is not its own is refused and left as it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// 4,674 runs, some of which violate one of the two properties: the search goes on to its end.
const SCENARIO: &str = r#"
protocol  = "beb"
processes = 3
check     = ["rb.agreement"]

[workload]
broadcasts = 1

[explore]
crashes = 2

[expect]
violated = ["rb.agreement", "rb.no-creation"]
"#;

const PARTS: &str = "out/x.parts.jsonl";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("x.toml"), SCENARIO).expect("a file");
    folder
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    command.current_dir(folder).args(["explore", "x.toml", "-o", "out"]).args(args);
    command
}

fn explore(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).output().expect("ftsim starts")
}

fn start(folder: &Path, args: &[&str]) -> Child {
    let mut command = command(folder, args);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("ftsim starts")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// What a search came to: its output, without the seconds, and the scenarios that it has written.
fn came_to(folder: &Path, output: &Output) -> (Option<i32>, String, Vec<(PathBuf, String)>) {
    let text = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    let without_time = |line: &str| line.split(" cut off; ").next().unwrap_or(line).to_owned();
    let lines: Vec<String> = text.lines().map(without_time).collect();
    let entries = fs::read_dir(folder.join("out")).expect("a folder");
    let paths = entries.map(|entry| entry.expect("a readable entry").path());
    let mut written: Vec<(PathBuf, String)> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a scenario");
            (path.file_name().expect("a name").into(), text)
        })
        .collect();
    written.sort();
    (output.status.code(), lines.join("\n"), written)
}

/// What the whole search comes to, without interruption.
fn whole() -> (Option<i32>, String, Vec<(PathBuf, String)>) {
    let folder = folder();
    let output = explore(folder.path(), &["--jobs", "1"]);
    let whole = came_to(folder.path(), &output);
    assert!(whole.1.contains("4674 runs (all, "), "{}", whole.1);
    assert_eq!((whole.0, whole.2.len()), (Some(1), 1), "{}", whole.1);
    whole
}

fn line_count(folder: &Path) -> usize {
    fs::read(folder.join(PARTS)).map_or(0, |text| text.iter().filter(|b| **b == b'\n').count())
}

#[test]
fn cut_off_after_any_number_of_runs_it_goes_on_to_the_same_bytes() {
    let whole = whole();
    for jobs in ["1", "2"] {
        let folder = folder();
        let mut before = 0;
        for runs in ["2100", "2900", "4500"] {
            let cut = ["--jobs", jobs, "--runs", runs];
            let output = explore(folder.path(), &[&cut[..], &["--resume"]].concat());
            let told = stderr(&output);
            assert!(told.contains("the same command with --resume goes on from there"), "{told}");
            assert!(line_count(folder.path()) > before, "it keeps more parts");
            before = line_count(folder.path());
            let resumed = came_to(folder.path(), &output);
            let fresh_folder = self::folder();
            let fresh = explore(fresh_folder.path(), &cut);
            assert_eq!(resumed, came_to(fresh_folder.path(), &fresh));
        }
        let output = explore(folder.path(), &["--jobs", jobs, "--resume"]);
        assert_eq!(came_to(folder.path(), &output), whole);
        // The parts stay, and it goes on from all of them.
        let all = fs::read(folder.path().join(PARTS)).expect("parts");
        let output = explore(folder.path(), &["--jobs", jobs, "--resume"]);
        assert_eq!(came_to(folder.path(), &output), whole);
        assert_eq!(fs::read(folder.path().join(PARTS)).expect("parts"), all);
    }
}

#[test]
fn killed_at_any_instant_it_goes_on_to_the_same_bytes() {
    let whole = whole();
    let folder = folder();
    let mut done = 0;
    for more in [1, 20, 60, 60] {
        let mut child = start(folder.path(), &["--jobs", "2", "--resume"]);
        let wanted = done + more;
        while line_count(folder.path()) < wanted && child.try_wait().expect("a child").is_none() {
            std::thread::yield_now();
        }
        child.kill().expect("ftsim can be killed");
        child.wait().expect("ftsim ends");
        done = line_count(folder.path());
        assert!(done >= wanted, "{done} lines");
    }
    // Killed while it was writing a line.
    let parts = fs::read_to_string(folder.path().join(PARTS)).expect("parts");
    fs::write(folder.path().join(PARTS), format!("{parts}{{\"part\":{{\"pa")).expect("a file");
    let output = explore(folder.path(), &["--resume", "--format", "text"]);
    assert_eq!(came_to(folder.path(), &output), whole);
    let parts = fs::read_to_string(folder.path().join(PARTS)).expect("parts");
    assert!(parts.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
}

#[test]
fn json_is_the_same_as_well() {
    let [cut, fresh] = [folder(), folder()];
    explore(cut.path(), &["--runs", "2500"]);
    let resumed = explore(cut.path(), &["--resume", "--format", "json"]);
    let fresh = explore(fresh.path(), &["--format", "json"]);
    assert_eq!(resumed.stdout, fresh.stdout);
    assert!(!fresh.stdout.is_empty());
}

#[test]
fn without_time_nothing_is_explored_and_nothing_lost() {
    let whole = whole();
    let folder = folder();
    explore(folder.path(), &["--runs", "3000"]);
    let kept = line_count(folder.path());
    let output = explore(folder.path(), &["--resume", "--for", "1ns", "--jobs", "1"]);
    assert!(line_count(folder.path()) >= kept);
    assert_ne!(came_to(folder.path(), &output).1, whole.1);
    let output = explore(folder.path(), &["--resume"]);
    assert_eq!(came_to(folder.path(), &output), whole);
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_and_nobody_else_writes_there_meanwhile() {
    let folder = folder();
    for signal in ["-INT", "-TERM"] {
        let _ = fs::remove_file(folder.path().join(PARTS));
        let mut child = start(folder.path(), &["--jobs", "1"]);
        while line_count(folder.path()) < 5 {
            assert!(child.try_wait().expect("a child").is_none(), "it ended too soon");
            std::thread::yield_now();
        }
        let second = explore(folder.path(), &["--resume"]);
        assert_eq!(second.status.code(), Some(2));
        let told = stderr(&second);
        assert!(told.contains("another exploration is writing to this file"), "{told}");
        let sent = Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(sent.expect("kill is there").success());
        let output = child.wait_with_output().expect("ftsim ends");
        assert_eq!(output.status.code(), Some(130));
        let told = stderr(&output);
        assert!(told.contains("interrupted; run the same command with --resume"), "{told}");
    }
    let output = explore(folder.path(), &["--resume"]);
    assert_eq!(came_to(folder.path(), &output), whole());
}

#[test]
fn a_file_of_another_exploration_is_refused() {
    let folder = folder();
    // With one thread, the first part with a violation is the one whose run is written.
    explore(folder.path(), &["--runs", "2500", "--jobs", "1"]);
    let path = folder.path().join(PARTS);
    let parts = fs::read_to_string(&path).expect("parts");
    let (header, lines) = parts.split_once('\n').expect("a header");
    let first = lines.lines().next().expect("a part");
    let refused = |text: &str, args: &[&str], why: &str| {
        fs::write(&path, text).expect("a file");
        let output = explore(folder.path(), &[&["--resume"], args].concat());
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{why}: {told}");
        assert!(told.contains(why), "{why}: {told}");
        assert_eq!(fs::read_to_string(&path).expect("a file"), text, "it is left as it is");
    };
    refused(&parts, &["--crashes", "1"], "its number of crashes is 2, not 1");
    refused(&parts, &["--time", "lockstep"], "its time is \"free\", not \"lockstep\"");
    let version = format!("\"ftsim\":\"{}\"", env!("CARGO_PKG_VERSION"));
    refused(
        &parts.replacen(&version, "\"ftsim\":\"0.0.7\",\"other\":1", 1),
        &[],
        "x.parts.jsonl:1: written by ftsim 0.0.7, this is",
    );
    refused(&parts.replacen("\"schema\":1", "\"schema\":2", 1), &[], "its format is 2, not 1");
    refused("nothing of ours\n", &[], "x.parts.jsonl:1: this is not the header");
    refused("nothing of ours", &[], "it was not written by an exploration");
    let with = |line: &str| format!("{header}\n{first}\n{line}\n{lines}");
    refused(&with("{\"part\":"), &[], "x.parts.jsonl:3: ");
    refused(&with(header), &[], "x.parts.jsonl:3: a second header");
    refused(&with(first), &[], "comes twice");
    let change = |from: &str, to: &str| {
        let at = first.find(from).expect("a count") + from.len();
        let digits = first[at..].find(|c: char| !c.is_ascii_digit()).expect("an end");
        format!("{header}\n{}{to}{}\n", &first[..at], &first[at + digits..])
    };
    refused(&change("\"part\":{\"part\":", "9999"), &[], "x.parts.jsonl:2: part 9999 of");
    refused(&change("\"steps\":", "18446744073709551615"), &[], "more than a part can have");
    refused(&change("\"longest\":", "9999"), &[], "no part has");
    refused(&change("\"held\":", "18446744073709551615"), &[], "are not those of");
    refused(&change("\"steps\":", "-1"), &[], "x.parts.jsonl:2: ");
    let other = format!("{header}\n{}\n", first.replacen("beb.validity", "beb.falsity", 1));
    refused(&other, &[], "the scenario does not check \"beb.falsity\"");
    // A part whose violation is not what its runs come to.
    let found = lines.lines().find(|line| line.contains("\"found\":{\"")).expect("a violation");
    let at = found.find("\"found\":{\"rb.agreement\":").expect("it") + 24;
    let end = at + found[at..].find('}').expect("an end");
    let runs = 1 + u64::from(&found[at..end] == "1");
    let lie = format!("{header}\n{}{runs}{}\n", &found[..at], &found[end..]);
    fs::write(&path, &lie).expect("a file");
    let output = explore(folder.path(), &["--resume"]);
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("do not violate what it says"), "{told}");
    let changed = SCENARIO.replace("crashes = 2", "crashes = 2 # as many as it tolerates");
    fs::write(folder.path().join("x.toml"), changed).expect("a file");
    refused(&parts, &[], "its digest of the scenario is");
}

#[test]
fn what_no_exploration_wrote_is_not_replaced() {
    let folder = folder();
    let path = folder.path().join(PARTS);
    fs::create_dir_all(folder.path().join("out")).expect("a folder");
    for text in ["my notes\n", "my notes", "{\"exploration\":{\"schema\":1}}\n"] {
        fs::write(&path, text).expect("a file");
        let output = explore(folder.path(), &[]);
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains("is in the way and is left untouched"), "{told}");
        assert_eq!(fs::read_to_string(&path).expect("a file"), text);
    }
    fs::remove_file(&path).expect("a file");
    fs::create_dir(&path).expect("a folder");
    for args in [&[][..], &["--resume"]] {
        let output = explore(folder.path(), args);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("it is not a file"), "{}", stderr(&output));
    }
}

#[test]
fn only_a_search_in_parts_can_be_continued() {
    let folder = folder();
    for args in [&["--strategy", "random"][..], &["--strategy", "lineage"], &["--unreduced"]] {
        let output = explore(folder.path(), &[args, &["--resume"]].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
    let mut program = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    program.current_dir(folder.path()).args(["explore", "x.toml", "--resume"]);
    let output = program.output().expect("ftsim starts");
    assert_eq!(output.status.code(), Some(2));
    fs::create_dir(folder.path().join("y")).expect("a folder");
    fs::write(folder.path().join("y/x.toml"), SCENARIO).expect("a file");
    let output = explore(folder.path(), &["y/x.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("two of the scenarios are called \"x\""));
}
