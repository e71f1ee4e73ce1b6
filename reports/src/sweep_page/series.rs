//! Scenarios that differ in one parameter only: what changes with it.

use maud::{Markup, html};

use super::ShownSweep;
use super::axis::{Axis, LEFT, Mark, WIDTH, frame, horizontal, place};
use super::quantity::Quantity;
use crate::foreign::line;
use crate::step_text::shortened;

/// Scenarios of one protocol that differ in one number only.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The protocol.
    pub protocol: String,
    /// The parameter, as the path of its key, such as `params.f`.
    pub parameter: String,
    /// The scenarios, from the least value to the greatest; at least two.
    pub points: Vec<Point>,
}

/// One scenario of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The value of the parameter.
    pub value: f64,
    /// The value as the scenario says it.
    pub text: String,
    /// The scenario, by its place on the page.
    pub sweep: usize,
}

/// What is drawn over a parameter: for each point, the lower end, the middle and the upper end.
struct Plot {
    what: String,
    quantity: Quantity,
    ranges: Vec<[u64; 3]>,
}

impl Plot {
    /// Whether something changes.
    fn is_varied(&self) -> bool {
        let first = self.ranges.first();
        self.ranges.iter().any(|range| Some(range) != first)
    }
}

/// The maximum length of a parameter below a plot.
const NAME_LENGTH_MAX: usize = 36;

/// The section; nothing without series.
pub fn section(series: &[Series], sweeps: &[ShownSweep]) -> Markup {
    html! {
        @if !series.is_empty() {
            section {
                h2 { "What changes with a parameter" }
                p { "Scenarios that differ in one number only. A dot is the median of the runs, \
                    and its line reaches from the value that 10 % do not exceed to the value that \
                    90 % do not exceed. For violations, the dot is their share, and its line the \
                    interval." }
                @for series in series {
                    h3 { code { (line(&series.parameter)) } " of " (line(&series.protocol)) }
                    @let plots = plots(series, sweeps);
                    @if plots.is_empty() { p { "Nothing that was measured depends on it." } }
                    div.curves { @for plot in &plots { (drawn(series, plot)) } }
                }
            }
        }
    }
}

/// What differs between the scenarios, of all that was measured in each.
fn plots(series: &Series, sweeps: &[ShownSweep]) -> Vec<Plot> {
    let points: Vec<&ShownSweep> =
        series.points.iter().filter_map(|point| sweeps.get(point.sweep)).collect();
    let Some(first) = points.first() else { return Vec::new() };
    let mut plots = Vec::new();
    for row in &first.report.rates {
        let ranges = points.iter().map(|sweep| {
            let rate = sweep.report.rates.iter().find(|rate| rate.property == row.property)?;
            #[expect(clippy::cast_possible_truncation, reason = "a share is at most 1")]
            let points = |share: f64| (share * 10_000.0).round() as u64;
            let share = rate.violated.count as f64 / rate.violated.total.max(1) as f64;
            Some([rate.violated.low, share, rate.violated.high].map(points))
        });
        let never = |sweep: &&ShownSweep| {
            let rates = &sweep.report.rates;
            rates.iter().all(|rate| rate.property != row.property || rate.violated.count == 0)
        };
        if let Some(ranges) = ranges.collect::<Option<Vec<_>>>()
            && !points.iter().all(never)
        {
            let what = format!("violations of {}", row.property.0);
            plots.push(Plot { what, quantity: Quantity::BasisPoints, ranges });
        }
    }
    for curve in &first.curves {
        let ranges = points.iter().map(|sweep| {
            let same = |other: &&super::Curve| other.measure == curve.measure;
            let curve = sweep.curves.iter().find(same)?;
            Some([0.1, 0.5, 0.9].map(|share| curve.quantile(share)))
        });
        if let Some(ranges) = ranges.collect::<Option<Vec<_>>>() {
            let what = curve.measure.what.to_owned();
            plots.push(Plot { what, quantity: curve.measure.quantity, ranges });
        }
    }
    plots.retain(Plot::is_varied);
    plots
}

fn drawn(series: &Series, plot: &Plot) -> Markup {
    let quantity = plot.quantity;
    let (width, height, view) = frame();
    let places = places(series);
    let most = plot.ranges.iter().map(|range| range[2]).max().unwrap_or(0);
    // From zero on: few points would fill any other range from its bottom to its top.
    let axis = Axis::over(0, most);
    let marks: Vec<Mark> = places
        .iter()
        .zip(&series.points)
        .map(|(at, point)| Mark { at: *at, text: line(&point.text).into_owned() })
        .collect();
    let points: Vec<(f64, &[u64; 3], String)> = places
        .iter()
        .zip(&plot.ranges)
        .zip(&marks)
        .map(|((at, range), mark)| {
            let [low, middle, high] = range.map(|value| quantity.text(value));
            (LEFT + at * WIDTH, range, format!("{}: {middle} ({low} to {high})", mark.text))
        })
        .collect();
    let words: Vec<&str> = points.iter().map(|(.., words)| words.as_str()).collect();
    let label = format!("{} over {}: {}", plot.what, line(&series.parameter), words.join("; "));
    let path: Vec<String> = points
        .iter()
        .map(|(x, range, _)| format!("{} {}", place(*x), place(axis.y(range[1]))))
        .collect();
    html! {
        figure {
            figcaption { strong { (line(&plot.what)) } }
            svg.curve width=(width) height=(height) viewBox=(view) role="img" aria-label=(label) {
                title { (label) }
                (axis.drawn(quantity))
                (horizontal(&readable(marks), &shortened(&series.parameter, NAME_LENGTH_MAX)))
                path.thin d=(format!("M{}", path.join("L"))) {}
                @for (x, [low, middle, high], words) in &points {
                    line.range x1=(place(*x)) x2=(place(*x)) y1=(place(axis.y(*low)))
                        y2=(place(axis.y(*high))) {}
                    circle cx=(place(*x)) cy=(place(axis.y(*middle))) r="4" {
                        title { (words) } }
                }
            }
        }
    }
}

/// The room beside the first point and beside the last one, as a share of the width.
const BESIDE: f64 = 0.08;

/// Where the points are, from 0 to 1: true to scale.
fn places(series: &Series) -> Vec<f64> {
    let values = || series.points.iter().map(|point| point.value);
    let least = values().fold(f64::INFINITY, f64::min);
    let most = values().fold(f64::NEG_INFINITY, f64::max);
    let place = |value| BESIDE + (value - least) / (most - least) * (1.0 - 2.0 * BESIDE);
    values().map(|value| if most > least { place(value) } else { 0.5 }).collect()
}

/// The width of a character of a mark, at most, as a share of the width.
const CHARACTER: f64 = 7.5 / WIDTH;

/// The marks that do not cover those before them.
fn readable(marks: Vec<Mark>) -> Vec<Mark> {
    let mut end = f64::NEG_INFINITY;
    let fits = |mark: &Mark| {
        let half = mark.text.chars().count() as f64 * CHARACTER / 2.0;
        let is_free = mark.at - half > end;
        if is_free {
            end = mark.at + half + CHARACTER / 2.0;
        }
        is_free
    };
    marks.into_iter().filter(fits).collect()
}
