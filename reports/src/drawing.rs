//! A run as a static picture, for papers and for pages that show many runs side by side.
//!
//! ```no_run
//! # fn page(diagram: &ftsim_reports::Diagram) -> maud::Markup {
//! use ftsim_reports::drawing;
//!
//! maud::html! {
//!     style { (maud::PreEscaped(drawing::STYLE)) } // once in a page
//!     figure { (drawing::svg(diagram, drawing::Size::default())) }
//! }
//! # }
//! ```
//!
//! The picture holds the story of a violation if the diagram has one
//! ([`Diagram::with_story`](crate::Diagram::with_story)): the steps nearest to it, the messages
//! between them, and the messages that were lost. A run without a story is drawn from its
//! beginning. A picture has no script, no link and no `id`, so a page can contain any number of
//! them. Its `<title>` and `<desc>` describe it to screen readers.

mod arrows;
pub(crate) mod excerpt;
mod labels;
mod lanes;
pub(crate) mod mark;
mod marks;
mod scene;

use std::io::{self, Write};

use ftsim_core::Instant;
use maud::{Markup, PreEscaped, html};

use crate::diagram::Diagram;
use crate::foreign::line;
use crate::step_text::{rounded, shortened};
use arrows::Colours;
use excerpt::{Column, Excerpt, Scope, Selection};
use labels::{Label, Labels, Rect};
use scene::{Face, Point, ROW, Scene, text_width};

/// The style of all drawings in a page. It is light or dark as the system is, unless the page's
/// root element has a `data-theme`.
pub const STYLE: &str = include_str!("drawing/style.css");

/// The maximum number of lanes; a line below names the others.
const LANE_COUNT_MAX: usize = 12;

/// The maximum size of a drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// The width in pixels; at least 320. A drawing of few steps is narrower.
    pub width: u32,
    /// The height in pixels, as far as possible: lanes are 30 to 90 pixels apart. `None`: 46
    /// pixels for each lane.
    pub height: Option<u32>,
    /// The maximum number of steps, approximately; gaps show how many are left out.
    pub steps: usize,
}

impl Default for Size {
    /// 640 pixels wide, 46 pixels for each lane, about 24 steps.
    fn default() -> Self {
        Self { width: 640, height: None, steps: 24 }
    }
}

/// The drawing of a run, as an SVG element for a page that has [`STYLE`].
#[must_use]
pub fn svg(diagram: &Diagram, size: Size) -> Markup {
    drawn(diagram, size, &Markup::default())
}

/// Writes a drawing as a separate file, which contains its style. Colours are the light ones:
/// programs other than browsers support neither variables in styles nor dark mode.
///
/// # Errors
/// Errors of `out`.
pub fn write_svg(out: &mut impl Write, diagram: &Diagram, size: Size) -> io::Result<()> {
    let style = html! { style { (PreEscaped(light_style())) } };
    writeln!(out, "{}", drawn(diagram, size, &style).into_string())
}

/// The light style, without variables.
fn light_style() -> String {
    let (light, rest) = STYLE.split_once("@media").unwrap_or((STYLE, ""));
    let (_, rules) = rest.split_once(".run-drawing path").unwrap_or_default();
    let mut style = format!("{light}.run-drawing path{rules}");
    let variables = light.split([';', '{']).filter_map(|rule| rule.trim().split_once(':'));
    for (name, value) in variables.filter(|(name, _)| name.starts_with("--")) {
        style = style.replace(&format!("var({name})"), value);
    }
    style
}

fn drawn(diagram: &Diagram, size: Size, style: &Markup) -> Markup {
    let (step_count_max, lane_count_max) = (size.steps, LANE_COUNT_MAX);
    let selection = Selection { scope: Scope::Story, step_count_max, lane_count_max };
    let excerpt = Excerpt::of(diagram, &selection);
    let of_network = |column: &Column| match column {
        Column::Step(step) => diagram.steps[*step].lane.is_none(),
        _ => false,
    };
    let has_network = excerpt.columns.iter().any(of_network)
        || diagram.bands.iter().any(|band| band.what == "condition");
    let scene = Scene::of(diagram, &excerpt, size, has_network);
    let colours = Colours::of(diagram);
    let (arrows, marks) =
        (arrows::placed(diagram, &excerpt, &scene), marks::placed(diagram, &excerpt, &scene));
    let (left, right) = (scene.left - 6, scene.width - 2);
    let mut labels = Labels::new(Rect { left, top: 0, right, bottom: scene.height });
    arrows::keep_free(&arrows, &mut labels);
    marks::keep_free(&marks, &mut labels);
    write_verdict(diagram, &scene, &mut labels);
    labels.area.top = if diagram.story.is_some() { ROW } else { 0 };
    marks::label(&marks, &excerpt, &scene, true, &mut labels);
    lanes::name_bands(diagram, &excerpt, &scene, &mut labels);
    marks::label(&marks, &excerpt, &scene, false, &mut labels);
    arrows::label(diagram, &arrows, &colours, &mut labels);
    write_times(diagram, &excerpt, &scene, &mut labels);
    write_left_out(diagram, &excerpt, &scene, &mut labels);
    let about = &diagram.about;
    html! {
        svg xmlns="http://www.w3.org/2000/svg" class="run-drawing" role="img"
            width=(scene.width) height=(scene.height)
            viewBox=(format!("0 0 {} {}", scene.width, scene.height)) {
            title { (line(&about.scenario)) ", seed " (about.seed) }
            desc { (description(diagram)) }
            (style)
            (lanes::background(diagram, &excerpt, &scene))
            (violation(&excerpt, diagram, &scene))
            (lanes::lanes(diagram, &excerpt, &scene))
            (arrows::arrows(diagram, &arrows, &colours))
            (marks::marks(&marks, &excerpt))
            (labels.finish())
        }
    }
}

/// A description of the run for screen readers.
fn description(diagram: &Diagram) -> String {
    let about = &diagram.about;
    let Some(story) = &diagram.story else {
        return format!("A run of {} with {} processes.", about.protocol, diagram.lanes.len());
    };
    let mut told = format!("Violates {}: {}.", line(&story.property), line(&story.message));
    for row in story.rows.iter().rev().take(8).rev() {
        let who = row.lane.and_then(|lane| diagram.lanes.get(lane as usize));
        let who = who.map_or("the network", |lane| &lane.name);
        told.push_str(&format!(" {} {} {}.", row.at, line(who), line(&row.text)));
    }
    told
}

/// Writes the violation in the first line.
fn write_verdict(diagram: &Diagram, scene: &Scene, labels: &mut Labels) {
    let Some(story) = &diagram.story else { return };
    let property = format!("✗ {}", shortened(&story.property, 40));
    let x = 10;
    let at = Point { x, y: ROW / 2 };
    labels.write(Label { text: &property, face: Face::Words, class: "red" }, at);
    let x = x + text_width(&property, Face::Words) * 11 / 10 + 10;
    let message = fitted(&story.message, scene.width - x - 6);
    if message.chars().count() > 12 || message == line(&story.message) {
        let at = Point { x, y: ROW / 2 };
        labels.write(Label { text: &message, face: Face::Words, class: "ink" }, at);
    }
}

/// As much of a text as this width has room for.
fn fitted(text: &str, width: i32) -> String {
    // No letter is narrower than four pixels.
    let most = usize::try_from(width / 4).unwrap_or(0).max(1);
    let mut prefixes = (2..=most).rev().map(|length| shortened(text, length));
    prefixes.find(|prefix| text_width(prefix, Face::Words) <= width).unwrap_or_default()
}

/// A line through the step that shows the violation; if it was judged at the end of the run, rings
/// at the ends of its witnesses' lanes.
fn violation(excerpt: &Excerpt, diagram: &Diagram, scene: &Scene) -> Markup {
    let shows = |column: &Column| match column {
        Column::Step(step) => {
            excerpt.roots.contains(step)
                && ["violation", "panic"].iter().any(|e| excerpt::has_part(diagram, *step, e))
        }
        Column::Gap(_) => false,
        Column::End => true,
    };
    let at = excerpt.columns.iter().position(shows).map(|column| scene.x(column));
    let is_end = excerpt.columns.last() == Some(&Column::End);
    html! {
        @if let Some(x) = at {
            path class="red" stroke-dasharray="2 3"
                d=(format!("M{x} {}V{}", scene.top, scene.bottom)) {}
            @if is_end {
                @for y in excerpt.witnesses.iter().filter_map(|lane| scene.y(*lane)) {
                    circle class="red open" cx=(x) cy=(y) r="6" {}
                    path class="red" d=(format!("M{} {}l10 -10", x - 5, y + 5)) {}
                }
            }
        }
    }
}

/// Writes the times of steps and the sizes of gaps below the lanes, where there is room.
fn write_times(diagram: &Diagram, excerpt: &Excerpt, scene: &Scene, labels: &mut Labels) {
    let y = scene.bottom + ROW / 2 + 2;
    let is_gap = |column: &Column| matches!(column, Column::Gap(_));
    let columns = || excerpt.columns.iter().enumerate();
    let gaps = columns().filter(|(_, column)| is_gap(column));
    let mut told = None;
    for (index, column) in gaps.chain(columns().filter(|(_, column)| !is_gap(column))) {
        let text = match column {
            Column::Gap(count) => format!("…{count}"),
            Column::Step(step) => rounded(Instant::from_nanos(diagram.steps[*step].at)).to_string(),
            Column::End => "end".to_owned(),
        };
        let x = scene.x(index) - text_width(&text, Face::Words) / 2;
        let label = Label { text: &text, face: Face::Words, class: "soft" };
        // Equal times are written once.
        if told.as_ref() != Some(&text) && labels.place(label, [Point { x, y }]) {
            told = Some(text);
        }
    }
}

/// Names the lanes that are left out.
fn write_left_out(diagram: &Diagram, excerpt: &Excerpt, scene: &Scene, labels: &mut Labels) {
    let (Some(first), Some(last)) = (excerpt.left_out.first(), excerpt.left_out.last()) else {
        return;
    };
    let name = |lane: &u32| scene::name(&diagram.lanes[*lane as usize].name);
    let text = match excerpt.left_out.as_slice() {
        [one] => format!("not drawn: {}", name(one)),
        [one, other] => format!("not drawn: {} and {}", name(one), name(other)),
        all => {
            format!("not drawn: {} processes from {} to {}", all.len(), name(first), name(last))
        }
    };
    let at = Point { x: scene.left, y: scene.bottom + ROW + ROW / 2 + 2 };
    let text = fitted(&text, scene.width - at.x - 2);
    labels.write(Label { text: &text, face: Face::Words, class: "soft" }, at);
}
