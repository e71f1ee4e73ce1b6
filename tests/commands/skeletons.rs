//! Files that ftsim writes for somebody to go on with, for a shell, and for a manual.

use std::process::{Command, Output};

use expect_test::expect_file;

fn ftsim(args: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    program.args(args).output().expect("ftsim starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// The example crate compiles and runs this file.
#[test]
fn a_new_protocol_is_one_that_the_example_compiles() {
    let made = ftsim(&["new", "protocol", "skeleton"]);
    expect_file!["../../examples/own-protocol/tests/own/skeleton.rs"].assert_eq(&stdout(&made));
}

#[test]
fn a_new_scenario_of_each_protocol_is_accepted_and_not_written_over() {
    let folder = tempfile::tempdir().expect("a folder");
    for entry in ftsim::Catalogue::builtin().entries() {
        let file = folder.path().join(format!("{}.toml", entry.name));
        let path = file.to_str().expect("UTF-8");
        let made = ftsim(&["new", "scenario", entry.name, "-o", path]);
        assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
        let checked = ftsim(&["check", path]);
        assert_eq!(checked.status.code(), Some(0), "{}", stderr(&checked));
        let again = ftsim(&["new", "scenario", entry.name, "-o", path]);
        assert_eq!(again.status.code(), Some(2), "{}", stderr(&again));
    }
}

#[test]
fn a_new_protocol_has_its_name_in_it() {
    let made = ftsim(&["new", "protocol", "two-rings"]);
    let text = stdout(&made);
    assert!(text.contains("pub struct TwoRings;") && text.contains("\"two-rings\""), "{text}");
    for wrong in ["TwoRings", "two rings", "2pc", "", "a--b"] {
        assert_eq!(ftsim(&["new", "protocol", wrong]).status.code(), Some(2), "{wrong}");
    }
}

#[test]
fn shells_and_readers_of_manuals_get_what_they_want() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let text = stdout(&ftsim(&["completions", shell]));
        assert!(text.contains("ftsim") && text.contains("until-failure"), "{shell}: {text}");
    }
    let page = stdout(&ftsim(&["man"]));
    for part in [".TH", "FTSIM STRESS", "\\-\\-until\\-failure", "Exit status"] {
        assert!(page.contains(part), "{part}: {page}");
    }
}
