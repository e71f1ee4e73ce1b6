//! Checked links, on histories written by hand.

use ftsim_core::bench::history::{Act, judge};
use ftsim_core::model::property::Verdict;
use ftsim_core::{ProcessId, Setting};

use super::{CheckedLink, Indication, Payload, PayloadNumber, Request};

type Event = Act<CheckedLink>;

const NONE: [&str; 0] = [];
const SENDER: ProcessId = ProcessId(0);
const RECEIVER: ProcessId = ProcessId(1);

fn violated(history: &[Event]) -> Vec<&'static str> {
    let roles = vec![("sender".into(), 1), ("receiver".into(), 1)];
    let verdicts = judge(&Setting { roles, ..Setting::of(2) }, history, true).into_iter();
    verdicts.filter(|(_, v)| matches!(v, Verdict::Violated(_))).map(|(id, _)| id).collect()
}

fn sends(number: PayloadNumber, payload: Payload) -> Event {
    Act::Request(SENDER, Request::Send { number, payload })
}

fn delivers(number: PayloadNumber, payload: Payload) -> Event {
    Act::Indicate(RECEIVER, Indication::Deliver { number, payload })
}

#[test]
fn what_is_delivered_was_sent_under_this_number() {
    assert_eq!(violated(&[sends(1, 7), sends(2, 8), delivers(2, 8), delivers(1, 7)]), NONE);
    let changed = violated(&[sends(1, 7), delivers(1, 6)]);
    assert_eq!(changed, ["lnk.integrity", "lnk.reliable"]);
    let elsewhere = [sends(1, 7), sends(2, 8), delivers(1, 7), delivers(2, 8), delivers(3, 7)];
    assert_eq!(violated(&elsewhere), ["lnk.integrity"]);
    let swapped = [sends(1, 7), sends(2, 8), delivers(1, 7), delivers(2, 8), delivers(1, 8)];
    assert_eq!(violated(&swapped), ["lnk.integrity"]);
}

#[test]
fn to_reject_is_safe_but_delivers_nothing() {
    let rejects = Act::Indicate(RECEIVER, Indication::Reject);
    assert_eq!(violated(&[sends(1, 7), rejects.clone()]), ["lnk.reliable"]);
    assert_eq!(violated(&[sends(1, 7), rejects, Act::Crash(RECEIVER)]), NONE);
    assert_eq!(violated(&[sends(1, 7), Act::Crash(SENDER)]), NONE);
}

#[test]
fn nothing_is_due_if_one_of_the_two_has_crashed() {
    let roles = vec![("sender".into(), 1), ("receiver".into(), 1)];
    let setting = Setting { roles, ..Setting::of(2) };
    for p in [SENDER, RECEIVER] {
        let verdicts = judge(&setting, &[sends(1, 7), delivers(1, 7), Act::Crash(p)], true);
        let reliable = verdicts.into_iter().find(|(id, _)| *id == "lnk.reliable");
        assert!(matches!(reliable, Some((_, Verdict::HeldVacuously))), "{p}");
    }
}
