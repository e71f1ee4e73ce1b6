//! Pictures of runs written by hand: no name and no message can break them.

use ftsim_core::environment::network::DropReason;
use ftsim_core::outcome::trace::{Entry, Trace, TraceEvent};
use ftsim_core::{Duration, Instant, MessageId, ProcessId};
use ftsim_reports::drawing::{self, Size};
use ftsim_reports::{About, Diagram, Lane, LaneSteps, Lanes, Page, Signs, is_active, write_lanes};
use unicode_width::UnicodeWidthStr as _;

/// Escapes, overrides of direction, markup, and wide and combining characters.
const HOSTILE: &str = "Vote\u{1b}[2J\u{202e}</text><script>\u{9b}漢字字e\u{301}\n::error::x(1)";

fn entry(step: u64, process: Option<u32>, what: TraceEvent) -> Entry {
    let at = Instant::ZERO + Duration::from_millis(step);
    Entry { step, at, process: process.map(ProcessId), what }
}

fn send(id: u64, to: u32) -> TraceEvent {
    let (kind, message) = (HOSTILE.to_owned(), HOSTILE.to_owned());
    TraceEvent::Send { id: MessageId(id), to: ProcessId(to), kind, message, arrives: Instant::MAX }
}

/// A run of this number of processes, in which all texts are hostile.
fn hostile(lane_count: u32) -> Diagram {
    let text = || HOSTILE.to_owned();
    let last = lane_count - 1;
    let mut entries: Vec<Entry> =
        (0..lane_count).map(|p| entry(1, Some(p), TraceEvent::Start)).collect();
    let deliver = |id: u64, from: u32| TraceEvent::Deliver {
        id: MessageId(id),
        from: ProcessId(from),
        message: text(),
    };
    let (id, to, reason) = (MessageId(3), ProcessId(last), DropReason::Cut);
    entries.extend([
        entry(2, Some(0), TraceEvent::Request { request: text() }),
        entry(2, Some(0), send(1, last)),
        entry(2, Some(0), send(2, 1)),
        entry(2, Some(0), TraceEvent::Drop { id, to, message: text(), reason }),
        entry(3, None, TraceEvent::Begins { condition: format!("{} p1", text()) }),
        entry(4, Some(last), deliver(1, 0)),
        entry(4, Some(last), TraceEvent::Indicate { what: text(), phrase: None, leads: None }),
        entry(5, Some(1), deliver(2, 0)),
        entry(5, Some(1), TraceEvent::Append { record: text() }),
        entry(6, Some(1), TraceEvent::Crash { effects_lost: 2 }),
        entry(7, Some(0), TraceEvent::Timer { timer: text() }),
        entry(8, Some(1), TraceEvent::Recover { records: 1 }),
        entry(9, Some(0), TraceEvent::Corrupt { behaviour: text() }),
    ]);
    let lane = |p: u32| Lane { name: format!("{HOSTILE}{p}"), role: Some(text()) };
    let about = About { scenario: text(), ..About::default() };
    let trace = Trace { entries, truncated: false };
    Diagram::of(about, (0..lane_count).map(lane).collect(), &trace, None)
}

fn lanes(diagram: &Diagram, columns: usize, signs: Signs) -> String {
    let page = Page { columns: Some(columns), quiet: false };
    let mut out = Vec::new();
    let lanes = Lanes { page, signs, steps: LaneSteps::All };
    write_lanes(&mut out, diagram, &lanes).expect("a vector");
    let text = String::from_utf8(out).expect("UTF-8");
    // Without our own styles.
    let parts = text.split("\u{1b}[").enumerate();
    let plain = parts.map(|(place, part)| match part.split_once('m').filter(|_| place > 0) {
        Some((_, rest)) => rest,
        None => part,
    });
    plain.collect()
}

#[test]
fn lanes_are_as_wide_as_the_page_whatever_names_are() {
    for lane_count in [2, 3, 9, 40] {
        let diagram = hostile(lane_count);
        for columns in [1, 40, 57, 72, 80, 100, 200, 1_000_000] {
            for signs in [Signs::Unicode, Signs::Ascii] {
                let text = lanes(&diagram, columns, signs);
                let too_wide = text.lines().find(|line| line.width() > columns.max(40));
                assert_eq!(too_wide, None, "{lane_count} lanes, {columns} columns:\n{text}");
                assert!(!text.contains(|c| c != '\n' && is_active(c)), "{text:?}");
                assert!(!text.lines().any(|line| line.starts_with("::")), "{text}");
                assert!(signs == Signs::Unicode || text.is_ascii(), "{text}");
                assert!(!text.lines().any(|line| line.ends_with(' ')), "{text:?}");
            }
        }
    }
}

#[test]
fn an_empty_run_has_empty_pictures() {
    let trace = Trace { entries: Vec::new(), truncated: false };
    let diagram = Diagram::of(About::default(), Vec::new(), &trace, None);
    assert_eq!(lanes(&diagram, 80, Signs::Unicode), "");
    assert!(drawing::svg(&diagram, Size::default()).into_string().starts_with("<svg "));
}

/// The texts of a drawing: position, face and content.
fn texts(svg: &str) -> Vec<(i32, i32, String)> {
    let texts = svg.split("<text ").skip(1).map(|text| {
        let (head, rest) = text.split_once('>').expect("the end of a tag");
        let number = |name: &str| {
            let (_, rest) = head.split_once(&format!("{name}=\"")).expect("an attribute");
            rest.split_once('"').and_then(|(number, _)| number.parse().ok()).expect("a number")
        };
        let (content, _) = rest.split_once("</text>").expect("the end of a text");
        let is_name = head.contains(" name\"");
        (if is_name { -1 } else { number("x") }, number("y"), content.to_owned())
    });
    texts.collect()
}

#[test]
fn words_in_a_drawing_hide_no_others_and_stay_within() {
    for (lane_count, width) in [(2, 0), (3, 640), (9, 400), (40, 100_000)] {
        let size = Size { width, ..Size::default() };
        let svg = drawing::svg(&hostile(lane_count), size).into_string();
        assert!(!svg.contains("<script") && !svg.contains(is_active), "{svg}");
        assert!(svg.contains("&lt;/text&gt;"), "{svg}");
        let (_, rest) = svg.split_once("width=\"").expect("a width");
        let right: i32 = rest.split_once('"').and_then(|(w, _)| w.parse().ok()).expect("a width");
        let known: Vec<(i32, i32, String)> =
            texts(&svg).into_iter().filter(|(x, ..)| *x >= 0).collect();
        assert!(known.len() > 5, "{svg}");
        for (index, (x, y, text)) in known.iter().enumerate() {
            let end = |x: i32, text: &str| {
                let text = text.replace("&lt;", "<").replace("&gt;", ">");
                x + i32::try_from(text.width()).expect("a width") * 6
            };
            assert!(end(*x, text) <= right, "{text} ends behind {right}: {svg}");
            for (other_x, other_y, other) in &known[index + 1..] {
                let is_apart = end(*x, text) <= *other_x || end(*other_x, other) <= *x;
                assert!(is_apart || (y - other_y).abs() >= 12, "{text} and {other}: {svg}");
            }
        }
    }
}

#[test]
fn a_drawing_in_a_file_needs_no_variables() {
    let mut out = Vec::new();
    drawing::write_svg(&mut out, &hostile(3), Size::default()).expect("a vector");
    let svg = String::from_utf8(out).expect("UTF-8");
    assert!(!svg.contains("var(") && !svg.contains("@media"), "{svg}");
    assert!(svg.contains(".run-drawing .red{color:#c40f2f}"), "{svg}");
    assert!(drawing::STYLE.contains("prefers-color-scheme:dark"));
}
