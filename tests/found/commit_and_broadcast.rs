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
