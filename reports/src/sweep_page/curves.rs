//! The distribution of a number over runs, as a quantile plot.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::axis::{Axis, HEIGHT, LEFT, Mark, TOP, WIDTH, frame, horizontal, place};
use super::quantity::Measure;
use crate::foreign::line;
use crate::layout::with_separators;

/// A distribution.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// What is measured.
    pub measure: Measure,
    /// How many values there are.
    pub total: u64,
    /// The values from the least to the greatest, each with the share of all that are at most this
    /// value, in `0..=1`; not empty.
    pub values: Vec<(u64, f64)>,
}

impl Curve {
    /// The least value.
    pub(super) fn least(&self) -> u64 {
        self.values.first().map_or(0, |(value, _)| *value)
    }

    /// The greatest value.
    pub(super) fn most(&self) -> u64 {
        self.values.last().map_or(0, |(value, _)| *value)
    }

    /// The least value that this share of all does not exceed.
    pub(super) fn quantile(&self, share: f64) -> u64 {
        let found = self.values.iter().find(|(_, so_far)| *so_far >= share);
        found.map_or(self.most(), |(value, _)| *value)
    }

    /// Whether all values are the same.
    pub(super) fn is_constant(&self) -> bool {
        self.least() == self.most()
    }

    /// Its values in words.
    fn numbers(&self) -> String {
        let text = |value| self.measure.quantity.text(value);
        format!(
            "least {}, median {}, 90\u{a0}%\u{a0}{}, greatest {}",
            text(self.least()),
            text(self.quantile(0.5)),
            text(self.quantile(0.9)),
            text(self.most())
        )
    }
}

/// The curves of a scenario: those with several values as plots, the others in words. Where nothing
/// was ever measured, nothing is said.
pub fn plots(curves: &[Curve]) -> Markup {
    let (constant, varied): (Vec<&Curve>, Vec<&Curve>) =
        curves.iter().partition(|curve| curve.is_constant());
    let always: Vec<String> = constant
        .iter()
        .filter(|curve| curve.most() > 0)
        .map(|curve| {
            let value = curve.measure.quantity.text(curve.most());
            format!("{} {value}", curve.measure.what)
        })
        .collect();
    html! {
        @if !always.is_empty() { p.always { "Always the same: " (always.join(", ")) } }
        @if !varied.is_empty() { div.curves { @for curve in varied { (plot(curve)) } } }
    }
}

fn plot(curve: &Curve) -> Markup {
    let Measure { what, over, quantity } = curve.measure;
    let label = format!("{what}: {}", curve.numbers());
    let axis = Axis::over(curve.least(), curve.most());
    let (width, height, view) = frame();
    let below = format!("share of {} {}", with_separators(curve.total), over.name());
    let marks = [0, 25, 50, 75, 100];
    let marks = marks.map(|at| Mark { at: f64::from(at) / 100.0, text: format!("{at} %") });
    html! {
        figure {
            figcaption { strong { (line(what)) } br; (curve.numbers()) }
            svg.curve width=(width) height=(height) viewBox=(view) role="img" aria-label=(label) {
                title { (label) }
                (axis.drawn(quantity))
                (horizontal(&marks, &below))
                line.middle x1=(LEFT + WIDTH / 2.0) x2=(LEFT + WIDTH / 2.0) y1=(TOP)
                    y2=(TOP + HEIGHT) {}
                path d=(path(curve, &axis)) {}
                @for share in [0.5, 0.9] {
                    @let value = curve.quantile(share);
                    circle cx=(place(LEFT + share * WIDTH)) cy=(place(axis.y(value))) r="3" {
                        title { (share * 100.0) " %: " (quantity.text(value)) } }
                }
            }
        }
    }
}

/// The steps of the curve.
fn path(curve: &Curve, axis: &Axis) -> String {
    let (mut path, mut left) = (String::new(), LEFT);
    for (value, share) in &curve.values {
        let (y, right) = (axis.y(*value), LEFT + share * WIDTH);
        let command = if path.is_empty() { 'M' } else { 'L' };
        let _ = write!(path, "{command}{left:.1} {y:.1}L{right:.1} {y:.1}");
        left = right;
    }
    path
}
