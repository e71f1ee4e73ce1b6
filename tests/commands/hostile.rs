//! A hostile scenario through every output: nothing that it says is interpreted by a terminal, a
//! browser or a CI service, and nothing is longer than it must be.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Everything that somebody might interpret.
const HOSTILE: &str = "<script>alert(1)</script> </title> ]]> -->\u{1b}[31m\u{1b}]0;t\u{7}\u{9b}1m\
                       \u{202e}txet\u{2028}\n::error::x\r%0A &amp; \" ' ` $(x) | {y} \\ ";

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// What is dangerous in a text, whatever reads it.
fn danger(text: &str, is_page: bool) -> Option<String> {
    let active = text.chars().find(|c| {
        let is_plain = matches!(c, '\n' | '\t');
        !is_plain && (ftsim_reports::is_active(*c) || *c == '\u{9b}')
    });
    let annotation = text.lines().find(|line| line.starts_with("::error::x"));
    let markup = is_page && text.contains("<script>alert");
    active
        .map(|c| format!("{c:?}"))
        .or(annotation.map(str::to_owned))
        .or(markup.then(|| "a script".to_owned()))
}

/// Runs a command; its output, its errors and the files below `folder` must be harmless.
fn harmless(folder: &Path, arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_ftsim"))
        .args(arguments)
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", folder.join("out/summary.md"))
        .output()
        .expect("ftsim starts");
    let code = output.status.code();
    assert!(code.is_some_and(|code| code < 2), "{arguments:?}: {output:?}");
    for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        let text = std::str::from_utf8(bytes).expect("UTF-8");
        assert_eq!(danger(text, false), None, "{name} of {arguments:?}:\n{text}");
        let longest = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        assert!(longest < 60_000, "{name} of {arguments:?} has a line of {longest}");
    }
}

/// All files below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        match entry.path() {
            path if path.is_dir() && !path.is_symlink() => files(&path, found),
            path => found.push(path),
        }
    }
}

#[test]
fn a_hostile_scenario_does_no_harm_in_any_output() {
    let folder = folder();
    let text = |text: &str| serde_json::to_string(text).expect("a string of TOML as well");
    let scenario = folder.join("q\" \\b <script>alert {x} \u{202e} \u{9b}.toml");
    let content = format!(
        "protocol = \"fifo-broadcast\"\nprocesses = 3\nsummary = {}\nreference = {}\n\
         [params]\nmutant = \"arrival-order\"\n[network]\ndelay = \"1ms..20ms\"\n\
         [workload]\nsenders = [\"p0\"]\nbroadcasts = 3\nevery = \"1ms\"\n\
         [run]\nseeds = 20\nhorizon = \"1s\"\n[expect]\nreached = [{}]\n",
        text(&format!("{HOSTILE}{}", "x".repeat(10_000))),
        text(HOSTILE),
        text(&format!("{HOSTILE}{}", "y".repeat(10_000))),
    );
    fs::write(&scenario, content).expect("a scenario");
    let out = folder.join("out");
    fs::create_dir(&out).expect("a folder");
    let path = |name: &str| out.join(name).display().to_string();
    let s = scenario.display().to_string();
    let seed = ["--seed", "1"];
    harmless(&folder, &["check", &s]);
    harmless(&folder, &["run", &s]);
    harmless(&folder, &["run", &s, "--format", "json"]);
    harmless(&folder, &["run", &s, "--figures"]);
    for command in ["replay", "explain"] {
        harmless(&folder, &[&[command, &s], &seed[..]].concat());
        harmless(&folder, &[&[command, &s], &seed[..], &["--lanes"]].concat());
        harmless(&folder, &[&[command, &s], &seed[..], &["--lanes", "--ascii"]].concat());
        harmless(
            &folder,
            &[&[command, &s], &seed[..], &["--html", &path(&format!("{command}.html"))]].concat(),
        );
        harmless(
            &folder,
            &[&[command, &s], &seed[..], &["--svg", &path(&format!("{command}.svg"))]].concat(),
        );
    }
    for format in ["jsonl", "shiviz", "chrome-trace", "dot", "itf", "edn"] {
        harmless(&folder, &[&["replay", &s], &seed[..], &["--format", format]].concat());
    }
    harmless(&folder, &[&["explain", &s], &seed[..], &["--format", "mermaid"]].concat());
    harmless(&folder, &[&["record", &s], &seed[..], &["-o", &path("run.rec")]].concat());
    harmless(&folder, &["show", &path("run.rec")]);
    let diff = ["diff", &s, &s, "--seed", "1", "--other-seed", "2"];
    harmless(&folder, &diff);
    harmless(&folder, &[&diff[..], &["--html", &path("diff.html")]].concat());
    harmless(&folder, &["show", &path("run.rec"), "--html", &path("show.html")]);
    harmless(&folder, &[&["shrink", &s], &seed[..], &["-o", &path("small.toml")]].concat());
    // The results of a sweep have the name of the scenario, which must be a plain one.
    let plain = path("plain.toml");
    fs::copy(&scenario, &plain).expect("a copy");
    let sweep = ["sweep", &plain, "--seeds", "1..41", "--out", &path("sweep"), "--shrink", "5s"];
    harmless(&folder, &[&sweep[..], &["--junit", &path("sweep.xml")]].concat());
    harmless(&folder, &["report", &path("sweep"), "-o", &path("report.html")]);
    harmless(&folder, &["list", "--html", &path("pages"), &s]);
    harmless(&folder, &["stress", "fifo-broadcast", "--scenarios", "5", "--seeds", "2"]);
    harmless(&folder, &["classify", "fifo-broadcast", "--seeds", "1", "--faults", "crash,loss"]);
    let mut found = Vec::new();
    files(&out, &mut found);
    let read: Vec<_> =
        found.iter().filter(|path| path.extension().is_some_and(|e| e != "rec")).collect();
    for part in [
        "out/replay.html",
        "out/diff.html",
        "out/show.html",
        "out/explain.svg",
        "out/sweep.xml",
        "out/report.html",
        "report-runs/",
        "pages/fifo-broadcast.html",
        "pages/runs/",
        "summary.md",
        "summary.json",
        "repros/",
    ] {
        assert!(
            read.iter().any(|path| path.display().to_string().contains(part)),
            "{part}: {read:?}"
        );
    }
    for file in read {
        let text = fs::read_to_string(file).expect("UTF-8");
        let is_page = file.extension().is_some_and(|e| e == "html" || e == "svg" || e == "md");
        // What is derived from a scenario keeps its texts as they were written.
        if file.extension().is_none_or(|e| e != "toml") {
            assert_eq!(danger(&text, is_page), None, "{}", file.display());
        }
    }
}
