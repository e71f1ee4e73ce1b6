//! Words in a drawing, placed so that none hides another.

use maud::{Markup, html};

use super::scene::{Face, Point, text_width};

/// Half the height of a line of words.
const HALF: i32 = 7;
/// The space beside words.
const ASIDE: i32 = 3;

/// A rectangle.
#[derive(Clone, Copy, Debug)]
pub struct Rect {
    pub left: i32,
    pub top: i32,
    pub right: i32,
    pub bottom: i32,
}

impl Rect {
    const fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    /// Whether a line passes through.
    fn is_crossed(&self, (from, to): (Point, Point)) -> bool {
        let (mut least, mut most) = (0.0_f64, 1.0_f64);
        let ranges = [(from.x, to.x, self.left, self.right), (from.y, to.y, self.top, self.bottom)];
        for (from, to, low, high) in ranges {
            let (from, to) = (f64::from(from), f64::from(to));
            let (low, high) = (f64::from(low), f64::from(high));
            if from == to {
                if from < low || from > high {
                    return false;
                }
                continue;
            }
            let (a, b) = ((low - from) / (to - from), (high - from) / (to - from));
            least = least.max(a.min(b));
            most = most.min(a.max(b));
        }
        least <= most
    }
}

/// The words placed so far, and areas that words must avoid.
pub struct Labels {
    /// The area for words.
    pub area: Rect,
    taken: Vec<Rect>,
    /// Lines that words avoid if possible.
    pub lines: Vec<(Point, Point)>,
    made: Vec<Markup>,
}

/// A text to be placed.
#[derive(Clone, Copy)]
pub struct Label<'t> {
    pub text: &'t str,
    pub face: Face,
    pub class: &'t str,
}

impl Labels {
    pub const fn new(area: Rect) -> Self {
        Self { area, taken: Vec::new(), lines: Vec::new(), made: Vec::new() }
    }

    /// Keeps words away from here.
    pub fn take(&mut self, rect: Rect) {
        self.taken.push(rect);
    }

    /// Places a text at the best of these positions (of the middle of its left edge); returns
    /// whether there was room at any.
    pub fn place(&mut self, label: Label<'_>, places: impl IntoIterator<Item = Point>) -> bool {
        let width = text_width(label.text, label.face);
        let mut best: Option<(usize, Point, Rect)> = None;
        for Point { x, y } in places {
            let x = x.clamp(self.area.left, (self.area.right - width).max(self.area.left));
            let rect = Rect { left: x, top: y - HALF, right: x + width, bottom: y + HALF };
            let wide = Rect { left: rect.left - ASIDE, right: rect.right + ASIDE, ..rect };
            let is_inside = rect.right <= self.area.right
                && rect.top >= self.area.top
                && rect.bottom <= self.area.bottom;
            if !is_inside || self.taken.iter().any(|taken| taken.overlaps(&wide)) {
                continue;
            }
            let crossed = self.lines.iter().filter(|line| rect.is_crossed(**line)).count();
            if best.is_none_or(|(least, ..)| crossed < least) {
                best = Some((crossed, Point { x, y }, rect));
            }
        }
        let Some((_, at, rect)) = best else { return false };
        self.taken.push(rect);
        self.write(label, at);
        true
    }

    /// Writes a text here, even over others.
    pub fn write(&mut self, label: Label<'_>, at: Point) {
        let class = match label.face {
            Face::Words => label.class.to_owned(),
            Face::Value => format!("value {}", label.class),
        };
        self.made.push(html! {
            text x=(at.x) y=(at.y + 4) class=(class.trim()) { (label.text) }
        });
    }

    /// All words.
    pub fn finish(self) -> Markup {
        html! { g class="words" { @for label in self.made { (label) } } }
    }
}
