//! A run in a terminal: a lane for each process, time going down, and words beside it.
//!
//! ```text
//! 0004       0s  X             │             │  is asked for Broadcast(0); CRASHES
//! 0005  8.667ms   ─────Data───▶■             │  Data(0) of step 4; ANNOUNCES Deliver
//! ```
//!
//! The arrow of a message is in the row of its delivery; that of a lost message is in the row of
//! its sending.

mod canvas;
mod place;
mod signs;
mod words;

use std::io::{self, Write};
use std::ops::Range;

use ftsim_core::Instant;

use crate::diagram::{Diagram, DiagramMessage};
use crate::drawing::excerpt::{Arrow, ArrowEnd, Column, Excerpt, Scope, Selection, has_part};
use crate::drawing::mark::Mark;
use crate::foreign::line;
use crate::layout::{Page, counted};
use crate::step_text::rounded;
use crate::style::{BAD, FAINT, STRONG, UNKNOWN};
use canvas::{Canvas, Span, cut, write_spans};
use place::{Place, State};
use signs::Alphabet;
pub use signs::Signs;
use words::{Remark, wrapped};

/// The number of rows after which the names of the lanes are written again.
const ROWS_PER_HEAD: usize = 40;
/// The maximum number of lines of words beside one step.
const WORD_LINES_MAX: usize = 4;

/// The room for a verb before a value.
const VERB: usize = 14;

/// How a run is drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lanes {
    /// The width.
    pub page: Page,
    /// The characters.
    pub signs: Signs,
    /// The steps.
    pub steps: LaneSteps,
}

/// The steps that are drawn; the others are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LaneSteps {
    /// All, up to about 200. If there are more: those of the story, faults, requests and
    /// indications.
    #[default]
    All,
    /// About 30 of the story, the nearest to the violation.
    Story,
    /// Those with these numbers, at most 10,000.
    Numbers(Range<u64>),
}

/// Draws a run.
///
/// No line is longer than the page is wide; a page has at least 40 columns.
///
/// # Errors
/// Errors of `out`.
pub fn write_lanes(out: &mut impl Write, diagram: &Diagram, lanes: &Lanes) -> io::Result<()> {
    let columns = lanes.page.columns.unwrap_or(COLUMNS).clamp(COLUMNS_MIN, COLUMNS_MAX);
    let (scope, step_count_max) = match &lanes.steps {
        LaneSteps::All => (Scope::All, 200),
        LaneSteps::Story => (Scope::Story, 30),
        LaneSteps::Numbers(numbers) => (Scope::Numbers(numbers.clone()), 10_000),
    };
    let lane_count_max = Place::lane_count_max(diagram, columns);
    let excerpt = Excerpt::of(diagram, &Selection { scope, step_count_max, lane_count_max });
    let place = Place::of(diagram, &excerpt, columns);
    let alphabet = Alphabet::of(lanes.signs);
    Drawing { diagram, excerpt: &excerpt, place, alphabet }.write(out)
}

/// The width without a terminal.
const COLUMNS: usize = 100;
/// The limits of the width.
const COLUMNS_MIN: usize = 40;
const COLUMNS_MAX: usize = 400;

/// A run, and the layout of its lanes.
struct Drawing<'d> {
    diagram: &'d Diagram,
    excerpt: &'d Excerpt,
    place: Place,
    alphabet: &'static Alphabet,
}

impl Drawing<'_> {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        self.write_left_out(out)?;
        for (index, column) in self.excerpt.columns.iter().enumerate() {
            if index % ROWS_PER_HEAD == 0 {
                self.write_names(out)?;
            }
            match column {
                Column::Step(step) => self.write_step(out, index, *step)?,
                Column::Gap(count) => self.write_gap(out, index, *count)?,
                Column::End => self.write_end(out, index)?,
            }
        }
        Ok(())
    }

    /// Names the lanes that are left out.
    fn write_left_out(&self, out: &mut impl Write) -> io::Result<()> {
        let names = self.excerpt.left_out.iter().map(|lane| self.name(*lane));
        let names: Vec<String> = names.collect();
        if names.is_empty() {
            return Ok(());
        }
        let remarks = Remark::plain(&format!("not drawn: {}", names.join(", ")), FAINT);
        for spans in wrapped(&[remarks], self.place.columns, WORD_LINES_MAX, self.alphabet) {
            write_spans(out, &spans)?;
        }
        Ok(())
    }

    fn name(&self, lane: u32) -> String {
        self.diagram.lanes.get(lane as usize).map_or_else(String::new, |lane| lane.name.clone())
    }

    /// Writes the names of the lanes, and each role above its first lane.
    fn write_names(&self, out: &mut impl Write) -> io::Result<()> {
        let (mut names, mut roles) = (Canvas::default(), Canvas::default());
        let mut last = None;
        for (index, lane) in self.excerpt.lanes.iter().enumerate() {
            let (x, room) = (self.place.x(index), self.place.room(index));
            let name = self.alphabet.text(&line(&self.name(*lane)));
            names.write(x, &cut(&name, room, self.alphabet.ellipsis), STRONG);
            let role = self.diagram.lanes.get(*lane as usize).and_then(|l| l.role.as_deref());
            if let Some(role) = role.filter(|role| last != Some(*role)) {
                let text = self.alphabet.text(&line(role));
                roles.write(x, &cut(&text, room, self.alphabet.ellipsis), FAINT);
            }
            last = role;
        }
        if !roles.is_empty() {
            roles.finish(out)?;
        }
        names.finish(out)
    }

    /// Writes a step: a row with the message that it receives, and rows with the messages that it
    /// sends and that are lost or too late.
    fn write_step(&self, out: &mut impl Write, index: usize, step: usize) -> io::Result<()> {
        let mark = Mark::of(self.diagram, step);
        let is_root = self.excerpt.roots.contains(&step);
        let mut row = self.row(index, false);
        let known = &self.diagram.steps[step];
        if is_root {
            row.write(0, self.alphabet.root, BAD);
        }
        row.write(1, &format!("{:04}", known.number), FAINT);
        let at = rounded(Instant::from_nanos(known.at)).to_string();
        row.write(self.place.time_end.saturating_sub(at.len()), &at, FAINT);
        let arrows = || self.excerpt.arrows.iter();
        for arrow in arrows().filter(|a| a.end == ArrowEnd::Heard && a.to == index) {
            self.draw_arrows(&mut row, &[arrow]);
        }
        if let Some(x) = known.lane.and_then(|lane| self.x(lane)) {
            let is_shown = has_part(self.diagram, step, "violation");
            let style = match is_root || is_shown {
                true => BAD,
                false if mark.words.iter().any(|words| words.event == "crash") => UNKNOWN,
                false => STRONG,
            };
            row.write(x, self.alphabet.sign(&mark), style);
        }
        let remarks = words::of_step(self.diagram, step, self.place.words.1.saturating_sub(VERB));
        let mut below = Vec::new();
        let vain: Vec<&Arrow> =
            arrows().filter(|arrow| arrow.end != ArrowEnd::Heard && arrow.from == index).collect();
        for (kind, end) in kinds(self.diagram, &vain) {
            let mut row = self.row(index, true);
            let alike = vain.iter().filter(|arrow| {
                arrow.end == end && self.diagram.text(self.message(arrow).kind) == kind
            });
            self.draw_arrows(&mut row, &alike.copied().collect::<Vec<_>>());
            below.push(row);
        }
        self.finish(out, index, row, below, &remarks)
    }

    /// Writes a row and those below it, with words beside them, or below them if there is no room.
    fn finish(
        &self,
        out: &mut impl Write,
        index: usize,
        row: Canvas,
        below: Vec<Canvas>,
        remarks: &[Remark],
    ) -> io::Result<()> {
        let (start, width) = self.place.words;
        let remarks = wrapped(remarks, width, WORD_LINES_MAX, self.alphabet);
        let mut remarks = remarks.into_iter();
        let is_beside = self.place.is_beside;
        for mut row in [row].into_iter().chain(below) {
            if is_beside && let Some(spans) = remarks.next() {
                row.write_spans(start, &spans);
            }
            row.finish(out)?;
        }
        for spans in remarks {
            let mut row = if is_beside { self.row(index, true) } else { Canvas::default() };
            row.write_spans(start, &spans);
            row.finish(out)?;
        }
        Ok(())
    }

    fn write_gap(&self, out: &mut impl Write, index: usize, count: usize) -> io::Result<()> {
        let mut row = self.row(index, false);
        let mut told = counted(count as u64, "step");
        for begun in place::begun(self.diagram, self.excerpt, index) {
            told.push_str(&format!("; {begun}"));
        }
        row.write(1, self.alphabet.ellipsis, FAINT);
        self.finish(out, index, row, Vec::new(), &[Remark::plain(&told, FAINT)])
    }

    /// Writes the violation that is judged at the end of the run.
    fn write_end(&self, out: &mut impl Write, index: usize) -> io::Result<()> {
        let mut row = self.row(index, false);
        row.write(0, self.alphabet.root, BAD);
        row.write(1, "end", FAINT);
        for x in self.excerpt.witnesses.iter().filter_map(|lane| self.x(*lane)) {
            row.write(x, self.alphabet.missing, BAD);
        }
        let told = self.diagram.story.as_ref().map_or_else(String::new, |story| {
            format!("VIOLATES {}: {}", story.property, story.message)
        });
        self.finish(out, index, row, Vec::new(), &[Remark::plain(&told, BAD)])
    }

    /// A row with the lines of lanes and of faults: that of a column, or one below it.
    fn row(&self, index: usize, is_below: bool) -> Canvas {
        let mut row = Canvas::default();
        let is_gap = matches!(self.excerpt.columns.get(index), Some(Column::Gap(_)));
        for (slot, sign) in self.place.faults(index, is_below, self.alphabet) {
            row.write(self.place.gutter + slot, sign, UNKNOWN);
        }
        for (place, lane) in self.excerpt.lanes.iter().enumerate() {
            let state = place::state(self.diagram, self.excerpt, *lane, (index, is_below));
            let sign = match state {
                State::Up if is_gap => self.alphabet.folded,
                State::Up => self.alphabet.lane,
                State::Paused => self.alphabet.paused,
                State::Byzantine => self.alphabet.byzantine,
                State::Down => continue,
            };
            row.write(self.place.x(place), sign, FAINT);
        }
        row
    }

    fn message(&self, arrow: &Arrow) -> &DiagramMessage {
        &self.diagram.messages[arrow.message]
    }

    /// The position of a lane.
    fn x(&self, lane: u32) -> Option<usize> {
        let place = self.excerpt.lanes.iter().position(|drawn| *drawn == lane)?;
        Some(self.place.x(place))
    }

    /// Draws arrows of one kind and end, from one lane, over a row.
    fn draw_arrows(&self, row: &mut Canvas, arrows: &[&Arrow]) {
        let ends = arrows.iter().filter_map(|arrow| {
            let message = self.message(arrow);
            Some((self.x(message.from)?, self.x(message.to)?, *arrow))
        });
        let ends: Vec<(usize, usize, &Arrow)> = ends.collect();
        let rightward: Vec<_> = ends.iter().copied().filter(|(from, to, _)| from < to).collect();
        let leftward: Vec<_> = ends.iter().copied().filter(|(from, to, _)| from > to).collect();
        self.draw_one_way(row, &rightward);
        self.draw_one_way(row, &leftward);
    }

    /// Draws arrows to one side: a stroke to the farthest receiver, labelled before the nearest.
    fn draw_one_way(&self, row: &mut Canvas, arrows: &[(usize, usize, &Arrow)]) {
        let distance = |(from, to, _): &&(usize, usize, &Arrow)| from.abs_diff(*to);
        let (Some(nearest), Some(farthest)) =
            (arrows.iter().min_by_key(distance), arrows.iter().max_by_key(distance))
        else {
            return;
        };
        let alphabet = self.alphabet;
        let (from, to, arrow) = *farthest;
        let message = self.message(arrow);
        let style = match arrow.end {
            ArrowEnd::Lost => UNKNOWN,
            _ => anstyle::Style::new(),
        };
        let dash = match arrow.end {
            ArrowEnd::Elsewhere => alphabet.dash,
            _ if message.late => alphabet.dash,
            _ => alphabet.stroke,
        };
        for x in from.min(to) + 1..from.max(to) {
            row.write(x, if row.is_drawn(x) { alphabet.crossing } else { dash }, style);
        }
        let kind = self.diagram.text(message.kind);
        let kind = if kind.is_empty() { self.diagram.text(message.text) } else { kind };
        self.draw_label(row, &alphabet.text(&line(kind)), (from, nearest.1), style);
        let sign = match (arrow.end, from < to) {
            (ArrowEnd::Lost, _) => alphabet.lost,
            (ArrowEnd::Elsewhere, _) => alphabet.elsewhere,
            (ArrowEnd::Heard, true) => alphabet.right,
            (ArrowEnd::Heard, false) => alphabet.left,
        };
        for (_, to, _) in arrows {
            row.write(if from < *to { to - 1 } else { to + 1 }, sign, style);
        }
    }

    /// Writes a label on a stroke between two lanes.
    fn draw_label(
        &self,
        row: &mut Canvas,
        kind: &str,
        (from, to): (usize, usize),
        style: anstyle::Style,
    ) {
        let space = from.abs_diff(to).saturating_sub(1);
        // Room for the head and a stroke behind the label, and for one before it if that fits.
        let room = space.saturating_sub(if canvas::width(kind) + 3 > space { 2 } else { 3 });
        let label = cut(kind, room, self.alphabet.cut);
        let width = canvas::width(&label);
        if width >= LABEL_WIDTH_MIN.min(canvas::width(kind)) {
            let before = space.saturating_sub(1 + width) / 2;
            let start = if from < to { from + 1 + before } else { from - before - width };
            row.write(start, &label, style);
        }
    }
}

/// The minimum width of a label, unless the whole name is shorter.
const LABEL_WIDTH_MIN: usize = 3;

/// The kinds of these messages, with how they end, in order.
fn kinds<'d>(diagram: &'d Diagram, arrows: &[&Arrow]) -> Vec<(&'d str, ArrowEnd)> {
    let mut kinds = Vec::new();
    for arrow in arrows {
        let kind = (diagram.text(diagram.messages[arrow.message].kind), arrow.end);
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

impl Span {
    /// A text in a style.
    pub fn new(text: &str, style: anstyle::Style) -> Self {
        Self { text: text.to_owned(), style }
    }
}
