//! What other futures of a run say, as text.

use std::io::{self, Write};

use ftsim_core::Trace;
use ftsim_reports::{Page, TableRow, counted, line, rounded, step_in_words};

use super::moment::{Curve, Moment, Point};

/// Shares that differ by less than this stand in one row.
const ROW_HEIGHT: f64 = 0.05;
/// The length of the bar of all futures.
const BAR_LENGTH: u64 = 25;
const UNICODE_BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII_BLOCKS: [char; 8] = ['_', '_', '.', '.', '-', '-', '=', '#'];
/// The maximum number of columns of the sketch of a curve.
const SKETCH_LENGTH_MAX: usize = 72;

/// The moment a run went wrong, in plain sentences.
pub fn sentences(curve: &Curve, trace: &Trace) -> Vec<String> {
    let Curve { property, count, points, moment } = curve;
    let first = points.first().map(|point| point.violating);
    let futures = counted(*count, "other future");
    match moment {
        Moment::FromTheStart => {
            let interval = first.map_or_else(String::new, |rate| rate.to_string());
            vec![
                format!(
                    "It was certain from the start: {interval} other futures of the run, from \
                         before its first step, violate {property}."
                ),
                "What the seed fixes beforehand, and no later draw, decides it: the faults, \
                 overrides and wrong suspicions, or the protocol itself."
                    .to_owned(),
            ]
        }
        Moment::Step { before, after } => {
            let (violating, later) = (before.violating, after.violating);
            let description = describe(trace, before, after);
            vec![
                format!("It went wrong in {description}."),
                format!(
                    "Before it, {violating} other futures violate {property}; after it, \
                         {later}."
                ),
            ]
        }
        Moment::Gradually => {
            let begins = first.map_or_else(String::new, |rate| rate.to_string());
            vec![format!(
                "No single step decides it, as far as {futures} from each step can tell: {begins} \
                 violate {property} before the first step, all do after the last."
            )]
        }
    }
}

/// The step between two points, or the steps, and what happens there.
fn describe(trace: &Trace, before: &Point, after: &Point) -> String {
    let steps = match after.after - before.after {
        1 => format!("step {}", after.after),
        _ => format!("steps {} to {}, which are one event", before.after + 1, after.after),
    };
    match step_in_words(trace, before.after + 1) {
        Some((what, at)) => format!("{steps}, at {at}: {}", line(&what)),
        None => format!("{steps}, at {}", after.at),
    }
}

/// Writes a curve: a sketch, and a row for each stretch in which it hardly changes.
///
/// # Errors
/// Errors of `out`.
pub fn write_curve(
    out: &mut impl Write,
    curve: &Curve,
    is_unicode: bool,
    page: Page,
) -> io::Result<()> {
    let blocks = if is_unicode { UNICODE_BLOCKS } else { ASCII_BLOCKS };
    writeln!(out, "  {}", sketch(&curve.points, blocks))?;
    let bar = blocks[7];
    let cells = |row: &[Point]| {
        let (Some(first), Some(last)) = (row.first(), row.last()) else { return None };
        let steps = match first.after == last.after {
            true => first.after.to_string(),
            false => format!("{} to {}", first.after, last.after),
        };
        let counts = || row.iter().map(|point| point.violating.count);
        let (least, most) = (counts().min()?, counts().max()?);
        let count = match least == most {
            true => least.to_string(),
            false => format!("{least} to {most}"),
        };
        let mean = counts().sum::<u64>() / row.len() as u64;
        let length = (mean * BAR_LENGTH).div_ceil(curve.count.max(1));
        let bar = (0..length).map(|_| bar).collect();
        let at = rounded(first.at).to_string();
        let violating = format!("{count} of {}", curve.count);
        Some(TableRow::from([format!("  {steps}"), at, violating, bar]))
    };
    let head = ["  after step", "at", "violate it", ""].map(str::to_owned);
    let mut rows = vec![TableRow::from(head)];
    rows.extend(stretches(curve).into_iter().filter_map(cells));
    page.write_table(out, &rows)
}

/// The points, divided where the curve changes, and where the run went wrong.
fn stretches(curve: &Curve) -> Vec<&[Point]> {
    let turn = match &curve.moment {
        Moment::Step { after, .. } => Some(after.after),
        Moment::FromTheStart | Moment::Gradually => None,
    };
    let mut stretches = Vec::new();
    let mut begin = 0;
    let points = curve.points.as_slice();
    for index in 1..=points.len() {
        let is_apart = |point: &Point| {
            let apart = (point.share() - points[begin].share()).abs() >= ROW_HEIGHT;
            apart || Some(point.after) == turn
        };
        if points.get(index).is_none_or(is_apart) {
            stretches.push(&points[begin..index]);
            begin = index;
        }
    }
    stretches
}

/// The curve as a line of blocks, one for each point or for several.
fn sketch(points: &[Point], blocks: [char; 8]) -> String {
    let each = points.len().div_ceil(SKETCH_LENGTH_MAX).max(1);
    let block = |points: &[Point]| {
        let share = points.iter().map(Point::share).sum::<f64>() / points.len() as f64;
        let height = (1..8).filter(|height| share >= f64::from(*height) / 8.0).count();
        blocks[height]
    };
    points.chunks(each).map(block).collect()
}

#[cfg(test)]
mod tests {
    use ftsim_core::Instant;
    use ftsim_reports::{Page, Rate};

    use super::super::moment::{Curve, Moment, Point};
    use super::write_curve;

    #[test]
    fn a_row_is_a_stretch_without_changes() {
        let point = |step, count| Point {
            from: step,
            after: step,
            at: Instant::ZERO,
            violating: Rate::new(count, 100),
        };
        let counts = [10, 11, 12, 80, 82, 100];
        let points: Vec<Point> =
            (0..).zip(counts).map(|(step, count)| point(step, count)).collect();
        let moment = Moment::Step { before: points[2], after: points[3] };
        let curve = Curve { property: "p".to_owned(), count: 100, points, moment };
        let text = |is_unicode| {
            let mut out = Vec::new();
            write_curve(&mut out, &curve, is_unicode, Page::default()).expect("memory");
            String::from_utf8(out).expect("UTF-8")
        };
        let expected = "  ▁▁▁▇▇█
  after step  at  violate it
  0 to 2      0s  10 to 12 of 100  ███
  3 to 4      0s  80 to 82 of 100  █████████████████████
  5           0s  100 of 100       █████████████████████████
";
        assert_eq!(text(true), expected);
        assert!(text(false).is_ascii());
    }
}
