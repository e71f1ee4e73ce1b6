//! The steps of a drawing: their signs, and the words beside them.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::arrows::cross;
use super::excerpt::{Column, Excerpt};
use super::labels::{Label, Labels, Rect};
use super::mark::{Glyph, Mark, Words};
use super::scene::{Face, Point, Scene, text_width};
use crate::diagram::Diagram;

/// A step, placed.
pub struct PlacedMark {
    step: usize,
    mark: Mark,
    at: Point,
}

/// The places of the excerpt's steps; those of the network are at the top.
pub fn placed(diagram: &Diagram, excerpt: &Excerpt, scene: &Scene) -> Vec<PlacedMark> {
    let steps = excerpt.columns.iter().enumerate().filter_map(|(column, what)| {
        let Column::Step(step) = *what else { return None };
        let y = match diagram.steps[step].lane {
            Some(lane) => scene.y(lane)?,
            None => scene.network?,
        };
        Some(PlacedMark {
            step,
            mark: Mark::of(diagram, step),
            at: Point { x: scene.x(column), y },
        })
    });
    steps.collect()
}

/// Draws the signs of steps.
pub fn marks(placed: &[PlacedMark], excerpt: &Excerpt) -> Markup {
    html! {
        @for PlacedMark { step, mark, at } in placed {
            @let Point { x, y } = *at;
            @if mark.logs { path class="log" d=(format!("M{x} {}v6", y + 5)) {} }
            @if mark.announces {
                rect class="solid" x=(x - 6) y=(y - 3) width="12" height="6" {}
            }
            @if mark.asked {
                path class="stroke" d=(format!("M{} {}l6 7", x - 13, y - 15)) {}
                path class="solid" d=(format!("M{} {}l-7 -3.5l4.5 -4z", x - 3, y - 3)) {}
            }
            (sign(mark, *at))
            @if excerpt.roots.contains(step) {
                circle class="red" cx=(x) cy=(y) r="9" {}
            }
        }
    }
}

fn sign(mark: &Mark, at: Point) -> Markup {
    let Point { x, y } = at;
    html! {
        @match mark.glyph {
            Glyph::Crash => path class="crash" d=(cross(at, 6)) {},
            Glyph::Recover => {
                circle class="open" cx=(x) cy=(y) r="5" {}
                path class="stroke" d=(format!("M{x} {}v4", y - 2)) {}
            }
            Glyph::Pause => path class="thick" d=(format!("M{} {}v10m5 -10v10", x - 2, y - 5)) {},
            Glyph::Resume => path class="solid" d=(format!("M{} {}l8 5l-8 5z", x - 3, y - 5)) {},
            Glyph::Fault => {
                path class="open amber" d=(format!("M{x} {}l6 6l-6 6l-6 -6z", y - 6)) {}
                path class="amber" d=(format!("M{x} {}v3.5m0 1.5v1", y - 3)) {}
            }
            Glyph::Network => path class="amber" d=(format!("M{x} {}v10", y - 5)) {},
            Glyph::Suspicion => path class="open" d=(format!("M{x} {}l5 5l-5 5l-5 -5z", y - 5)) {},
            Glyph::Timer if !mark.announces => circle class="open" cx=(x) cy=(y) r="3" {},
            Glyph::Dot if !mark.announces => circle class="solid" cx=(x) cy=(y) r="2.5" {},
            Glyph::Timer | Glyph::Dot => {}
        }
    }
}

/// Keeps words away from signs.
pub fn keep_free(placed: &[PlacedMark], labels: &mut Labels) {
    for PlacedMark { at, .. } in placed {
        let (left, right) = (at.x - 6, at.x + 6);
        labels.take(Rect { left, top: at.y - 5, right, bottom: at.y + 5 });
    }
}

/// Writes words beside the steps that show the violation, or beside the others; those that matter
/// most first.
pub fn label(
    placed: &[PlacedMark],
    excerpt: &Excerpt,
    scene: &Scene,
    of_roots: bool,
    labels: &mut Labels,
) {
    let mut words: Vec<(u8, &PlacedMark, &Words)> = Vec::new();
    for placed in placed.iter().filter(|p| excerpt.roots.contains(&p.step) == of_roots) {
        // The first line names the violation, and bands name what begins.
        let told = placed.mark.words.iter().filter(|w| !w.is_violation() && w.event != "begins");
        for (place, told) in told.take(2).enumerate() {
            // Less important words are written only if they are the first of their step.
            if place == 0 || told.weight >= 6 {
                words.push((told.weight, placed, told));
            }
        }
    }
    // Repeated steps are labelled once, at the last one.
    let mut again = BTreeSet::new();
    for index in (0..words.len()).rev() {
        let (_, placed, told) = words[index];
        if told.weight <= 4 && !again.insert((placed.at.y, told.text.as_str())) {
            words.remove(index);
        }
    }
    words.sort_by_key(|(weight, placed, _)| (u8::MAX - weight, placed.step));
    for (_, placed, told) in words {
        let face = if told.is_value() { Face::Value } else { Face::Words };
        let class = match told {
            told if told.is_violation() => "red",
            told if told.is_fault() && told.event != "crash" => "amber",
            told if told.weight <= 4 => "soft",
            _ => "ink",
        };
        let lift = match (placed.mark.asked && told.event == "request", of_roots) {
            (true, _) => 22,
            (_, true) => 17,
            _ => 13,
        };
        for text in [told.text.clone(), told.brief()] {
            let width = text_width(&text, face);
            if text != told.brief() && width > (scene.step * 4).max(110) {
                continue;
            }
            let places = around(placed.at, width, lift);
            if labels.place(Label { text: &text, face, class }, places) {
                break;
            }
        }
    }
}

/// Places above and below a sign.
fn around(at: Point, width: i32, lift: i32) -> impl Iterator<Item = Point> {
    let Point { x, y } = at;
    let ys = [y - lift, y + 15, y - lift - 12];
    let place = move |y: i32| [x - width / 2, x - 4, x - width + 4].map(|x| Point { x, y });
    ys.into_iter().flat_map(place)
}
