//! The layout of lanes in a terminal, and the state of processes in each row.

use crate::diagram::{Band, Diagram};
use crate::drawing::excerpt::{Column, Excerpt};
use crate::foreign::line;

use super::canvas::width;
use super::signs::Alphabet;

/// The minimum and the maximum distance between two lanes.
const PITCH_MIN: usize = 4;
const PITCH_MAX: usize = 16;
/// The minimum width of words beside the lanes.
const WORDS_MIN: usize = 28;
/// The minimum width of a terminal with words beside the lanes.
const BESIDE_MIN: usize = 72;
/// The width of times.
const TIME: usize = 9;
/// The room for the name of the last lane, if no words are beside it.
const LAST_NAME: usize = 3;
/// The indentation of words below a row.
const INDENT: usize = 6;
/// The number of lasting faults that are drawn side by side.
const SLOTS: usize = 3;

/// The positions of lanes and words.
pub struct Place {
    /// The width of the terminal.
    pub columns: usize,
    /// The column after the times.
    pub time_end: usize,
    /// The first column of lasting faults.
    pub gutter: usize,
    /// Whether words are beside the lanes, rather than below.
    pub is_beside: bool,
    /// The first column of words, and their width.
    pub words: (usize, usize),
    first: usize,
    pitch: usize,
    /// The slot of each lasting fault, and the columns of the excerpt where it begins and ends.
    faults: Vec<(usize, usize, usize)>,
}

impl Place {
    /// The number of lanes that fit.
    pub fn lane_count_max(diagram: &Diagram, columns: usize) -> usize {
        let slots = diagram.bands.iter().filter(|band| band.what == "condition").count();
        let room = columns - first(diagram, slots.min(SLOTS));
        let words = if columns >= BESIDE_MIN { WORDS_MIN + 2 } else { LAST_NAME };
        (room.saturating_sub(words + 1) / pitch_min(diagram) + 1).min(diagram.lanes.len().max(1))
    }

    /// Lays out this excerpt.
    pub fn of(diagram: &Diagram, excerpt: &Excerpt, columns: usize) -> Self {
        let faults = slots(diagram, excerpt);
        let slot_count = faults.iter().map(|(slot, ..)| slot + 1).max().unwrap_or(0);
        let first = first(diagram, slot_count);
        let is_beside = columns >= BESIDE_MIN;
        let gaps = excerpt.lanes.len().saturating_sub(1).max(1);
        let words = if is_beside { WORDS_MIN + 2 } else { LAST_NAME };
        let room = (columns - first).saturating_sub(words + 1);
        // The rest is left to words.
        let wide = if is_beside { room * 3 / 4 } else { room };
        let pitch = (wide / gaps).clamp(pitch_min(diagram), PITCH_MAX).min((room / gaps).max(1));
        let end = first + excerpt.lanes.len().saturating_sub(1) * pitch + 1;
        let start = if is_beside { end + 2 } else { INDENT };
        let time_end = number_width(diagram) + 2 + TIME;
        let words = (start, columns.saturating_sub(start).max(1));
        let gutter = time_end + 2;
        Self { columns, time_end, gutter, is_beside, words, first, pitch, faults }
    }

    /// The column of the lane with this index.
    pub const fn x(&self, place: usize) -> usize {
        self.first + place * self.pitch
    }

    /// The width of a lane's name.
    pub fn room(&self, place: usize) -> usize {
        self.pitch.saturating_sub(1).min(self.columns.saturating_sub(self.x(place)))
    }

    /// The slots and signs of lasting faults in a row.
    pub fn faults<'p>(
        &'p self,
        index: usize,
        is_below: bool,
        alphabet: &'static Alphabet,
    ) -> impl Iterator<Item = (usize, &'static str)> + 'p {
        self.faults.iter().filter_map(move |(slot, from, until)| {
            let sign = match index {
                _ if index < *from || index > *until => return None,
                _ if index == *from && !is_below => alphabet.fault[0],
                _ if index == *until && is_below => return None,
                _ if index == *until => alphabet.fault[2],
                _ => alphabet.fault[1],
            };
            Some((*slot, sign))
        })
    }
}

/// The minimum distance between two lanes, so that names such as p12 fit.
fn pitch_min(diagram: &Diagram) -> usize {
    let names = diagram.lanes.iter().map(|lane| width(&lane.name) + 1);
    names.max().unwrap_or(0).clamp(PITCH_MIN, PITCH_MAX / 2)
}

/// The width of the numbers of steps.
fn number_width(diagram: &Diagram) -> usize {
    diagram.steps.last().map_or(4, |step| step.number.to_string().len().max(4))
}

/// The column of the first lane.
fn first(diagram: &Diagram, slot_count: usize) -> usize {
    let faults = if slot_count > 0 { slot_count + 1 } else { 0 };
    number_width(diagram) + 2 + TIME + 2 + faults
}

/// Assigns slots to lasting faults: for each its slot, and where it begins and ends.
fn slots(diagram: &Diagram, excerpt: &Excerpt) -> Vec<(usize, usize, usize)> {
    let mut free_from = [0; SLOTS];
    let mut slots = Vec::new();
    let last = excerpt.columns.len();
    for band in diagram.bands.iter().filter(|band| band.what == "condition") {
        let from = excerpt.column(band.from);
        let until = band.until.map_or(last, |until| excerpt.column(until));
        let slot = free_from.iter().position(|free| *free <= from).filter(|_| from < until);
        if let Some(slot) = slot {
            free_from[slot] = until + 1;
            slots.push((slot, from, until));
        }
    }
    slots
}

/// The state of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Up,
    Down,
    Paused,
    Byzantine,
}

/// The state of a lane's process in a row: the row of a column, or one below it.
pub fn state(
    diagram: &Diagram,
    excerpt: &Excerpt,
    lane: u32,
    (index, is_below): (usize, bool),
) -> State {
    let lasts = |band: &&Band| {
        let from = excerpt.column(band.from);
        let until = band.until.map_or(usize::MAX, |until| excerpt.column(until));
        let has_begun = from < index || (from == index && is_below) || band.what == "absent";
        has_begun && (index < until || (index == until && !is_below && from < until))
    };
    let own = || diagram.bands.iter().filter(|band| band.lanes.contains(&lane)).filter(lasts);
    let is = |what: &[&str]| own().any(|band| what.contains(&band.what));
    match () {
        () if is(&["down", "absent"]) => State::Down,
        () if is(&["paused"]) => State::Paused,
        () if is(&["byzantine"]) => State::Byzantine,
        () => State::Up,
    }
}

/// Describes the faults that begin in a gap.
pub fn begun(diagram: &Diagram, excerpt: &Excerpt, index: usize) -> Vec<String> {
    let is_gap = matches!(excerpt.columns.get(index), Some(Column::Gap(_)));
    let bands = diagram
        .bands
        .iter()
        .filter(|band| is_gap && band.what != "absent" && excerpt.column(band.from) == index);
    let told = bands.map(|band| {
        let text = line(diagram.text(band.text)).into_owned();
        let lane = band.lanes.first().and_then(|lane| diagram.lanes.get(*lane as usize));
        let name = lane.map_or_else(String::new, |lane| lane.name.clone());
        match band.what {
            "condition" => format!("{text} begins"),
            "down" => format!("{name} crashes"),
            "paused" => format!("{name} pauses"),
            _ => format!("{name}: {text}"),
        }
    });
    told.collect()
}
