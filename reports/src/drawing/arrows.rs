//! The messages of a drawing.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::excerpt::{Arrow, ArrowEnd, Excerpt};
use super::labels::{Label, Labels, Rect};
use super::scene::{Face, Point, Scene};
use crate::diagram::{Diagram, DiagramMessage};
use crate::step_text::shortened;

/// The number of kinds of messages that have a colour.
const COLOUR_COUNT: usize = 7;
/// The maximum length of a message's label.
const LABEL_LENGTH_MAX: usize = 20;

/// The colours of the most frequent kinds of messages; others are grey.
pub struct Colours {
    by_kind: BTreeMap<String, usize>,
}

impl Colours {
    /// The colours in this run.
    pub fn of(diagram: &Diagram) -> Self {
        // The number of messages of each kind, and the first of them.
        let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for (index, message) in diagram.messages.iter().enumerate() {
            counts.entry(diagram.text(message.kind)).or_insert((0, index)).0 += 1;
        }
        let mut kinds: Vec<(&str, (usize, usize))> = counts.into_iter().collect();
        kinds.sort_by_key(|(_, (count, first))| (usize::MAX - count, *first));
        let kinds = kinds.into_iter().take(COLOUR_COUNT).enumerate();
        Self { by_kind: kinds.map(|(place, (kind, _))| (kind.to_owned(), place)).collect() }
    }

    /// The class of messages of this kind.
    fn class(&self, kind: &str) -> String {
        self.by_kind.get(kind).map_or_else(|| "other".to_owned(), |place| format!("kind{place}"))
    }
}

/// A message, placed.
pub struct Placed<'d> {
    arrow: Arrow,
    message: &'d DiagramMessage,
    from: Point,
    to: Point,
}

impl Placed<'_> {
    /// Its line.
    pub const fn line(&self) -> (Point, Point) {
        (self.from, self.to)
    }
}

/// The places of the excerpt's messages.
pub fn placed<'d>(diagram: &'d Diagram, excerpt: &Excerpt, scene: &Scene) -> Vec<Placed<'d>> {
    let arrows = excerpt.arrows.iter().filter_map(|arrow| {
        let message = &diagram.messages[arrow.message];
        let (top, bottom) = (scene.y(message.from)?, scene.y(message.to)?);
        let sent = Point { x: scene.x(arrow.from), y: top };
        let heard = Point { x: scene.x(arrow.to), y: bottom };
        let (from, to) = match arrow.end {
            ArrowEnd::Lost => (sent, lost_at(arrow, sent, heard, scene)),
            // No step sent it: its arrow starts near the lane of its alleged sender.
            ArrowEnd::Heard if message.sent.is_none() => {
                (between(heard, Point { x: heard.x - scene.step / 3, y: top }, 0.5), heard)
            }
            ArrowEnd::Heard => (sent, heard),
            ArrowEnd::Elsewhere => (sent, between(sent, heard, 0.85)),
        };
        Some(Placed { arrow: *arrow, message, from, to })
    });
    arrows.collect()
}

/// The end of a lost message: half way if it was lost when it was sent, otherwise near its
/// receiver.
fn lost_at(arrow: &Arrow, sent: Point, heard: Point, scene: &Scene) -> Point {
    let ahead = Point { x: heard.x + scene.step / 2, y: heard.y };
    match arrow.from == arrow.to {
        true => between(sent, Point { x: sent.x + scene.step, y: heard.y }, 0.45),
        false => between(sent, ahead, 0.86),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "coordinates are small")]
fn between(from: Point, to: Point, share: f64) -> Point {
    let along = |from: i32, to: i32| from + (f64::from(to - from) * share).round() as i32;
    Point { x: along(from.x, to.x), y: along(from.y, to.y) }
}

/// Draws messages.
pub fn arrows(diagram: &Diagram, placed: &[Placed<'_>], colours: &Colours) -> Markup {
    html! {
        @for Placed { arrow, message, from, to } in placed {
            @let class = colours.class(diagram.text(message.kind));
            @let is_faint = !arrow.is_sent_here || arrow.end == ArrowEnd::Elsewhere;
            @let dashed = if message.late || is_faint { " dashed" } else { "" };
            g class=(format!("message {class}{dashed}")) {
                path d=(format!("M{} {}L{} {}", from.x, from.y, to.x, to.y)) {}
                @match arrow.end {
                    ArrowEnd::Lost => path class="cross" d=(cross(*to, 4)) {},
                    _ if message.changed || message.sent.is_none() => {
                        path class="hollow" d=(head(*from, *to)) {}
                    }
                    _ => path class="head" d=(head(*from, *to)) {},
                }
            }
        }
    }
}

/// A cross with arms of this length.
pub fn cross(at: Point, arm: i32) -> String {
    let (left, right, top, bottom) = (at.x - arm, at.x + arm, at.y - arm, at.y + arm);
    format!("M{left} {top}L{right} {bottom}M{left} {bottom}L{right} {top}")
}

/// The head of an arrow, a little before its end.
fn head(from: Point, to: Point) -> String {
    let (dx, dy) = (f64::from(to.x - from.x), f64::from(to.y - from.y));
    let length = (dx * dx + dy * dy).sqrt().max(1.0);
    let (ux, uy) = (dx / length, dy / length);
    let at = |along: f64, aside: f64| {
        let x = f64::from(to.x) - ux * along - uy * aside;
        let y = f64::from(to.y) - uy * along + ux * aside;
        format!("{x:.1} {y:.1}")
    };
    format!("M{}L{}L{}Z", at(3.0, 0.0), at(11.0, 3.5), at(11.0, -3.5))
}

/// Labels messages where there is room, lost ones first. Of equal messages that one step sent, one
/// is labelled.
pub fn label(diagram: &Diagram, placed: &[Placed<'_>], colours: &Colours, labels: &mut Labels) {
    let mut named = BTreeSet::new();
    for wanted in [ArrowEnd::Lost, ArrowEnd::Elsewhere, ArrowEnd::Heard] {
        for Placed { message, from, to, .. } in placed.iter().filter(|p| p.arrow.end == wanted) {
            let kind = diagram.text(message.kind);
            if named.contains(&(message.sent, message.kind, wanted == ArrowEnd::Lost)) {
                continue;
            }
            let text = match kind.is_empty() {
                true => shortened(diagram.text(message.text), LABEL_LENGTH_MAX),
                false => shortened(kind, LABEL_LENGTH_MAX),
            };
            let class = colours.class(kind);
            let label = Label { text: &text, face: Face::Value, class: &class };
            let width = super::scene::text_width(&text, Face::Value);
            let shares = [0.5, 0.36, 0.64, 0.25];
            // Beside steep lines, above or below flat ones.
            let is_steep = (to.y - from.y).abs() > (to.x - from.x).abs();
            let places = shares.into_iter().flat_map(|share| {
                let Point { x, y } = between(*from, *to, share);
                match is_steep {
                    true => [Point { x: x + 5, y }, Point { x: x - width - 5, y }],
                    false => {
                        [Point { x: x - width / 2, y: y - 9 }, Point { x: x - width / 2, y: y + 9 }]
                    }
                }
            });
            if labels.place(label, places) {
                named.insert((message.sent, message.kind, wanted == ArrowEnd::Lost));
            }
        }
    }
}

/// Keeps words away from the ends of lost messages.
pub fn keep_free(placed: &[Placed<'_>], labels: &mut Labels) {
    for Placed { arrow, to, .. } in placed {
        if arrow.end == ArrowEnd::Lost {
            let (left, right) = (to.x - 5, to.x + 5);
            labels.take(Rect { left, top: to.y - 5, right, bottom: to.y + 5 });
        }
    }
    labels.lines.extend(placed.iter().map(Placed::line));
}
