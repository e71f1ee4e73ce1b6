//! The properties of logical clocks, on histories written by hand.

use ftsim_core::ProcessId;
use ftsim_core::bench::Bench;
use ftsim_core::bench::history::{Act, check};

use super::{Clocks, Indication, Request, Timestamp};
use crate::stub::{Answers, Stub, requests};

const P0: ProcessId = ProcessId(0);
const P1: ProcessId = ProcessId(1);
const P2: ProcessId = ProcessId(2);
const NONE: [&str; 0] = [];

type Event = Act<Clocks>;

fn at(p: ProcessId, time: u64) -> Event {
    Act::Indicate(p, Indication::At(Timestamp::Scalar(time)))
}

fn at_vector(p: ProcessId, times: [u64; 3]) -> Event {
    Act::Indicate(p, Indication::At(Timestamp::Vector(times.to_vec())))
}

fn works(p: ProcessId) -> Event {
    Act::Request(p, Request::Work)
}

/// An event that sends this message, and its time.
fn sends(p: ProcessId, message: u64, to: ProcessId, time: Event) -> [Event; 3] {
    [Act::Request(p, Request::Send(to)), time, Act::Send(p, message)]
}

fn receives(p: ProcessId, message: u64, time: Event) -> [Event; 2] {
    [Act::Receive(p, message), time]
}

fn violated(parts: &[&[Event]]) -> Vec<&'static str> {
    check(3, &parts.concat())
}

#[test]
fn times_of_one_process_increase() {
    let both = ["clk.consistency", "clk.strong"];
    let twice = |first, second| [works(P0), at(P0, first), works(P0), at(P0, second)];
    assert_eq!(violated(&[&twice(1, 2)]), NONE);
    assert_eq!(violated(&[&twice(1, 7)]), NONE);
    assert_eq!(violated(&[&twice(1, 1)]), both);
    assert_eq!(violated(&[&twice(2, 1)]), both);
    // An event without a time separates nothing.
    assert_eq!(violated(&[&[works(P0), at(P0, 2), works(P0), works(P0), at(P0, 1)]]), both);
}

#[test]
fn a_receipt_is_later_than_its_sending() {
    let both = ["clk.consistency", "clk.strong"];
    let arrives = |time| [&sends(P0, 1, P1, at(P0, 5))[..], &receives(P1, 1, time)].concat();
    assert_eq!(violated(&[&arrives(at(P1, 6))]), NONE);
    assert_eq!(violated(&[&arrives(at(P1, 5))]), both);
    assert_eq!(violated(&[&arrives(at(P1, 1))]), both);
    // Whether the time is announced before the message leaves or after does not matter.
    let after = [Act::Request(P0, Request::Send(P1)), Act::Send(P0, 1), at(P0, 5)];
    assert_eq!(violated(&[&after, &receives(P1, 1, at(P1, 5))]), both);
    assert_eq!(violated(&[&after, &receives(P1, 1, at(P1, 6))]), NONE);
    // What happened there later is not in its past.
    assert_eq!(
        violated(&[&after, &[works(P0), at(P0, 9)], &receives(P1, 1, at(P1, 6))]),
        ["clk.strong"]
    );
}

#[test]
fn the_past_passes_through_others() {
    let chain = |last| {
        let first = sends(P0, 1, P1, at_vector(P0, [1, 0, 0]));
        let second = receives(P1, 1, at_vector(P1, [1, 1, 0]));
        let third = sends(P1, 2, P2, at_vector(P1, [1, 2, 0]));
        [&first[..], &second, &third, &receives(P2, 2, at_vector(P2, last))].concat()
    };
    assert_eq!(violated(&[&chain([1, 2, 1])]), NONE);
    assert_eq!(violated(&[&chain([0, 2, 1])]), ["clk.consistency", "clk.strong"]);
    // A second copy of a message is an event, too.
    let again = receives(P2, 2, at_vector(P2, [1, 2, 2]));
    assert_eq!(violated(&[&chain([1, 2, 1]), &again]), NONE);
    let again = receives(P2, 2, at_vector(P2, [1, 2, 1]));
    assert_eq!(violated(&[&chain([1, 2, 1]), &again]), ["clk.consistency", "clk.strong"]);
}

#[test]
fn times_of_concurrent_events_must_not_be_comparable() {
    let two = |first, second| [works(P0), first, works(P1), second];
    assert_eq!(violated(&[&two(at_vector(P0, [1, 0, 0]), at_vector(P1, [0, 1, 0]))]), NONE);
    assert_eq!(violated(&[&two(at(P0, 1), at(P1, 1))]), NONE);
    for (first, second) in [(1, 2), (2, 1)] {
        assert_eq!(violated(&[&two(at(P0, first), at(P1, second))]), ["clk.strong"]);
    }
    let earlier = two(at_vector(P0, [1, 0, 0]), at_vector(P1, [1, 1, 0]));
    assert_eq!(violated(&[&earlier]), ["clk.strong"]);
    // The later one of two events of p0, and only that one, is in its way.
    let own = [works(P0), at_vector(P0, [1, 0, 0]), works(P0), at_vector(P0, [2, 2, 0])];
    assert_eq!(violated(&[&own, &[works(P1), at_vector(P1, [0, 1, 0])]]), ["clk.strong"]);
}

#[test]
fn times_of_different_kinds_or_lengths_are_not_ordered() {
    let scalar = Timestamp::Scalar(1);
    let vector = |times: &[u64]| Timestamp::Vector(times.to_vec());
    assert!(vector(&[1, 2]).is_before(&vector(&[1, 3])));
    assert!(!vector(&[1, 2]).is_before(&vector(&[1, 2])));
    assert!(!vector(&[1, 2]).is_before(&vector(&[2, 1])));
    assert!(!vector(&[1, 2]).is_before(&vector(&[1, 2, 3])));
    assert!(!scalar.is_before(&vector(&[2])) && !vector(&[0]).is_before(&scalar));
}

#[test]
fn a_time_without_an_event_says_nothing() {
    assert_eq!(violated(&[&[at(P0, 5), works(P0), at(P0, 1)]]), NONE);
    assert_eq!(violated(&[&[works(P0), at(P0, 1), at(P0, 0), works(P0), at(P0, 2)]]), NONE);
}

#[derive(Clone, Debug, Hash)]
struct Silent;

impl Answers for Silent {
    type Spec = Clocks;
}

#[test]
fn clients_ask_each_process_as_often_as_they_are_told() {
    let asked =
        |n: u32, workload: &str| requests(&Bench::of::<Stub<Silent>>(n).workload(workload).run(1));
    assert_eq!(asked(3, r#"{"events": 4}"#).len(), 12);
    let works = asked(2, r#"{"actors": ["p1"], "events": 2, "sends": 0.0, "every": "5ms"}"#);
    assert_eq!(works, ["5ms p1 Work", "10ms p1 Work"]);
    let sends = asked(2, r#"{"actors": ["p1"], "events": 1, "sends": 1.0, "every": "5ms"}"#);
    assert_eq!(sends, ["5ms p1 Send(p0)"]);
    // There is nobody to send to.
    assert_eq!(asked(1, r#"{"events": 1, "sends": 1.0, "every": "5ms"}"#), ["5ms p0 Work"]);
    let refused = |json: &str| Bench::of::<Stub<Silent>>(2).workload(json).refused().is_some();
    assert!(refused(r#"{"sends": 1.5}"#) && refused(r#"{"actors": ["p2"]}"#));
    assert!(refused(r#"{"events": 4000000000}"#) && !refused("{}"));
}
