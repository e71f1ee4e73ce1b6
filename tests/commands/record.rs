//! Records: one that is written while the run goes on says what a trace in memory says, and
//! `ftsim show` shows what `ftsim replay` does.

use crate::shipped;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use ftsim_core::outcome::tape::TapeReader;
use ftsim_core::outcome::trace::Entry;

/// Seeds of each scenario that are recorded.
const SEEDS: std::ops::Range<u64> = 1..4;

fn entries(tape: &[u8]) -> Vec<Entry> {
    let mut reader = TapeReader::new(tape);
    let next = || reader.next_entry().expect("a whole record can be read");
    std::iter::from_fn(next).collect()
}

#[test]
fn a_record_is_the_trace_and_recording_changes_nothing() {
    for (name, scenario) in shipped::scenarios() {
        let mut runner = scenario.prepare().expect("the scenario is valid");
        for seed in SEEDS {
            let mut tape = Vec::new();
            let recorded = runner.record_to(seed, &mut tape).expect("memory takes all");
            let (outcome, trace) = runner.record(seed);
            assert_eq!(entries(&tape), trace.entries, "{name}, seed {seed}");
            let digests = [recorded.digest, outcome.digest, runner.run(seed).digest];
            assert_eq!(digests, [outcome.digest; 3], "{name}, seed {seed}");
            let mut again = Vec::new();
            runner.record_to(seed, &mut again).expect("memory takes all");
            assert!(tape == again, "{name}, seed {seed}: other bytes");
        }
    }
}

/// What takes this many bytes, and no more.
struct Disk(usize);

impl std::io::Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_ends_the_run_and_leaves_the_next_unharmed() {
    let (_, scenario) = shipped::scenarios()
        .into_iter()
        .find(|(name, _)| name == "primary-backup-skew")
        .expect("a scenario with a long trace");
    let mut runner = scenario.prepare().expect("the scenario is valid");
    let whole = runner.run(1).digest;
    for size in [0, 100_000] {
        let error = runner.record_to(1, &mut Disk(size)).expect_err("it is full");
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
        assert_eq!(runner.run(1).digest, whole);
    }
}

fn ftsim(args: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    program.current_dir(env!("CARGO_MANIFEST_DIR")).args(args).output().expect("ftsim starts")
}

fn good(args: &[&str]) -> Vec<u8> {
    let output = ftsim(args);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{args:?}: {errors}");
    output.stdout
}

fn bad(args: &[&str]) -> String {
    let output = ftsim(args);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{args:?}");
    String::from_utf8(output.stderr).expect("UTF-8")
}

fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("records").join(test);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

#[test]
fn show_shows_what_replay_does() {
    let record = folder("show").join("run.rec");
    let record = record.to_str().expect("UTF-8");
    for run in [
        &["scenarios/2pc-coordinator-crash.toml", "--seed=1"][..],
        &["scenarios/eager-rb-random-crashes.toml", "--seed=7"],
        &["scenarios/2pc-every-crash-point.toml", "--seed=1", "--crash-point=p0:3"],
        &["scenarios/primary-backup-skew.toml", "--seed=2"],
        &["tests/golden/repro.toml"],
    ] {
        let told = good(&[&["record"], run, &["--output", record]].concat());
        for format in ["text", "jsonl"] {
            let shown = good(&["show", record, "--format", format]);
            let replayed = good(&[&["replay"], run, &["--format", format]].concat());
            assert!(shown == replayed, "{run:?} as {format}");
        }
        // What `record` tells is `replay` without the trace.
        let told = String::from_utf8(told).expect("UTF-8");
        let shown = String::from_utf8(good(&["show", record])).expect("UTF-8");
        let (before, after) = told.split_once("\n\n").expect("two parts");
        assert!(shown.starts_with(before) && shown.ends_with(after), "{told}");
    }
}

#[test]
fn some_steps_of_a_record_are_the_same_lines() {
    let record = folder("steps").join("run.rec");
    let record = record.to_str().expect("UTF-8");
    good(&["record", "scenarios/2pc-coordinator-crash.toml", "--seed", "1", "-o", record]);
    let lines = |args: &[&str]| {
        let output = good(&[&["show", record, "--format", "jsonl"], args].concat());
        let text = String::from_utf8(output).expect("UTF-8");
        let (all, step) = (text.lines(), |line: &str| line.starts_with("{\"step\":"));
        all.filter(|line| step(line)).map(str::to_owned).collect::<Vec<_>>()
    };
    let all = lines(&[]);
    let [from, until] =
        [all.partition_point(|line| step(line) < 10), all.partition_point(|line| step(line) < 13)];
    assert!(from < until && until < all.len());
    assert_eq!(lines(&["--steps", "10..13"]), all[from..until]);
    assert_eq!(lines(&["--steps", "10.."]), all[from..]);
    assert_eq!(lines(&["--steps", "..13"]), all[..until]);
    assert_eq!(lines(&["--steps", "20..3"]), [""; 0]);
    assert!(bad(&["show", record, "--steps", "5"]).contains("expected A..B, A.. or ..B"));
}

fn step(line: &str) -> u64 {
    let entry: Entry = serde_json::from_str(line).expect("an entry");
    entry.step
}

#[test]
fn what_is_no_whole_record_is_refused() {
    let folder = folder("damage");
    let record = folder.join("run.rec");
    let path = record.to_str().expect("UTF-8");
    good(&["record", "scenarios/2pc-coordinator-crash.toml", "--seed", "1", "-o", path]);
    let whole = fs::read(&record).expect("the record");
    let part = folder.join("part.rec");
    let part_path = part.to_str().expect("UTF-8");
    let shown = |bytes: &[u8]| {
        fs::write(&part, bytes).expect("a file");
        bad(&["show", part_path])
    };
    for cut in [whole.len() - 1, whole.len() / 2, 2_000, 20] {
        let error = shown(&whole[..cut]);
        assert!(error.contains("the record is cut short"), "{cut}: {error}");
    }
    assert!(shown(b"ftsim record 1\n").contains("of another version"));
    assert!(shown(b"").contains("not a record"));
    assert!(bad(&["show", "README.md"]).contains("not a record"));
    assert!(bad(&["show", "missing.rec"]).contains("missing.rec"));
    // One byte in each part is another: an error or another text, but no failure of ftsim.
    for at in (0..whole.len()).step_by(whole.len() / 40) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        fs::write(&part, damaged).expect("a file");
        let status = ftsim(&["show", part_path]).status;
        assert!(matches!(status.code(), Some(0 | 2)), "byte {at}: {status}");
        let page = folder.join("part.html");
        let status = ftsim(&["show", part_path, "--html", page.to_str().expect("UTF-8")]).status;
        assert!(matches!(status.code(), Some(0 | 2)), "byte {at}: {status}");
    }
}

#[test]
fn a_record_that_fails_leaves_the_old_one() {
    let folder = folder("old");
    let record = folder.join("run.rec");
    fs::write(&record, "old").expect("a file");
    let path = record.to_str().expect("UTF-8");
    // Too many seeds to know which.
    assert!(bad(&["record", "scenarios/beb-crashes.toml", "-o", path]).contains("--seed S"));
    let beyond = folder.join("no").join("run.rec");
    let beyond = beyond.to_str().expect("UTF-8");
    let error = bad(&["record", "scenarios/beb-crashes.toml", "--seed", "1", "-o", beyond]);
    assert!(error.contains("no/run.rec: "), "{error}");
    assert_eq!(fs::read_to_string(&record).expect("the file"), "old");
    assert_eq!(fs::read_dir(&folder).expect("the folder").count(), 1);
}

/// A run of hours, of which somebody has had enough.
#[cfg(unix)]
#[test]
fn an_interrupted_record_leaves_nothing() {
    let folder = folder("interrupted");
    let scenario = "protocol = \"fd-heartbeat\"\nprocesses = 9\n\
                    run = { horizon = \"100000s\", max_events = 1_000_000_000 }\n";
    fs::write(folder.join("x.toml"), scenario).expect("a file");
    let mut program = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    program.current_dir(&folder).args(["record", "x.toml", "--seed", "1", "-o", "run.rec"]);
    let mut child =
        program.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    let is_part = |path: &Path| path.extension().is_some_and(|ending| ending == "part");
    let size = || {
        let entries = fs::read_dir(&folder).expect("the folder");
        let mut paths = entries.map(|entry| entry.expect("an entry").path());
        let part = paths.find(|path| is_part(path));
        part.and_then(|part| fs::metadata(part).ok()).map_or(0, |file| file.len())
    };
    while size() < 1_000_000 {
        assert_eq!(child.try_wait().expect("it is there"), None, "it ended");
        std::thread::sleep(Duration::from_millis(5));
    }
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill is there").success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(130), 0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted"));
    assert_eq!(fs::read_dir(&folder).expect("the folder").count(), 1);
}

/// A device, a pipe or a terminal is written as it is, and never replaced.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_replaced() {
    let run = ["record", "scenarios/2pc-coordinator-crash.toml", "--seed", "1", "-o"];
    good(&[&run[..], &["/dev/null"]].concat());
    assert!(!fs::metadata("/dev/null").expect("it is there").is_file());
    if Path::new("/dev/full").exists() {
        assert!(bad(&[&run[..], &["/dev/full"]].concat()).contains("/dev/full"));
        assert!(!fs::metadata("/dev/full").expect("it is there").is_file());
    }
}
