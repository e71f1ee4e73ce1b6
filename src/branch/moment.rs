//! The moment a run went wrong: the step after which most more of its other futures end as it did.

use ftsim_core::Instant;
use ftsim_reports::{Rate, p_value};

use super::{Cut, Effort, Futures, Origin};
use crate::scenario::PANICKED;

/// A jump is stated if counts that differ so much have less than this chance where the shares are
/// the same.
const LEVEL: f64 = 0.01;
/// The series of the futures that make the curve, and of those that confirm its jump.
const CURVE: u64 = 1;
const CONFIRMATION: u64 = 2;

/// The futures from one step that end in the violation of a property.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The first step that is known to be followed by these futures.
    pub from: u64,
    /// They have the run's past up to this step: the same, or a later step of the same event.
    pub after: u64,
    /// The time at which they part from the run.
    pub at: Instant,
    /// Those that end in the violation.
    pub violating: Rate,
}

impl Point {
    /// The share of futures that end in the violation.
    pub fn share(&self) -> f64 {
        self.violating.count as f64 / self.violating.total.max(1) as f64
    }
}

/// How the violation became certain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// It was from the start: no future goes well.
    FromTheStart,
    /// In one step, which is the last of the second point; both have futures of their own, which
    /// did not choose it.
    Step {
        /// The futures from before this step.
        before: Point,
        /// Those from after it.
        after: Point,
    },
    /// In no step that stands out.
    Gradually,
}

/// The share of futures that end in a violation, step by step.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// The property.
    pub property: String,
    /// The number of futures from each step.
    pub count: u64,
    /// From before the first step to after the last.
    pub points: Vec<Point>,
    /// What it shows.
    pub moment: Moment,
}

impl Curve {
    /// The curve of a property that the run violates, with at most so many points.
    ///
    /// # Errors
    /// If it is interrupted, or if ftsim itself fails.
    pub fn of(
        origin: &Origin<'_>,
        property: &str,
        point_count_max: usize,
        effort: &Effort<'_>,
    ) -> Result<Self, Cut> {
        let mut measure = |steps: &[u64], series: u64| -> Result<Vec<Point>, Cut> {
            let futures = origin.futures(steps, series, effort)?;
            let points = steps.iter().zip(&futures);
            Ok(points.map(|(step, futures)| point(*step, futures, property)).collect())
        };
        let mut points = points(origin.step_count(), point_count_max, &mut measure)?;
        points.dedup_by(|later, earlier| later.after == earlier.after);
        let moment = moment(&points, &mut measure)?;
        Ok(Self { property: property.to_owned(), count: effort.count, points, moment })
    }
}

fn point(from: u64, futures: &Futures, property: &str) -> Point {
    let Futures { after, at, tally } = futures;
    let count = match property {
        PANICKED => tally.panicked,
        _ => {
            let named = tally.properties.iter().find(|(id, _)| id.0 == property);
            named.map_or(0, |(_, tally)| tally.violated)
        }
    };
    Point { from, after: *after, at: *at, violating: Rate::new(count, tally.seed_count) }
}

/// Measures the points after these steps, with futures of this series.
type Measure<'m, E> = dyn FnMut(&[u64], u64) -> Result<Vec<Point>, E> + 'm;

/// The points of the curve of a run with so many steps: all, or if they are too many some of them,
/// and ever more where the curve rises most.
fn points<E>(last: u64, count_max: usize, measure: &mut Measure<'_, E>) -> Result<Vec<Point>, E> {
    let count_max = count_max.max(2) as u64;
    if last < count_max {
        return measure(&(0..=last).collect::<Vec<u64>>(), CURVE);
    }
    let gaps = (count_max / 2).max(1);
    let spread = |nth: u64| u64::try_from(u128::from(last) * u128::from(nth) / u128::from(gaps));
    let grid: Vec<u64> = (0..=gaps).map(|nth| spread(nth).unwrap_or(last)).collect();
    let mut points = measure(&grid, CURVE)?;
    for _ in grid.len() as u64..count_max {
        points.dedup_by(|later, earlier| later.after == earlier.after);
        let Some(steepest) = steepest(&points) else { break };
        let (left, right) = (points[steepest], points[steepest + 1]);
        if right.from - left.after <= 1 {
            break;
        }
        let middle = left.after + (right.from - left.after) / 2;
        for found in measure(&[middle], CURVE)? {
            if found.after == right.after {
                points[steepest + 1].from = middle;
            } else {
                points.insert(steepest + 1, found);
            }
        }
    }
    Ok(points)
}

/// The point, by index, after which the curve rises most; the first of several.
fn steepest(points: &[Point]) -> Option<usize> {
    let rise = |index: usize| points[index + 1].share() - points[index].share();
    let rises = (0..points.len().saturating_sub(1)).filter(|index| rise(*index) > 0.0);
    rises.rev().max_by(|one, other| rise(*one).total_cmp(&rise(*other)))
}

/// What the curve shows. Of many rises the greatest is great by chance, too; so it is measured once
/// more, with futures that had no part in choosing it.
fn moment<E>(points: &[Point], measure: &mut Measure<'_, E>) -> Result<Moment, E> {
    let is_certain = |point: &Point| point.violating.count == point.violating.total;
    if points.first().is_none_or(is_certain) {
        return Ok(Moment::FromTheStart);
    }
    let Some(steepest) = steepest(points) else { return Ok(Moment::Gradually) };
    let (left, right) = (points[steepest], points[steepest + 1]);
    if right.from - left.after > 1 {
        return Ok(Moment::Gradually);
    }
    let again = measure(&[left.after, right.from], CONFIRMATION)?;
    let [before, after] = again.as_slice() else { return Ok(Moment::Gradually) };
    let counts = |point: &Point| (point.violating.count, point.violating.total);
    let rises = after.share() > before.share();
    let is_significant = rises && p_value(counts(before), counts(after)) < LEVEL;
    Ok(match is_significant {
        true => Moment::Step { before: *before, after: *after },
        false => Moment::Gradually,
    })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use ftsim_core::Instant;
    use ftsim_reports::Rate;

    use super::{Measure, Moment, Point, moment, points};

    /// Measures `share`, where steps after each of `ends` begin together with the next one.
    fn measured(
        share: impl Fn(u64) -> u64,
        together: u64,
        asked: &mut Vec<u64>,
    ) -> impl FnMut(&[u64], u64) -> Result<Vec<Point>, Infallible> {
        move |steps, _| {
            asked.extend(steps);
            let point = |step: &u64| {
                let after = step.div_ceil(together) * together;
                let violating = Rate::new(share(after), 100);
                Point { from: *step, after, at: Instant::ZERO, violating }
            };
            Ok(steps.iter().map(point).collect())
        }
    }

    fn found(
        last: u64,
        count_max: usize,
        measure: &mut Measure<'_, Infallible>,
    ) -> (Vec<Point>, Moment) {
        let Ok(mut all) = points(last, count_max, measure);
        all.dedup_by(|later, earlier| later.after == earlier.after);
        let Ok(moment) = moment(&all, measure);
        (all, moment)
    }

    #[test]
    fn a_jump_is_found_in_a_run_of_any_length() {
        for (last, together) in [(10, 1), (100, 1), (1_000_000, 1), (999_999, 3)] {
            for at in [1, 2, last / 3, last / 2, last - 3, last] {
                let mut asked = Vec::new();
                let jump = |step| if step >= at { 90 } else { 10 };
                let (all, moment) = found(last, 80, &mut measured(jump, together, &mut asked));
                let Moment::Step { before, after } = moment else {
                    panic!("{moment:?} for {at} of {last}: {all:?}")
                };
                assert_eq!(after.after, at.div_ceil(together) * together, "of {last}");
                assert_eq!(before.after, after.after - together);
                assert!(asked.len() <= 82, "{} points", asked.len());
                assert!(all.is_sorted_by_key(|point| point.after));
            }
        }
    }

    #[test]
    fn what_is_certain_from_the_start_or_rises_slowly_has_no_step() {
        let mut asked = Vec::new();
        let (_, certain) = found(50, 80, &mut measured(|_| 100, 1, &mut asked));
        assert_eq!(certain, Moment::FromTheStart);
        let (_, slow) = found(99, 200, &mut measured(|step| step, 1, &mut asked));
        assert_eq!(slow, Moment::Gradually);
        let (all, slow) = found(99_999, 60, &mut measured(|step| step / 1_000, 1, &mut asked));
        assert_eq!(slow, Moment::Gradually);
        assert!(all.len() <= 60);
    }

    #[test]
    fn a_jump_that_does_not_come_again_is_none() {
        let mut calls = 0;
        let mut measure = |steps: &[u64], series: u64| {
            calls += 1;
            let share = |step: u64| if step == 4 && series == super::CURVE { 60 } else { 50 };
            let points = steps.iter().map(|step| Point {
                from: *step,
                after: *step,
                at: Instant::ZERO,
                violating: Rate::new(share(*step), 100),
            });
            Ok::<_, Infallible>(points.collect())
        };
        let (_, moment) = found(9, 80, &mut measure);
        assert_eq!((moment, calls), (Moment::Gradually, 2));
    }
}
