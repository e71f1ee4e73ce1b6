//! What has changed between two sweeps.

use maud::{Markup, html};

use crate::fisher::{p_value, significant};
use crate::foreign::line;
use crate::layout::with_separators;

/// What has changed since another sweep.
pub struct Comparison {
    /// The folder of the other results.
    pub folder: String,
    /// The properties that both sweeps checked.
    pub compared: Vec<Compared>,
    /// The groups of failures that only this sweep has, and that only the other has, each as
    /// scenario, property and signature.
    pub groups: Vec<(Change, [String; 3])>,
    /// The scenarios that only one of the sweeps has.
    pub only_in_one: Vec<(Change, String)>,
}

/// A property in two sweeps.
pub struct Compared {
    /// The scenario.
    pub scenario: String,
    /// The property.
    pub property: String,
    /// The violations and the runs of the other sweep.
    pub before: (u64, u64),
    /// The violations and the runs of this sweep.
    pub now: (u64, u64),
}

/// Whether something is new or gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Only this sweep has it.
    New,
    /// Only the other sweep has it.
    Gone,
}

impl Change {
    const fn text(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Gone => "gone",
        }
    }
}

/// A comparison with its significance.
struct Judged<'c> {
    of: &'c Compared,
    p: f64,
    significant: bool,
}

impl Judged<'_> {
    fn share(of: (u64, u64)) -> f64 {
        of.0 as f64 / of.1.max(1) as f64
    }

    fn p_text(&self) -> String {
        if self.p < 0.0001 { "< 0.0001".to_owned() } else { format!("{:.4}", self.p) }
    }

    fn verdict(&self) -> &'static str {
        let (before, now) = (Self::share(self.of.before), Self::share(self.of.now));
        match self.significant {
            false => "no significant difference",
            true if now > before => "violated more often",
            true => "violated less often",
        }
    }
}

/// The comparisons in which something is violated, the most significant ones first.
fn judged(comparison: &Comparison) -> Vec<Judged<'_>> {
    let differs = |of: &&Compared| of.before.0 > 0 || of.now.0 > 0;
    let compared: Vec<&Compared> = comparison.compared.iter().filter(differs).collect();
    let p_values: Vec<f64> = compared.iter().map(|of| p_value(of.before, of.now)).collect();
    let significant = significant(&p_values);
    let mut judged: Vec<Judged<'_>> = compared
        .into_iter()
        .zip(p_values)
        .zip(significant)
        .map(|((of, p), significant)| Judged { of, p, significant })
        .collect();
    judged.sort_by(|a, b| a.p.total_cmp(&b.p));
    judged
}

/// The result of a comparison in one line.
pub fn headline(comparison: &Comparison) -> String {
    let judged = judged(comparison);
    let count = |wanted: &str| judged.iter().filter(|judged| judged.verdict() == wanted).count();
    let (more, less) = (count("violated more often"), count("violated less often"));
    let of = |change: Change| comparison.groups.iter().filter(|(kind, _)| *kind == change).count();
    format!(
        "Against {}: {more} violated more often, {less} less often; {} new and {} gone groups of \
         failures",
        comparison.folder,
        of(Change::New),
        of(Change::Gone)
    )
}

/// The section of a page.
pub fn section(comparison: &Comparison) -> Markup {
    let rate = |(count, total): (u64, u64)| {
        format!("{} of {}", with_separators(count), with_separators(total))
    };
    html! {
        section {
            h2 { (line(&headline(comparison))) }
            p { "Fisher's exact test, two-sided, at a level of 5 % for all properties together \
                (Holm). A difference that is not significant may still be one: more seeds can \
                tell." }
            @let judged = judged(comparison);
            @if !judged.is_empty() {
                table {
                    thead { tr { th scope="col" { "scenario" } th scope="col" { "property" }
                        th scope="col" { "before" } th scope="col" { "now" }
                        th scope="col" { "p" } th scope="col" { "verdict" } } }
                    tbody { @for judged in &judged {
                        tr class=[judged.significant.then_some("significant")] {
                            th scope="row" { (line(&judged.of.scenario)) }
                            td { code { (line(&judged.of.property)) } }
                            td { (rate(judged.of.before)) } td { (rate(judged.of.now)) }
                            td { (judged.p_text()) }
                            td { (judged.verdict()) }
                        }
                    } }
                }
            }
            @if !comparison.groups.is_empty() {
                table {
                    caption { "Groups of failures" }
                    tbody { @for (change, [scenario, property, signature]) in &comparison.groups {
                        tr { th scope="row" { (change.text()) } td { (line(scenario)) }
                            td { code { (line(property)) } } td { (line(signature)) } }
                    } }
                }
            }
            @for (change, scenario) in &comparison.only_in_one {
                p { (line(scenario)) @match change {
                    Change::New => ": not in the other sweep",
                    Change::Gone => ": only in the other sweep",
                } }
            }
        }
    }
}
