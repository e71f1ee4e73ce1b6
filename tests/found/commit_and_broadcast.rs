//! Defects of commitment, broadcast and consensus.

mod detector_needed;
mod every_property;
mod fault_classes;
mod late_prepare;
mod logged_consensus;
mod within_the_bound;

use annotate_snippets::Renderer;
use ftsim::Catalogue;
use ftsim::scenario::Scenario;
use ftsim_core::{Outcome, Verdict};

/// A scenario from its text, or what is wrong with it.
fn parse(text: &str) -> Result<Scenario, String> {
    Scenario::parse("found.toml", text, &Catalogue::builtin()).map_err(|diagnostics| {
        let told: Vec<_> = diagnostics.iter().map(|d| d.render(&Renderer::plain())).collect();
        told.join("\n")
    })
}

fn violated(outcome: &Outcome) -> Vec<&'static str> {
    let bad = outcome.judged.iter().filter(|j| matches!(j.verdict, Verdict::Violated(_)));
    bad.map(|judged| judged.id.0).collect()
}

#[test]
fn a_number_that_was_a_property_is_told_with_its_name() {
    let text = "protocol = \"two-phase-commit\"\n\
                processes = { coordinator = 1, participant = 2 }\n\
                [expect]\n\
                violated = [\"ac.1\"]\n";
    let why = parse(text).err().expect("it is refused");
    assert!(why.contains("property `ac.1` is called `ac.agreement`"), "{why}");
    assert!(why.contains("found.toml:4:13") && why.contains("write \"ac.agreement\""), "{why}");
}
