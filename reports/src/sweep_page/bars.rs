//! The results for a property as a bar: held, vacuous, undecided, violated.

use maud::{Markup, html};

use crate::scenario::PropertyRow;

const WIDTH: f64 = 160.0;
const STRIP_WIDTH: f64 = 64.0;
/// Something that happened is seen, however rarely it did.
const WIDTH_MIN: f64 = 2.0;

/// The bar of a property.
pub fn bar(row: &PropertyRow) -> Markup {
    let label: Vec<String> = parts(row)
        .iter()
        .map(|(name, count)| match *name {
            "expected" => format!("{count} violated, as expected"),
            name => format!("{count} {name}"),
        })
        .collect();
    let label = label.join(", ");
    html! {
        svg.bar width="160" height="12" viewBox="0 0 160 12" role="img" aria-label=(label) {
            title { (label) }
            @for (name, x, width) in placed(row, WIDTH) {
                rect class=(name) x=(x) y="0" width=(width) height="12" {}
            }
        }
    }
}

/// The same as a thin strip without a title, for the cell of a table that has one.
pub fn strip(row: &PropertyRow) -> Markup {
    html! {
        svg.bar width="64" height="4" viewBox="0 0 64 4" aria-hidden="true" {
            @for (name, x, width) in placed(row, STRIP_WIDTH) {
                rect class=(name) x=(x) y="0" width=(width) height="4" {}
            }
        }
    }
}

/// What happened at all, and in how many runs.
fn parts(row: &PropertyRow) -> Vec<(&'static str, u64)> {
    let violated = if row.violation_expected { "expected" } else { "violated" };
    let parts = [
        ("held", row.held),
        ("vacuous", row.vacuous),
        ("undecided", row.undecided),
        (violated, row.violated),
    ];
    parts.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// The parts of a bar of this width: each with its left end and its width.
fn placed(row: &PropertyRow, width: f64) -> Vec<(&'static str, String, String)> {
    let parts = parts(row);
    let total: u64 = parts.iter().map(|(_, count)| count).sum();
    let scale = (width - WIDTH_MIN * parts.len() as f64) / total.max(1) as f64;
    let mut left = 0.0;
    let place = |(name, count)| {
        let (x, width) = (left, WIDTH_MIN + count as f64 * scale);
        left += width;
        (name, format!("{x:.1}"), format!("{width:.1}"))
    };
    parts.into_iter().map(place).collect()
}

/// What the colours mean.
pub fn legend() -> Markup {
    let entry = |class: &str, text: &str| {
        html! {
            span.entry { svg.bar width="14" height="12" aria-hidden="true" {
                rect class=(class) width="14" height="12" {} } " " (text) }
        }
    };
    html! {
        p.legend {
            (entry("held", "held")) (entry("vacuous", "vacuous: its premise never came true"))
            (entry("undecided", "undecided")) (entry("expected", "violated, as expected"))
            (entry("violated", "violated"))
        }
    }
}
