//! The lanes of a drawing: names, lines, and bands.

use maud::{Markup, html};

use super::excerpt::{Column, Excerpt};
use super::labels::{Label, Labels, Rect};
use super::scene::{Face, Point, ROW, Scene, name};
use crate::diagram::{Band, Diagram};
use crate::step_text::shortened;

/// The distance between the strokes of a hatching.
const HATCH: i32 = 8;
/// The maximum length of the name of a band.
const BAND_LENGTH_MAX: usize = 48;

/// Draws the background: faults, hatched; leaders, tinted; and gaps.
pub fn background(diagram: &Diagram, excerpt: &Excerpt, scene: &Scene) -> Markup {
    let lasting = || diagram.bands.iter().filter(|band| !is_of_line(band));
    html! {
        @for band in lasting() {
            @let class = if band.what == "condition" { "fault" } else { "lead" };
            @for rect in rects(band, excerpt, scene) {
                rect class=(class) x=(rect.left) y=(rect.top) width=(rect.right - rect.left)
                    height=(rect.bottom - rect.top) {}
                @if band.what == "condition" {
                    path class="hatch" d=(hatching(rect)) {}
                    path class="edge" d=(format!("M{} {}V{}", rect.left, rect.top, rect.bottom)) {}
                }
            }
        }
        @for (index, column) in excerpt.columns.iter().enumerate() {
            @if matches!(column, Column::Gap(_)) {
                rect class="gap" x=(scene.x(index) - scene.step * 3 / 10) y=(scene.top)
                    width=((scene.step * 6 / 10).max(4)) height=(scene.bottom - scene.top) {}
            }
        }
    }
}

/// Names the bands at their left edges.
pub fn name_bands(diagram: &Diagram, excerpt: &Excerpt, scene: &Scene, labels: &mut Labels) {
    for band in diagram.bands.iter().filter(|band| !is_of_line(band)) {
        let class = if band.what == "condition" { "amber" } else { "soft" };
        let text = shortened(diagram.text(band.text), BAND_LENGTH_MAX);
        let Some(rect) = rects(band, excerpt, scene).first().copied() else { continue };
        let x = rect.left + 5;
        let rows = (0..3).map(|row| Point { x, y: rect.top + 9 + row * ROW });
        let places = scene.network.map(|y| Point { x, y }).into_iter().chain(rows);
        labels.place(Label { text: &text, face: Face::Words, class }, places);
    }
}

/// Whether a band changes the line of its lane rather than what is behind it.
fn is_of_line(band: &Band) -> bool {
    matches!(band.what, "absent" | "down" | "paused" | "byzantine")
}

/// Where a band begins and ends.
fn span(band: &Band, excerpt: &Excerpt, scene: &Scene) -> (i32, i32) {
    let from = scene.x(excerpt.column(band.from));
    let until = band.until.map_or(scene.right, |until| scene.x(excerpt.column(until)));
    (from, until)
}

fn rects(band: &Band, excerpt: &Excerpt, scene: &Scene) -> Vec<Rect> {
    let (left, right) = span(band, excerpt, scene);
    if right <= left {
        return Vec::new();
    }
    if band.lanes.is_empty() {
        return vec![Rect { left, top: scene.top, right, bottom: scene.bottom }];
    }
    let mut rects: Vec<Rect> = Vec::new();
    for y in excerpt.lanes.iter().filter(|l| band.lanes.contains(l)).filter_map(|l| scene.y(*l)) {
        let (top, bottom) = (y - scene.pitch * 6 / 10, y + scene.pitch * 4 / 10);
        match rects.last_mut().filter(|last| top - last.bottom <= 2) {
            Some(last) => last.bottom = bottom,
            None => rects.push(Rect { left, top, right, bottom }),
        }
    }
    rects
}

/// Slanted strokes that fill a rectangle.
fn hatching(rect: Rect) -> String {
    let Rect { left, top, right, bottom } = rect;
    let mut path = String::new();
    // A stroke is x + y = sum.
    let mut sum = (left + top) / HATCH * HATCH + HATCH;
    while sum < right + bottom {
        let (x0, x1) = ((sum - bottom).max(left), (sum - top).min(right));
        if x1 > x0 {
            path.push_str(&format!("M{x0} {}L{x1} {}", sum - x0, sum - x1));
        }
        sum += HATCH;
    }
    path
}

/// Draws the names and the lines of lanes.
pub fn lanes(diagram: &Diagram, excerpt: &Excerpt, scene: &Scene) -> Markup {
    html! {
        @for lane in &excerpt.lanes {
            @let y = scene.y(*lane).unwrap_or(scene.top);
            @let known = &diagram.lanes[*lane as usize];
            text class="value name" x=(scene.left - 10) y=(y + 4) { (name(&known.name)) }
            @if let Some(role) = &known.role {
                text class="soft name" x=(scene.left - 10) y=(y - 10) { (name(role)) }
            }
            (line(diagram, excerpt, scene, *lane, y))
        }
    }
}

/// The line of a lane: none while its process is down, dotted while it is paused, double while it
/// is Byzantine.
fn line(diagram: &Diagram, excerpt: &Excerpt, scene: &Scene, lane: u32, y: i32) -> Markup {
    let spans = |what: &'static [&'static str]| {
        let bands = diagram
            .bands
            .iter()
            .filter(move |band| what.contains(&band.what) && band.lanes.contains(&lane));
        bands.map(|band| (band, span(band, excerpt, scene))).collect::<Vec<_>>()
    };
    let hidden = spans(&["down", "absent"]);
    let mut from = scene.left;
    let mut up = Vec::new();
    for (band, (start, end)) in hidden {
        if band.what == "absent" {
            from = end;
            continue;
        }
        up.push((from, start));
        from = if band.until.is_some() { end } else { scene.right };
    }
    up.push((from, scene.right));
    let up = up.into_iter().filter(|(from, to)| to > from);
    let path = |y: i32| {
        let strokes = up.clone().map(move |(from, to)| format!("M{from} {y}H{to}"));
        strokes.collect::<String>()
    };
    let over = |what: &'static [&'static str], y: i32| {
        let strokes = spans(what).into_iter().filter(|(_, (from, to))| to > from);
        strokes.map(|(_, (from, to))| format!("M{from} {y}H{to}")).collect::<String>()
    };
    let (paused, lying) = (over(&["paused"], y), over(&["byzantine"], y - 3));
    html! {
        path class="lane" d=(path(y)) {}
        @if !lying.is_empty() { path class="lane" d=(lying) {} }
        @if !paused.is_empty() {
            path class="erased" d=(paused) {}
            path class="lane paused" d=(paused) {}
        }
    }
}
