//! Defects of commitment, broadcast and consensus.

mod fault_classes;
mod logged_consensus;

use ftsim_core::{Outcome, Verdict};

fn violated(outcome: &Outcome) -> Vec<&'static str> {
    let bad = outcome.judged.iter().filter(|j| matches!(j.verdict, Verdict::Violated(_)));
    bad.map(|judged| judged.id.0).collect()
}
