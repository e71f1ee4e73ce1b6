//! The results for a property as a bar: held, vacuous, undecided, violated.

use maud::{Markup, html};

use crate::scenario::PropertyRow;

const WIDTH: f64 = 160.0;
/// Something that happened is seen, however rarely it did.
const WIDTH_MIN: f64 = 2.0;

/// The bar of a property.
pub fn bar(row: &PropertyRow) -> Markup {
    let violated = if row.violation_expected { "expected" } else { "violated" };
    let parts = [
        ("held", row.held),
        ("vacuous", row.vacuous),
        ("undecided", row.undecided),
        (violated, row.violated),
    ];
    let total: u64 = parts.iter().map(|(_, count)| count).sum();
    let label: Vec<String> = parts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| match *name {
            "expected" => format!("{count} violated, as expected"),
            name => format!("{count} {name}"),
        })
        .collect();
    let label = label.join(", ");
    let seen: Vec<_> = parts.into_iter().filter(|(_, count)| *count > 0).collect();
    let scale = (WIDTH - WIDTH_MIN * seen.len() as f64) / total.max(1) as f64;
    let mut left = 0.0;
    let placed = seen.into_iter().map(|(name, count)| {
        let (x, width) = (left, WIDTH_MIN + count as f64 * scale);
        left += width;
        (name, format!("{x:.1}"), format!("{width:.1}"))
    });
    html! {
        svg.bar width="160" height="12" viewBox="0 0 160 12" role="img" aria-label=(label) {
            title { (label) }
            @for (name, x, width) in placed.collect::<Vec<_>>() {
                rect class=(name) x=(x) y="0" width=(width) height="12" {}
            }
        }
    }
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
