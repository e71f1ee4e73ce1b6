//! The distribution of a number over runs, as a quantile plot.

use std::fmt::Write as _;

use maud::{Markup, html};

use crate::layout::with_separators;

/// A distribution.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// The number, such as `messages`.
    pub what: &'static str,
    /// Its values from the least to the greatest, each with the share of runs that have at most
    /// this value, in `0..=1`.
    pub values: Vec<(u64, f64)>,
}

const WIDTH: f64 = 220.0;
const HEIGHT: f64 = 70.0;
/// The room for the labels at the right.
const MARGIN: f64 = 70.0;

/// The plot: the share of runs to the right, the value upwards.
pub fn drawn(curve: &Curve) -> Markup {
    let least = curve.values.first().map_or(0, |(value, _)| *value);
    let most = curve.values.last().map_or(0, |(value, _)| *value);
    let y = |value: u64| {
        let range = most.saturating_sub(least).max(1) as f64;
        6.0 + HEIGHT - (value.saturating_sub(least)) as f64 / range * HEIGHT
    };
    let (mut path, mut left) = (String::new(), 0.0);
    for (value, share) in &curve.values {
        let (y, right) = (y(*value), share * WIDTH);
        let command = if path.is_empty() { 'M' } else { 'L' };
        let _ = write!(path, "{command}{left:.1} {y:.1}L{right:.1} {y:.1}");
        left = right;
    }
    let median = curve.values.iter().find(|(_, share)| *share >= 0.5);
    let median = median.map_or(least, |(value, _)| *value);
    let size = format!("0 0 {} {}", WIDTH + MARGIN, HEIGHT + 12.0);
    let label = format!(
        "{} per run: least {}, median {}, greatest {}",
        curve.what,
        with_separators(least),
        with_separators(median),
        with_separators(most)
    );
    html! {
        svg.curve width=(WIDTH + MARGIN) height=(HEIGHT + 12.0) viewBox=(size) role="img"
            aria-label=(label) {
            title { (label) }
            line.middle x1=(WIDTH / 2.0) x2=(WIDTH / 2.0) y1="6" y2=(HEIGHT + 6.0) {}
            path d=(path) {}
            @if most > least { text x=(WIDTH + 6.0) y="12" { (with_separators(most)) } }
            text x=(WIDTH + 6.0) y=(HEIGHT + 8.0) { (with_separators(least)) }
            @if y(median) > 26.0 && y(median) < HEIGHT - 8.0 {
                text.middle x=(WIDTH / 2.0 + 4.0) y=(format!("{:.1}", y(median) - 4.0)) {
                    (with_separators(median)) }
            }
        }
    }
}
