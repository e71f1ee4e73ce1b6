//! `ftsim report`: the results of a sweep on a page.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn ftsim(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ftsim")).args(arguments).output().expect("ftsim starts")
}

fn stdout(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The error of a command that must fail with status 2.
fn bad(arguments: &[&str]) -> String {
    let output = ftsim(arguments);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// An empty folder for this test.
fn temporary(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Sweeps a scenario with a mutant that fails in about half of all runs.
fn sweep(folder: &Path, file: &Path, seeds: &str) {
    let (file, out) = (file.display().to_string(), folder.display().to_string());
    let args = ["sweep", &file, "--seeds", seeds, "--out", &out, "--shrink", "off"];
    let swept = ftsim(&args);
    assert!(swept.status.code().is_some_and(|code| code < 2), "{swept:?}");
}

const FIFO: &str = r#"
protocol  = "fifo-broadcast"
summary   = "</title><script>alert(1)</script> & \u001b[31m \u202e hostile"
processes = 3
[params]
mutant = "arrival-order"
[network]
delay = "1ms..20ms"
[workload]
senders    = ["p0"]
broadcasts = 2
every      = "DELAY"
[[fault]]
at    = "900ms"
crash = "p2"
[[fault]]
when  = { process = "p1", sends = "Data", nth = 99 }
crash = "p1"
[run]
horizon = "1s"
[expect]
violated = ["bc.fifo"]
vacuous  = []
"#;

fn page(folder: &Path, args: &[&str]) -> String {
    let out = folder.join("page.html").display().to_string();
    let all = [&["report"], args, &["-o", &out]].concat();
    let done = ftsim(&all);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    fs::read_to_string(&out).expect("a page")
}

#[test]
fn the_page_of_a_sweep_has_its_verdict_failures_costs_and_faults_and_runs_nothing() {
    let folder = temporary("report");
    let scenario = folder.join("fifo.toml");
    fs::write(&scenario, FIFO.replace("DELAY", "1ms")).expect("a file");
    let results = folder.join("sweep");
    sweep(&results, &scenario, "1..101");
    let results = results.display().to_string();
    let text = page(&folder, &[&results]);
    for part in [
        "100 runs",
        "bc.fifo",
        "bc.fifo</code> in fifo",
        "class=\"run-drawing",
        "messages per run: least 12, median 12, greatest 12",
        "never struck",
        "default-src 'none'",
        "href=\"page-runs/fifo-1.html\"",
        "--seeds 1..101",
        "&lt;script&gt;alert(1)",
        "\\u{202e}",
    ] {
        assert!(text.contains(part), "{part} is not in the page");
    }
    let loads = text.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for part in ["<script", "http:", "https:", "\u{1b}", "\u{202e}"] {
        assert!(!loads.contains(part), "{part:?} is in the page");
    }
    let run = fs::read_to_string(folder.join("page-runs/fifo-1.html")).expect("the page of a run");
    assert!(run.contains("bc.fifo"));
    assert_eq!(text, page(&folder, &[&results]), "the same results give the same bytes");
}

#[test]
fn a_comparison_tells_what_is_significant_and_what_is_not() {
    let folder = temporary("against");
    let scenario = folder.join("fifo.toml");
    let swept = |name: &str, delay: &str, seeds: &str| {
        fs::write(&scenario, FIFO.replace("DELAY", delay)).expect("a file");
        let results = folder.join(name);
        sweep(&results, &scenario, seeds);
        results.display().to_string()
    };
    let often = swept("often", "1ms", "1..101");
    let again = swept("again", "1ms", "101..201");
    let never = swept("never", "50ms", "1..101");
    let headline = |now: &str, before: &str| {
        let out = folder.join("page.html").display().to_string();
        stdout(&ftsim(&["report", now, "--against", before, "-o", &out]))
    };
    let better = headline(&never, &often);
    assert!(better.contains("0 violated more often, 1 less often; 0 new and 1 gone"), "{better}");
    let worse = headline(&often, &never);
    assert!(worse.contains("1 violated more often, 0 less often; 1 new and 0 gone"), "{worse}");
    let same = headline(&again, &often);
    assert!(same.contains("0 violated more often, 0 less often; 0 new and 0 gone"), "{same}");
    let text = page(&folder, &[&never, "--against", &often]);
    assert!(text.contains("violated less often") && text.contains("&lt; 0.0001"));
}

#[test]
fn what_is_no_sweep_is_refused() {
    let folder = temporary("no-report");
    let out = folder.join("page.html").display().to_string();
    let path = folder.display().to_string();
    assert!(bad(&["report", &path, "-o", &out]).contains("contains no results"));
    assert!(bad(&["report", "nowhere", "-o", &out]).contains("nowhere"));
    fs::create_dir_all(folder.join("fifo")).expect("a folder");
    fs::write(folder.join("fifo/results.jsonl"), "{}\n").expect("a file");
    bad(&["report", &path, "-o", &out]);
    assert!(!Path::new(&out).exists());
}
