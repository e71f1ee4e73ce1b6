//! Runs in the terminal, with a lane for each process.

use std::path::Path;
use std::process::{Command, Output};

use expect_test::expect_file;

fn ftsim(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    let command = command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments);
    command.output().expect("ftsim starts")
}

/// The output of ftsim in a pipe.
fn drawn(arguments: &[&str]) -> String {
    let run = ftsim(arguments);
    assert!(run.status.success(), "{arguments:?}: {run:?}");
    String::from_utf8(run.stdout).expect("UTF-8")
}

/// The part of a text that is a drawing: from the names of the lanes to the next empty line.
fn lanes(text: &str) -> String {
    let is_drawing = |part: &&str| part.contains(" p0 ") && part.contains("    0s  ");
    let drawing = text.split("\n\n").find(is_drawing);
    drawing.map_or_else(|| text.to_owned(), |part| format!("{part}\n"))
}

/// `UPDATE_EXPECT=1 cargo test --test commands lanes` renews the drawings.
#[test]
fn drawings_are_as_they_were() {
    let seed = ["--seed", "1", "--lanes"];
    let golden = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    for (command, scenario, more, name) in [
        ("explain", "sender-dies-in-mid-broadcast", &[][..], "lanes-mid-broadcast.txt"),
        ("explain", "2pc-blocked", &[], "lanes-2pc-blocked.txt"),
        ("replay", "phase-king-twins", &["--ascii", "--steps", "0..40"], "lanes-twins-ascii.txt"),
        ("explain", "split-brain-one-way", &[], "lanes-split-brain.txt"),
    ] {
        let scenario = format!("scenarios/{scenario}.toml");
        let text = drawn(&[&[command, scenario.as_str()], &seed[..], more].concat());
        expect_file![golden(name)].assert_eq(&lanes(&text));
    }
}

#[test]
fn the_readme_shows_such_a_drawing() {
    let run = ["explain", "scenarios/sender-dies-in-mid-broadcast.toml", "--seed", "1", "--lanes"];
    let drawing: String = lanes(&drawn(&run)).lines().map(|l| format!("    {l}\n")).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).expect("a README");
    assert!(readme.contains(&drawing), "not in the README:\n{drawing}");
}

#[test]
fn a_lane_is_drawn_only_while_its_process_is_up() {
    let text = drawn(&["replay", "scenarios/2pc-blocked.toml", "--seed", "1", "--lanes"]);
    let rows: Vec<&str> = text.lines().filter(|line| line.contains('│')).collect();
    let crash = rows.iter().position(|row| row.contains('X')).expect("a crash");
    let column = rows[crash].chars().position(|c| c == 'X').expect("its column");
    let sign = |row: &&str| row.chars().nth(column);
    assert!(rows[..crash].iter().all(|row| !matches!(sign(row), Some(' ' | 'x'))), "{text}");
    assert!(rows[crash + 1..].iter().all(|row| matches!(sign(row), Some(' ' | 'x'))), "{text}");
    // Every arrow leads to a process that is up.
    assert!(!rows[crash + 1..].iter().any(|row| row.contains('◀')), "{text}");
}

#[test]
fn ascii_is_ascii_and_shows_the_same_steps() {
    for scenario in ["primary-backup-quorum-partition", "phase-king-twins", "2pc-blocked"] {
        let scenario = format!("scenarios/{scenario}.toml");
        let run = ["replay", &scenario, "--seed", "1", "--lanes"];
        let (unicode, ascii) = (drawn(&run), drawn(&[&run[..], &["--ascii"]].concat()));
        assert!(!lanes(&unicode).is_ascii() && lanes(&ascii).is_ascii(), "{ascii}");
        let steps = |text: &str| {
            let rows = lanes(text);
            let numbers = rows.lines().filter_map(|line| line.get(1..5)?.parse::<u64>().ok());
            numbers.collect::<Vec<_>>()
        };
        assert_eq!(steps(&unicode), steps(&ascii), "{scenario}");
        assert!(steps(&ascii).len() > 20, "{ascii}");
    }
}

#[test]
fn a_long_run_is_folded_and_a_range_of_it_can_be_drawn() {
    let scenario = "scenarios/primary-backup-quorum-partition.toml";
    let run = ["replay", scenario, "--seed", "1", "--lanes"];
    let whole = drawn(&run);
    assert!(whole.lines().count() < 1_500, "{}", whole.lines().count());
    assert!(whole.contains(" steps"), "{whole}");
    let part = drawn(&[&run[..], &["--steps", "100..105"]].concat());
    let rows = |number: &str| part.lines().filter(|line| line.starts_with(number)).count();
    assert!((100..105).all(|number| rows(&format!(" 0{number}  ")) >= 1), "{part}");
    assert_eq!(rows(" 0099  ") + rows(" 0105  "), 0, "{part}");
    for refused in [
        &["--lanes", "--steps", "5..5"][..],
        &["--lanes", "--steps", "5"],
        &["--ascii"],
        &["--steps", "1..5"],
        &["--lanes", "--format", "jsonl"],
        &["--lanes", "--html", "x.html"],
        &["--lanes", "--svg", "x.svg"],
    ] {
        let run = ["replay", "scenarios/2pc-blocked.toml", "--seed", "1"];
        assert_eq!(ftsim(&[&run[..], refused].concat()).status.code(), Some(2), "{refused:?}");
    }
}

/// The output of ftsim in a terminal of this width, without colours.
#[cfg(target_os = "linux")]
fn in_terminal(columns: u32, locale: &str, arguments: &str) -> String {
    let program = env!("CARGO_BIN_EXE_ftsim");
    let shell = format!("stty rows 24 cols {columns}; {program} {arguments}");
    let mut script = Command::new("script");
    script.args(["-qec", &shell, "/dev/null"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    script.env("TERM", "xterm").env("LC_ALL", locale).stdin(std::process::Stdio::null());
    let output = script.output().expect("script of util-linux");
    let text = String::from_utf8(output.stdout).expect("UTF-8").replace("\r\n", "\n");
    assert!(text.contains("\u{1b}["), "it has colours: {text}");
    let parts = text.split("\u{1b}[").enumerate();
    let plain = parts.map(|(place, part)| match part.split_once('m').filter(|_| place > 0) {
        Some((_, rest)) => rest,
        None => part,
    });
    plain.collect()
}

#[cfg(target_os = "linux")]
#[test]
fn no_line_is_longer_than_the_terminal_is_wide() {
    for columns in [40, 80, 100, 200] {
        for scenario in ["split-brain-one-way", "2pc-blocked", "floodset-one-crash-too-many"] {
            for ascii in ["", "--ascii"] {
                let arguments =
                    format!("explain scenarios/{scenario}.toml --seed 1 --lanes {ascii}");
                let text = lanes(&in_terminal(columns, "C.UTF-8", &arguments));
                assert!(text.contains("VIOLATES"), "{text}");
                let too_long = text.lines().find(|line| line.chars().count() > columns as usize);
                assert_eq!(too_long, None, "{scenario}, {columns} columns");
            }
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_that_shows_no_unicode_gets_none() {
    let arguments = "replay scenarios/2pc-blocked.toml --seed 1 --lanes";
    assert!(lanes(&in_terminal(100, "C", arguments)).is_ascii());
    assert!(in_terminal(100, "C.UTF-8", arguments).contains('▶'));
    // The output in a pipe does not depend on the locale.
    let mut command = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    let command = command.current_dir(env!("CARGO_MANIFEST_DIR")).env("LC_ALL", "C");
    let output = command.args(arguments.split(' ')).output().expect("ftsim starts");
    assert!(String::from_utf8(output.stdout).expect("UTF-8").contains('▶'));
}
