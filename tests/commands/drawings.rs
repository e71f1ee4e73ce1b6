//! Static pictures of runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn ftsim(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    let command = command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments);
    command.output().expect("ftsim starts")
}

fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// The drawing that this command writes.
fn drawn(command: &str, scenario: &str, file: &Path) -> String {
    let path = file.to_str().expect("a path");
    let run = ftsim(&[command, scenario, "--seed", "1", "--svg", path]);
    assert!(run.status.success(), "{scenario}: {run:?}");
    fs::read_to_string(file).expect("a drawing")
}

#[test]
fn a_drawing_shows_the_violation_its_witnesses_and_what_was_lost() {
    let file = folder("drawings").join("run.svg");
    let drawing = drawn("explain", "scenarios/split-brain-one-way.toml", &file);
    assert!(drawing.contains("✗ pb.one-primary"), "{drawing}");
    // Both primaries, and messages that the partition loses.
    assert_eq!(drawing.matches("<circle class=\"red\"").count(), 2, "{drawing}");
    assert!(drawing.matches("class=\"cross\"").count() >= 3, "{drawing}");
    assert!(drawing.contains(">partition {p0} -&gt; {p1}</text>"), "{drawing}");
    assert!(drawing.contains("class=\"hatch\""), "{drawing}");
    // A violation that shows only at the end, and a process that has crashed.
    let drawing = drawn("explain", "scenarios/sender-dies-in-mid-broadcast.toml", &file);
    assert_eq!(drawing.matches("<circle class=\"red open\"").count(), 2, "{drawing}");
    assert!(drawing.contains("class=\"crash\"") && drawing.contains(">end</text>"), "{drawing}");
    // No violation.
    let drawing = drawn("replay", "scenarios/primary-backup-no-fault.toml", &file);
    assert!(!drawing.contains("class=\"red"), "{drawing}");
    assert_eq!(drawing, drawn("replay", "scenarios/primary-backup-no-fault.toml", &file));
    let both = ["replay", "scenarios/2pc-blocked.toml", "--seed", "1", "--svg", "x", "--html", "x"];
    assert_eq!(ftsim(&both).status.code(), Some(2), "one or the other");
}

#[test]
fn names_in_a_drawing_are_no_markup_and_hide_nothing() {
    let folder = folder("drawings-hostile");
    let scenario = folder.join("a<script>&\"'\u{202e}.toml");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::copy(root.join("scenarios/2pc-blocked.toml"), &scenario).expect("a copy");
    let file = folder.join("run.svg");
    let drawing = drawn("replay", scenario.to_str().expect("a path"), &file);
    assert!(drawing.contains("a&lt;script&gt;&amp;"), "{drawing}");
    assert!(!drawing.contains("<script") && !drawing.contains('\u{202e}'), "{drawing}");
}
