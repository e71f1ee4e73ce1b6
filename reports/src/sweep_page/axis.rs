//! The vertical axis of a plot: round numbers, of which neighbours have the same distance.

use maud::{Markup, html};

use super::quantity::Quantity;

/// The width of what is drawn, right of the numbers.
pub const WIDTH: f64 = 176.0;
/// The height of what is drawn, above the numbers.
pub const HEIGHT: f64 = 96.0;
/// The room for the numbers at the left.
pub const LEFT: f64 = 56.0;
/// The room above.
pub const TOP: f64 = 8.0;
/// The room for the numbers below, and for what they are.
const BOTTOM: f64 = 34.0;
/// The room at the right.
const RIGHT: f64 = 20.0;

/// The maximum number of distances between numbers.
const STEP_COUNT_MAX: u64 = 4;

/// An axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Its numbers, from the least to the greatest; at least two.
    ticks: Vec<u64>,
}

impl Axis {
    /// The axis for values between these. It begins at zero, unless that would hide differences.
    pub fn over(least: u64, most: u64) -> Self {
        let most = most.max(least);
        let from = if least / 2 < most - least { 0 } else { least };
        let step = step(most - from);
        let low = from / step * step;
        let mut ticks = vec![low];
        while let Some(last) = ticks.last().copied()
            && (last < most || ticks.len() < 2)
        {
            // The last number that fits ends the axis, even if it is not round.
            match last.checked_add(step) {
                Some(next) => ticks.push(next),
                None => {
                    ticks.push(u64::MAX);
                    break;
                }
            }
        }
        Self { ticks }
    }

    /// Where a value is, from the top of the picture.
    pub fn y(&self, value: u64) -> f64 {
        let (low, high) = (self.ticks[0], *self.ticks.last().unwrap_or(&1));
        let share = value.clamp(low, high).saturating_sub(low) as f64 / (high - low).max(1) as f64;
        TOP + (1.0 - share) * HEIGHT
    }

    /// The lines and their numbers.
    pub fn drawn(&self, quantity: Quantity) -> Markup {
        html! {
            @for tick in &self.ticks {
                @let y = self.y(*tick);
                line x1=(LEFT) x2=(LEFT + WIDTH) y1=(place(y)) y2=(place(y)) {}
                text x=(LEFT - 6.0) y=(place(y + 4.0)) text-anchor="end" { (quantity.text(*tick)) }
            }
        }
    }
}

/// A number of the horizontal axis.
pub struct Mark {
    /// Where it is, from 0 to 1.
    pub at: f64,
    /// What it says.
    pub text: String,
}

/// The numbers of the horizontal axis, and what they are.
pub fn horizontal(marks: &[Mark], what: &str) -> Markup {
    let bottom = TOP + HEIGHT;
    html! {
        @for Mark { at, text } in marks {
            @let x = LEFT + at * WIDTH;
            line x1=(place(x)) x2=(place(x)) y1=(bottom) y2=(bottom + 4.0) {}
            text x=(place(x)) y=(bottom + 16.0) text-anchor="middle" { (text) }
        }
        text x=(LEFT + WIDTH / 2.0) y=(bottom + 31.0) text-anchor="middle" { (what) }
    }
}

/// The frame of a plot: its width, its height and its view box.
pub fn frame() -> (f64, f64, String) {
    let (width, height) = (LEFT + WIDTH + RIGHT, TOP + HEIGHT + BOTTOM);
    (width, height, format!("0 0 {width} {height}"))
}

/// A coordinate as it is written.
pub fn place(coordinate: f64) -> String {
    format!("{coordinate:.1}")
}

/// The round distance for a range: 1, 2 or 5 times a power of ten.
fn step(range: u64) -> u64 {
    let mut unit: u64 = 1;
    loop {
        for factor in [1, 2, 5] {
            let step = unit.saturating_mul(factor);
            if range.div_ceil(step) <= STEP_COUNT_MAX {
                return step;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_round_few_and_enclose_the_values() {
        let (all, ms) = (u64::MAX, 1_000_000);
        let cases = [
            ((0, 237 * ms), vec![0, 100 * ms, 200 * ms, 300 * ms]),
            ((12, 12), vec![12, 13]),
            ((0, 0), vec![0, 1]),
            ((1_000, 1_007), vec![1_000, 1_002, 1_004, 1_006, 1_008]),
            ((3, 14), vec![0, 5, 10, 15]),
        ];
        for ((least, most), ticks) in cases {
            assert_eq!(Axis::over(least, most).ticks, ticks);
        }
        for (least, most) in [(0, all), (all, all), (all - 3, all), (all / 3, all), (5, 2)] {
            let axis = Axis::over(least, most);
            assert!((2..=6).contains(&axis.ticks.len()), "{axis:?}");
            assert!(axis.ticks.is_sorted() && axis.ticks[0] <= least, "{axis:?}");
            assert!(*axis.ticks.last().expect("ticks") >= most, "{axis:?}");
            assert!((TOP..=TOP + HEIGHT).contains(&axis.y(most)), "{axis:?}");
        }
    }
}
