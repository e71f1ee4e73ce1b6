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
    warns(TWO_CRASHES, &expect![[]]);
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
    warns(text, &expect![[]]);
}

#[test]
fn links_that_lose_and_duplicate() {
    let text = r#"protocol = "eager-rb"
processes = 4
[network]
loss = 0.1
duplicate = 0.1
"#;
    warns(text, &expect![[]]);
    assert_eq!(warnings(&format!("{text}links = \"reliable\"\n")), "");
}

#[test]
fn a_scenario_that_is_shipped_keeps_within_its_model_or_says_what_breaks() {
    let mut beyond = Vec::new();
    for (name, scenario) in shipped::scenarios() {
        beyond.extend(scenario.warnings.iter().map(|w| format!("{name}: {}", w.message)));
    }
    assert_eq!(beyond, [] as [String; 0], "{}", beyond.join("\n"));
}
