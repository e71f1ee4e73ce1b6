//! Guards a sweep against sudden death: killed at any instant it goes on to the same bytes, and no
//! file under its final name is ever half-written. A signal that asks nicely is obeyed soon.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ftsim::cli::clock;
use ftsim_core::rng::{Rng, Stream};

const SCENARIO: &str = r#"
protocol = "beb"
processes = 5
check = ["rb.agreement"]
params = { mutant = "as-rb" }
random = { max_faulty = 2, crash = { count = "0..2", between = "0ms..20ms" } }
workload = { broadcasts = 3 }
expect = { violated = ["rb.agreement"] }
"#;

fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sweep-kill").join(test);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("a folder of ours");
    }
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("x.toml"), SCENARIO).expect("a file");
    folder
}

fn start(folder: &Path, seeds: &str, out: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    command.current_dir(folder).env_remove("GITHUB_ACTIONS");
    command.args(["sweep", "x.toml", "--resume", "--seeds", seeds, "--out", out]);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("ftsim starts")
}

/// The files of a finished sweep, all of which it has.
fn finished(folder: &Path) -> Vec<Vec<u8>> {
    let files = ["results.jsonl", "summary.json", "scenario.toml"];
    let read = |name| fs::read(folder.join("x").join(name)).expect("a file of a finished sweep");
    let mut bytes: Vec<Vec<u8>> = files.into_iter().map(read).collect();
    let mut repros: Vec<PathBuf> = fs::read_dir(folder.join("x/repros"))
        .expect("repros")
        .map(|entry| entry.expect("a readable entry").path())
        .collect();
    repros.sort();
    bytes.extend(repros.iter().map(|path| fs::read(path).expect("a repro")));
    bytes
}

#[test]
fn killed_at_any_instant_it_goes_on_to_the_same_bytes() {
    let folder = folder("kill");
    let seeds = "0..3000";
    let begun = clock();
    let ended = start(&folder, seeds, "whole").wait().expect("ftsim ends");
    assert_eq!(ended.code(), Some(0));
    let time = u64::try_from((clock() - begun).as_micros()).expect("a moment");
    let whole = finished(&folder.join("whole"));
    let mut rng = Rng::new(1, Stream::Workload);
    let (mut killed, mut longest) = (0, 0);
    while killed < 20 {
        let mut child = start(&folder, seeds, "killed");
        // Some die before the first block, some later; together they may come to the end.
        std::thread::sleep(Duration::from_micros(rng.between(500, 1_000 + time)));
        let is_over = child.try_wait().expect("ftsim is there").is_some();
        child.kill().expect("ftsim can be killed");
        child.wait().expect("ftsim ends");
        killed += u64::from(!is_over);
        let lines = fs::read(folder.join("killed/x.part/results.jsonl")).unwrap_or_default();
        longest = longest.max(lines.len());
        // What has its final name is whole.
        if folder.join("killed/x").exists() {
            assert_eq!(finished(&folder.join("killed")), whole);
            fs::remove_dir_all(folder.join("killed")).expect("a folder of ours");
        }
    }
    let ended = start(&folder, seeds, "killed").wait().expect("ftsim ends");
    assert_eq!(ended.code(), Some(0));
    assert_eq!(finished(&folder.join("killed")), whole);
    assert!(!folder.join("killed/x.part").exists());
    assert!(longest > 10_000, "all were killed at the beginning");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_after_what_is_under_way() {
    let folder = folder("signal");
    for signal in ["-INT", "-TERM"] {
        let mut child = start(&folder, "0..400000", "out");
        let results = folder.join("out/x.part/results.jsonl");
        while fs::metadata(&results).map_or(0, |file| file.len()) < 10_000 {
            assert!(child.try_wait().expect("ftsim is there").is_none(), "it ended too soon");
            std::thread::yield_now();
        }
        // Nobody else may write there meanwhile.
        let second = start(&folder, "0..400000", "out").wait_with_output().expect("ftsim ends");
        let told = String::from_utf8(second.stderr).expect("UTF-8");
        assert_eq!(second.status.code(), Some(2), "{told}");
        assert!(told.contains("out/x.part: another sweep is writing to this folder"), "{told}");
        let id = child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().expect("kill is there");
        assert!(sent.success());
        let output = child.wait_with_output().expect("ftsim ends");
        let told = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(130), "{told}");
        assert!(told.contains("interrupted; run the same command with --resume"), "{told}");
        assert!(!folder.join("out/x").exists());
        let lines = fs::read_to_string(&results).expect("results");
        assert!(lines.ends_with('\n'));
        assert!(lines.lines().last().is_some_and(|line| line.starts_with("{\"block\"")));
        assert!(folder.join("out/x.part/summary.json").exists());
        fs::remove_dir_all(folder.join("out")).expect("a folder of ours");
    }
}
