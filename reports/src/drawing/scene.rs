//! The layout of a drawing, in pixels.

use unicode_width::UnicodeWidthStr as _;

use super::Size;
use super::excerpt::{Column, Excerpt};
use crate::diagram::Diagram;
use crate::step_text::shortened;

/// The distance between two lanes, unless a height is given, and its limits.
const PITCH: i32 = 46;
const PITCH_MIN: i32 = 30;
const PITCH_MAX: i32 = 90;
/// The height of a line of words above or below the lanes.
pub const ROW: i32 = 18;
/// The maximum distance between two steps.
const STEP_WIDTH_MAX: i32 = 84;
/// The width below which a drawing has no room for its title.
const WIDTH_MIN: i32 = 320;
const MARGIN: i32 = 10;
/// The maximum length of the name of a lane or a role.
const NAME_LENGTH_MAX: usize = 14;

/// A point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    pub x: i32,
    pub y: i32,
}

/// The two kinds of type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// Words.
    Words,
    /// What a protocol prints.
    Value,
}

/// An upper estimate of the width of a text of 12 pixels.
pub fn text_width(text: &str, face: Face) -> i32 {
    // An ellipsis is as wide as two letters.
    let count = text.width() + text.matches('…').count();
    let count = i32::try_from(count).unwrap_or(i32::MAX).min(10_000);
    let count_of = |wide: fn(&char) -> bool| {
        i32::try_from(text.chars().take(10_000).filter(wide).count()).unwrap_or(10_000)
    };
    match face {
        // Digits and some letters are wider than the average letter of a text.
        Face::Words => {
            let wide = count_of(char::is_ascii_digit) + 4 * count_of(|c| matches!(c, 'm' | 'w'));
            count * 13 / 2 + wide * 5 / 4 + 2
        }
        Face::Value => count * 29 / 4 + 2,
    }
}

/// The positions of columns and lanes.
pub struct Scene {
    pub width: i32,
    pub height: i32,
    /// The ends of the lanes.
    pub left: i32,
    pub right: i32,
    /// The line of the network's words, if there are any.
    pub network: Option<i32>,
    /// The top and the bottom of all lanes.
    pub top: i32,
    pub bottom: i32,
    /// The distance between two lanes.
    pub pitch: i32,
    /// The middle of each column.
    columns: Vec<i32>,
    /// The distance between two steps.
    pub step: i32,
    lanes: Vec<u32>,
}

impl Scene {
    /// Lays out the columns and lanes of this excerpt.
    pub fn of(diagram: &Diagram, excerpt: &Excerpt, size: Size, has_network: bool) -> Self {
        let names = excerpt.lanes.iter().map(|lane| &diagram.lanes[*lane as usize]);
        let widths = names.map(|lane| {
            let role = lane.role.as_deref().map_or(0, |role| text_width(&name(role), Face::Words));
            text_width(&name(&lane.name), Face::Value).max(role)
        });
        let left = MARGIN + widths.max().unwrap_or(0) + MARGIN;
        let wide = i32::try_from(size.width).unwrap_or(i32::MAX).clamp(WIDTH_MIN, 10_000);
        let parts: i32 = excerpt.columns.iter().map(|column| share(*column)).sum();
        let step = ((wide - left - MARGIN) * 10 / parts.max(1)).min(STEP_WIDTH_MAX);
        let mut columns = Vec::with_capacity(excerpt.columns.len());
        let mut parts_before = 0;
        for column in &excerpt.columns {
            columns.push(left + (parts_before * 2 + share(*column)) * step / 20);
            parts_before += share(*column);
        }
        let right = left + parts_before * step / 10;
        let top = if diagram.story.is_some() { ROW + 4 } else { 4 };
        let network = has_network.then_some(top + ROW / 2 + 4);
        let top = if has_network { top + ROW + 4 } else { top };
        let lane_count = i32::try_from(excerpt.lanes.len().max(1)).unwrap_or(1);
        let below = ROW + 4 + if excerpt.left_out.is_empty() { 0 } else { ROW };
        let pitch = size.height.map_or(PITCH, |height| {
            let height = i32::try_from(height).unwrap_or(i32::MAX);
            (height.saturating_sub(top + below) / lane_count).clamp(PITCH_MIN, PITCH_MAX)
        });
        let bottom = top + pitch * lane_count;
        let width = (right + MARGIN).max(wide.min(WIDTH_MIN));
        let (height, lanes) = (bottom + below, excerpt.lanes.clone());
        Self { width, height, left, right, network, top, bottom, pitch, columns, step, lanes }
    }

    /// The middle of a column.
    pub fn x(&self, column: usize) -> i32 {
        self.columns.get(column).copied().unwrap_or(self.right)
    }

    /// The line of a lane.
    pub fn y(&self, lane: u32) -> Option<i32> {
        let place = self.lanes.iter().position(|drawn| *drawn == lane)?;
        // The line is below the middle, because words are above it.
        Some(self.top + i32::try_from(place).ok()? * self.pitch + self.pitch * 6 / 10)
    }
}

/// The width of a column, in tenths of a step's.
const fn share(column: Column) -> i32 {
    match column {
        Column::Step(_) => 10,
        Column::Gap(_) => 7,
        Column::End => 7,
    }
}

/// The name of a lane or a role.
pub fn name(text: &str) -> String {
    shortened(text, NAME_LENGTH_MAX)
}
