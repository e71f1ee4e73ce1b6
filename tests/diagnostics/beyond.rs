//! Guards the warnings: a scenario that goes beyond the model of its protocol, although it expects
//! all to be well, can be run, but its author is told.

use annotate_snippets::Renderer;
use expect_test::{Expect, expect};
use ftsim::Catalogue;
use ftsim::scenario::Scenario;

use crate::shipped;

/// The warnings of a scenario that can be used.
fn warnings(text: &str) -> String {
    let scenario = Scenario::parse("x.toml", text, &Catalogue::builtin()).expect("a good scenario");
    let warnings = scenario.warnings.iter().map(|w| format!("{}\n", w.render(&Renderer::plain())));
    warnings.collect()
}

fn warns(text: &str, expected: &Expect) {
    expected.assert_eq(&warnings(text));
    // Not of what is meant.
    let property = if text.contains("consensus") || text.contains("floodset") {
        "cons.agreement"
    } else {
        "rb.agreement"
    };
    let meant = format!("{text}\n[expect]\nviolated = [\"{property}\"]\n");
    assert_eq!(warnings(&meant), "");
}

const TWO_CRASHES: &str = r#"protocol = "floodset"
processes = 4
params.f = 1
[[fault]]
at = "1ms"
crash = "p0"
[[fault]]
at = "2ms"
crash = "p1"
[[fault]]
at = "3ms"
crash = "p2"
"#;

#[test]
fn more_faulty_processes_than_the_bound() {
    warns(
        TWO_CRASHES,
        &expect![[r#"
            warning: `floodset` tolerates f < n, and here f = 1
             --> x.toml:7:1
              |
            7 | [[fault]]
              | ^^^^^^^^^ this makes 2 of 4 processes faulty
              |
            help: if the scenario is about that, say in [expect] which properties are violated
        "#]],
    );
    assert_eq!(warnings(&TWO_CRASHES.replace("f = 1", "f = 3")), "");
}

#[test]
fn a_liar_among_processes_that_crash() {
    let text = r#"protocol = "eager-rb"
processes = 4
[[fault]]
at = "1ms"
byzantine = "p0"
behaviour = "mutate"
"#;
    warns(
        text,
        &expect![[r#"
        warning: `eager-rb` tolerates crash-stop faults
         --> x.toml:3:1
          |
        3 | [[fault]]
          | ^^^^^^^^^ here a process lies
          |
        help: if the scenario is about that, say in [expect] which properties are violated
    "#]],
    );
}

#[test]
fn links_that_lose_and_duplicate() {
    let text = r#"protocol = "eager-rb"
processes = 4
[network]
loss = 0.1
duplicate = 0.1
"#;
    warns(
        text,
        &expect![[r#"
        warning: `eager-rb` needs links that are reliable
         --> x.toml:4:8
          |
        4 | loss = 0.1
          |        ^^^ these lose messages
          |
        help: write links = "reliable" in [network], or say in [expect] which properties are violated
        warning: `eager-rb` needs links that are reliable
         --> x.toml:5:13
          |
        5 | duplicate = 0.1
          |             ^^^ these duplicate messages
          |
        help: write links = "reliable" in [network], or say in [expect] which properties are violated
    "#]],
    );
    assert_eq!(warnings(&format!("{text}links = \"reliable\"\n")), "");
}

const CLOCKS: &str = r#"protocol = "bully"
processes = 4
[clocks]
drift = "-10000ppm..10000ppm"
"#;

#[test]
fn clocks_that_drift_where_delays_are_bounded() {
    let expected = expect![[r#"
        warning: `bully` needs clocks that run at one rate
         --> x.toml:4:9
          |
        4 | drift = "-10000ppm..10000ppm"
          |         ^^^^^^^^^^^^^^^^^^^^^ these clocks do not
          |
        help: if the scenario is about that, say in [expect] which properties are violated
    "#]];
    expected.assert_eq(&warnings(CLOCKS));
    assert_eq!(warnings(&format!("{CLOCKS}[expect]\nviolated = [\"el.max\"]\n")), "");
    // An asynchronous protocol takes no notice, and this one allows for a tenth.
    assert_eq!(warnings(&CLOCKS.replace("bully", "eager-rb")), "");
    let tenth = CLOCKS.replace("bully", "state-transfer");
    let tenth = tenth.replace("= 4", "= { primary = 1, server = 2, client = 1 }");
    assert_eq!(warnings(&tenth), "");
    let more = tenth.replace("..10000ppm", "..100001ppm");
    assert!(warnings(&more).contains("at one rate, within 100000ppm"));
}

#[test]
fn one_clock_that_drifts_stands_still_or_is_set() {
    let one = |fault: &str| {
        let fault = format!("[[fault]]\nat = \"1ms\"\n{fault}\n");
        warnings(&format!("protocol = \"bully\"\nprocesses = 4\n{fault}"))
    };
    assert!(one(r#"drift = { process = "p1", by = "10000ppm" }"#).contains("a clock drifts"));
    let frozen = "freeze = \"p1\"\nduration = \"5ms\"";
    assert!(one(frozen).contains("a clock stands still"));
    // No timer depends on what a clock shows.
    assert_eq!(one(r#"jump = { process = "p1", ahead = "1s" }"#), "");
    let drawn = |kind: &str| {
        let head = "protocol = \"bully\"\nprocesses = 4\n[random]\nmax_faulty = 1\n";
        let times = "count = 1\nbetween = \"0ms..50ms\"\nduration = \"50ms\"\n";
        warnings(&format!("{head}[random.{kind}]\n{times}"))
    };
    assert!(drawn("freeze").contains("these clocks stand still"));
}

/// Scenarios in which the protocol does well beyond its model.
const DO_WELL: &[&str] = &[
    "2pc-coordinator-crash-cooperative",
    "2pc-full",
    "2pc-sync-fails-presume-commit",
    "ckpt-blocking-participant-never-returns",
    "dijkstra-ring-any-state",
    "fifo-link-reorder",
    "gossip-lossy",
    "k-fault-bounds-crash-1-at",
    "k-fault-bounds-crash-2-at",
    "k-fault-bounds-mixed-at",
    "koo-toueg-participant-never-returns",
    "nmr-voting-one-wrong-in-each-stage",
    "nmr-voting-pair",
];

#[test]
fn a_shipped_scenario_keeps_within_its_model_or_says_what_breaks() {
    let mut beyond: Vec<String> = shipped::scenarios()
        .into_iter()
        .filter_map(|(name, scenario)| (!scenario.warnings.is_empty()).then_some(name))
        .collect();
    beyond.sort();
    assert_eq!(beyond, DO_WELL);
}
