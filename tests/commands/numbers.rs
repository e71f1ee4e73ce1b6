//! What protocols cost is as the literature says.

use std::process::{Command, Output};

use expect_test::expect_file;
use ftsim::{Catalogue, main_with};

fn ftsim(args: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    program.arg("numbers").args(args).output().expect("ftsim starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

#[test]
fn every_number_is_as_stated_and_the_document_is_current() {
    let measured = ftsim(&["--format", "markdown"]);
    assert_eq!(measured.status.code(), Some(0), "{measured:?}");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/numbers.md");
    let document = std::fs::read_to_string(path).expect("a document");
    let (before, _) = document.split_once("| protocol |").expect("a table");
    expect_file![path].assert_eq(&format!("{before}{}", stdout(&measured)));
}

#[test]
fn every_protocol_has_a_number() {
    for entry in Catalogue::builtin().entries() {
        let measured = ftsim(&[entry.name, "--format", "json"]);
        assert_eq!(measured.status.code(), Some(0), "{measured:?}");
        let json: serde_json::Value = serde_json::from_str(&stdout(&measured)).expect("JSON");
        let numbers = json["numbers"].as_array().expect("numbers");
        assert!(!numbers.is_empty(), "{}", entry.name);
        assert!(numbers.iter().all(|number| number["protocol"] == entry.name), "{json}");
    }
}

/// A number of `beb` with these lines.
fn status(lines: &str) -> u8 {
    let text = format!(
        "[[number]]\nprotocol = \"beb\"\nquantity = \"q\"\nformula = \"f\"\nsource = \"s\"\n{lines}"
    );
    let catalogue = Catalogue::builtin().with_numbers(Box::leak(text.into_boxed_str()));
    main_with(["ftsim", "numbers", "beb"].map(Into::into), &catalogue)
}

#[test]
fn a_number_that_differs_or_cannot_be_measured_is_told() {
    let senders = "world.workload.senders = [\"p0\"]\nmeasure = \"messages\"\n";
    assert_eq!(status(&format!("{senders}cases = [{{ processes = 4, is = 3 }}]")), 0);
    assert_eq!(
        status(&format!("{senders}kinds = [\"Data\"]\ncases = [{{ processes = 4, is = 3 }}]")),
        0
    );
    assert_eq!(
        status(&format!("{senders}kinds = [\"Ack\"]\ncases = [{{ processes = 4, is = 3 }}]")),
        1
    );
    assert_eq!(status(&format!("{senders}cases = [{{ processes = 4, is = 4 }}]")), 1);
    assert_eq!(status(&format!("{senders}cases = []")), 1);
    assert_eq!(status(&format!("{senders}cases = [{{ proceses = 4, is = 3 }}]")), 2);
    assert_eq!(status("measure = \"bytes\"\ncases = []"), 2);
    assert_eq!(ftsim(&["bed"]).status.code(), Some(2));
}
