//! Diagrams of hand-made traces.

use ftsim_core::environment::network::DropReason;
use ftsim_core::outcome::trace::{Entry, Trace, TraceEvent};
use ftsim_core::{Duration, Instant, MessageId, ProcessId};
use serde_json::Value;

use super::{About, Diagram, Lane, StateAfter};
use crate::trace::announcement;

/// An entry at this time in milliseconds; each is a step of its own.
fn entry(step: u64, at_ms: u64, process: Option<u32>, what: TraceEvent) -> Entry {
    let at = Instant::ZERO + Duration::from_millis(at_ms);
    Entry { step, at, process: process.map(ProcessId), what }
}

fn send(id: u64, to: u32, message: &str) -> TraceEvent {
    let (kind, message) = (message.to_owned(), message.to_owned());
    TraceEvent::Send { id: MessageId(id), to: ProcessId(to), kind, message, arrives: Instant::MAX }
}

fn deliver(id: u64, from: u32, message: &str) -> TraceEvent {
    TraceEvent::Deliver { id: MessageId(id), from: ProcessId(from), message: message.to_owned() }
}

fn lose(id: u64, to: u32) -> TraceEvent {
    let (id, to, message) = (MessageId(id), ProcessId(to), "Vote(1)".to_owned());
    TraceEvent::Drop { id, to, message, reason: DropReason::Cut }
}

fn diagram(entries: Vec<Entry>) -> Diagram {
    let lane = |p: u32| Lane { name: ProcessId(p).to_string(), role: None };
    let trace = Trace { entries, truncated: false };
    let bound = Some(Duration::from_millis(10));
    Diagram::of(About::default(), (0..3).map(lane).collect(), &trace, bound)
}

fn start(p: u32) -> Entry {
    entry(u64::from(p) + 1, 0, Some(p), TraceEvent::Start)
}

#[test]
fn a_message_is_sent_and_heard_or_lost_and_told_if_it_was_late_changed_or_doubled() {
    let starts = [start(0), start(1), start(2)];
    let told = diagram(
        [
            &starts[..],
            &[
                entry(4, 1, Some(0), send(1, 1, "Vote(1)")),
                entry(5, 1, Some(0), send(2, 2, "Vote(1)")),
                entry(6, 1, Some(0), send(3, 2, "Vote(1)")),
                entry(7, 1, Some(0), send(4, 0, "Vote(1)")),
                entry(8, 5, Some(1), deliver(1, 0, "Vote(1)")),
                entry(9, 6, Some(1), deliver(1, 0, "Vote(1)")),
                entry(9, 7, Some(2), lose(2, 2)),
                entry(10, 20, Some(2), deliver(3, 0, "Vote(2)")),
            ],
        ]
        .concat(),
    );
    // A message to oneself is no arrow.
    let [heard, lost, changed] = told.messages.as_slice() else { panic!("{:?}", told.messages) };
    assert_eq!((heard.from, heard.to, heard.heard.len()), (0, 1, 2));
    assert!(!heard.late && !heard.changed && heard.lost.is_none());
    assert_eq!(told.texts.get(heard.kind), "Vote");
    assert!(lost.heard.is_empty());
    let lost = lost.lost.as_ref().expect("it is lost");
    assert_eq!((lost.at, told.texts.get(lost.reason)), (7_000_000, "link cut"));
    assert!(changed.changed && changed.late);
    assert_eq!(told.steps[changed.sent.expect("a step")].lane, Some(0));
    let parts = told.steps.iter().flat_map(|step| &step.parts);
    assert_eq!(parts.filter(|part| part.message == Some(0)).count(), 3);
}

#[test]
fn what_lasts_is_a_band_from_its_first_step_to_its_last() {
    let condition = "p1 omits to send".to_owned();
    let told = diagram(vec![
        start(0),
        start(1),
        entry(3, 1, Some(0), TraceEvent::Crash { effects_lost: 0 }),
        entry(3, 2, None, TraceEvent::Begins { condition: condition.clone() }),
        entry(4, 3, Some(2), TraceEvent::Start),
        entry(5, 4, Some(0), TraceEvent::Recover { records: 0 }),
        entry(6, 5, None, TraceEvent::Ends { condition }),
        entry(7, 6, Some(1), TraceEvent::Pause),
    ]);
    let bands = told.bands.iter();
    let bands: Vec<_> = bands.map(|b| (b.what, b.lanes.as_slice(), b.from, b.until)).collect();
    let expected: [(&str, &[u32], usize, Option<usize>); 4] = [
        ("absent", &[2], 0, Some(4)),
        ("down", &[0], 2, Some(5)),
        ("condition", &[1], 3, Some(6)),
        ("paused", &[1], 7, None),
    ];
    assert_eq!(bands, expected);
}

#[test]
fn who_leads_does_so_until_it_says_otherwise_or_crashes() {
    let says = |leads| TraceEvent::Indicate { what: "Leads".to_owned(), phrase: None, leads };
    let told = diagram(vec![
        start(0),
        start(1),
        entry(3, 1, Some(0), says(Some(true))),
        entry(4, 2, Some(1), says(Some(true))),
        entry(5, 3, Some(1), says(None)),
        entry(6, 4, Some(1), says(Some(false))),
        entry(7, 5, Some(0), TraceEvent::Crash { effects_lost: 0 }),
    ]);
    let leading = told.bands.iter().filter(|band| band.what == "leads");
    let leading: Vec<_> = leading.map(|b| (b.lanes.as_slice(), b.from, b.until)).collect();
    assert_eq!(leading, [(&[0][..], 2, Some(6)), (&[1], 3, Some(5))]);
}

#[test]
fn an_announcement_is_its_phrase_if_it_has_one() {
    let indicate = |phrase: Option<&str>| TraceEvent::Indicate {
        what: "Decide(1)".to_owned(),
        phrase: phrase.map(str::to_owned),
        leads: None,
    };
    let told = diagram(vec![
        entry(1, 0, Some(0), indicate(Some("decides 1"))),
        entry(2, 0, Some(0), indicate(None)),
        entry(3, 0, Some(0), indicate(Some("serves"))),
    ]);
    let parts = told.steps.iter().flat_map(|step| &step.parts);
    let texts: Vec<&str> = parts.map(|part| told.texts.get(part.text)).collect();
    assert_eq!(texts, ["decides 1", "ANNOUNCES Decide(1)", "serves"]);
    assert_eq!(announcement("Decide(1)", Some("decides 1")), "DECIDES 1");
    assert_eq!(announcement("Serves", Some("serves")), "SERVES");
}

#[test]
fn a_step_tells_only_what_it_changed_in_the_state() {
    let request = || TraceEvent::Request { request: "Go".to_owned() };
    let entries = vec![start(0), start(1), entry(3, 1, Some(0), request())];
    let after =
        |step, p, state: &str| StateAfter { step, process: ProcessId(p), state: state.to_owned() };
    let told = diagram(entries).with_states(&[
        after(2, 0, "S { view: 0, log: [] }"),
        after(2, 1, "S { view: 0, log: [] }"),
        after(3, 0, "S { view: 0, log: [1] }"),
    ]);
    let changes = told.steps.iter().map(|step| {
        let text = |id| told.texts.get(id);
        step.state.iter().map(|c| format!("{} {}", text(c.0), text(c.1))).collect::<Vec<_>>()
    });
    let changes: Vec<Vec<String>> = changes.collect();
    assert_eq!(changes, [vec!["view 0", "log []"], vec!["view 0", "log []"], vec!["log [1]"]]);
}

#[test]
fn a_page_holds_its_data_and_nothing_in_it_is_markup() {
    let mut told = diagram(vec![start(0)]);
    let hostile = "</script><script>alert(1)</script><!--\u{202e}";
    told.about.summary = Some(hostile.to_owned());
    told.about.scenario = hostile.to_owned();
    let mut page = Vec::new();
    crate::write_run_page(&mut page, &told).expect("a vector");
    let page = String::from_utf8(page).expect("text");
    // The data, the viewer, and the licences of its libraries.
    assert_eq!(page.matches("<script").count(), 3);
    let (_, data) = page.split_once("type=\"application/json\">").expect("data");
    let (data, _) = data.split_once("</script>").expect("its end");
    let read: Value = serde_json::from_str(data).expect("JSON");
    assert_eq!(read["about"]["summary"], hostile);
}
