//! The properties of elections, on histories written by hand.

use ftsim_core::bench::history::{Act, check};
use ftsim_core::{Duration, ProcessId};

use super::{Election, Indication, Request};
use crate::stub::{Answers, Stub, down, requests};

const P0: ProcessId = ProcessId(0);
const P1: ProcessId = ProcessId(1);
const P2: ProcessId = ProcessId(2);
const NONE: [&str; 0] = [];

type Event = Act<Election>;

fn asked(p: ProcessId) -> Event {
    Act::Request(p, Request::Elect)
}

fn leads(p: ProcessId) -> Event {
    Act::Indicate(p, Indication::Leads)
}

fn follows(p: ProcessId, id: u64) -> Event {
    Act::Indicate(p, Indication::Follows(id))
}

fn has_id(p: ProcessId, id: u64) -> Event {
    Act::Indicate(p, Indication::HasId(id))
}

/// Events that no property minds: time passes.
fn pause(ms: usize) -> Vec<Event> {
    vec![has_id(P0, 0); ms]
}

fn violated(parts: &[&[Event]]) -> Vec<&'static str> {
    check(3, &parts.concat())
}

/// All learn that P2 leads.
fn election() -> [Event; 3] {
    [leads(P2), follows(P0, 2), follows(P1, 2)]
}

#[test]
fn the_greatest_is_elected_and_all_learn_it() {
    assert_eq!(violated(&[&[asked(P0)], &election()]), NONE);
    assert_eq!(violated(&[&[asked(P0)], &election(), &[asked(P1)], &election()]), NONE);
    // Others may learn it before the leader itself.
    assert_eq!(violated(&[&[asked(P0), follows(P0, 2), leads(P2), follows(P1, 2)]]), NONE);
    assert_eq!(violated(&[]), NONE);
}

#[test]
fn ids_need_not_be_numbers_of_processes() {
    let ids = [has_id(P0, 70), has_id(P1, 30), has_id(P2, 50)];
    let first = [leads(P0), follows(P1, 70), follows(P2, 70)];
    assert_eq!(violated(&[&ids, &[asked(P1)], &first]), NONE);
    let last = [leads(P2), follows(P0, 50), follows(P1, 50)];
    assert_eq!(violated(&[&ids, &[asked(P1)], &last]), ["el.max"]);
    // An id that nobody has.
    let nobody = [follows(P0, 99), follows(P1, 99), follows(P2, 99)];
    assert_eq!(violated(&[&ids, &nobody]), ["el.max"]);
}

#[test]
fn two_processes_do_not_lead_at_once() {
    // A lesser one never begins while a greater one leads, ..
    let lesser = [leads(P2), leads(P1), follows(P1, 2)];
    assert_eq!(violated(&[&lesser]), ["el.one-leader", "el.agreement", "el.max"]);
    // .. and has 10 ms to step down when a greater one begins.
    let recovers = [Act::Crash(P2), leads(P1), Act::Recover(P2), leads(P2)];
    let overlap = |ms| violated(&[&recovers, &pause(ms), &[follows(P1, 2)]]);
    assert_eq!((overlap(9), overlap(10)), (NONE.to_vec(), vec!["el.one-leader"]));
    assert_eq!(violated(&[&recovers]), ["el.one-leader"]);
    assert_eq!(violated(&[&recovers, &[Act::Crash(P1)]]), NONE);
    // Not if both have the same id.
    let ids = [has_id(P1, 7), has_id(P2, 7)];
    assert_eq!(violated(&[&ids, &[leads(P1), leads(P2), follows(P1, 7)]]), ["el.one-leader"]);
}

#[test]
fn two_names_for_leaders_that_are_both_up_are_one_too_many() {
    let apart = [follows(P0, 1), follows(P1, 2)];
    assert_eq!(violated(&[&apart]), ["el.agreement", "el.max"]);
    // One process that changes its mind.
    assert_eq!(violated(&[&[follows(P0, 1), follows(P0, 2)]]), ["el.agreement", "el.max"]);
    // The first leader has crashed, or the one who named it.
    assert_eq!(violated(&[&[follows(P0, 2), Act::Crash(P2), follows(P0, 1)]]), NONE);
    assert_eq!(violated(&[&[follows(P0, 1), Act::Crash(P0), follows(P1, 2)]]), ["el.max"]);
    // The second leader was down when the first was named.
    let late = [Act::Crash(P2), follows(P0, 1), Act::Recover(P2), follows(P0, 2)];
    assert_eq!(violated(&[&late]), NONE);
}

#[test]
fn who_has_just_recovered_may_be_overlooked() {
    let joins = [Act::Indicate(P0, Indication::JoinsWithin(Duration::from_millis(5)))];
    let recovered = [Act::Crash(P2), Act::Recover(P2)];
    // P2 is up at 2 ms, and named at 3 ms + `ms`.
    let named = |ms| violated(&[&joins, &recovered, &pause(ms), &[follows(P0, 1)]]);
    assert_eq!((named(4), named(5)), (NONE.to_vec(), vec!["el.max"]));
    // Without the promise it counts at once.
    assert_eq!(violated(&[&recovered, &[follows(P0, 1)]]), ["el.max"]);
}

#[test]
fn who_has_not_started_is_not_up() {
    let late = [Act::Absent(P2), asked(P0), leads(P1), follows(P0, 1)];
    assert_eq!(violated(&[&late]), NONE);
    // P2 has the greatest id from the moment on at which it starts.
    let starts = [Act::Start(P2)];
    assert_eq!(violated(&[&late, &starts]), NONE);
    assert_eq!(violated(&[&late, &starts, &[follows(P0, 1)]]), ["el.max"]);
    assert_eq!(violated(&[&late, &starts, &[leads(P2), follows(P0, 2), follows(P1, 2)]]), NONE);
    // It leads late, and may be overlooked at first, as if it had recovered.
    let joins = [Act::Indicate(P0, Indication::JoinsWithin(Duration::from_millis(5)))];
    let named = |ms| violated(&[&joins, &late, &starts, &pause(ms), &[follows(P0, 1)]]);
    assert_eq!((named(4), named(5)), (NONE.to_vec(), vec!["el.max"]));
    // Once it is asked, all must learn of a leader, itself included.
    let again = [asked(P2), follows(P0, 1)];
    assert!(violated(&[&late, &starts, &again]).contains(&"el.termination"));
}

#[test]
fn who_is_asked_learns_of_a_leader() {
    assert_eq!(violated(&[&[asked(P0)]]), ["el.termination"]);
    assert_eq!(violated(&[&election(), &[asked(P0)]]), ["el.termination"]);
    assert_eq!(violated(&[&election(), &[asked(P0), follows(P0, 2)]]), NONE);
    assert_eq!(violated(&[&[asked(P0), Act::Crash(P0)]]), NONE);
    // The crash of another is no excuse.
    assert_eq!(violated(&[&[asked(P0), Act::Crash(P2)]]), ["el.termination"]);
}

#[test]
fn all_learn_of_one_that_leads_if_nobody_crashes_any_more() {
    let [leader, one, other] = election();
    assert_eq!(violated(&[&[asked(P0), leader.clone(), one.clone()]]), ["el.termination"]);
    assert_eq!(violated(&[&[asked(P0), one.clone(), other.clone()]]), ["el.termination"]);
    assert_eq!(violated(&[&[asked(P0), leader.clone(), one, Act::Crash(P1)]]), NONE);
    // P0 was asked, and P2 crashed only afterwards: nobody has noticed.
    assert_eq!(violated(&[&[asked(P0)], &election(), &[Act::Crash(P2)]]), ["el.succession"]);
    let asked_again = |ms, learnt: &[Event]| {
        let crash = [&[Act::Crash(P2)], &pause(ms)[..], &[asked(P0)]].concat();
        violated(&[&[asked(P0)], &election(), &crash, learnt])
    };
    assert_eq!(asked_again(10, &[leads(P1), follows(P0, 1)]), NONE);
    let both = ["el.termination", "el.succession"];
    assert_eq!(asked_again(10, &[follows(P0, 2)]), both);
    // This may be the last announcement of P2, which was still on its way.
    assert_eq!(asked_again(9, &[follows(P0, 2)]), ["el.succession"]);
    // Without a request nobody has to learn anything.
    assert_eq!(violated(&[&[leader]]), NONE);
}

#[test]
fn nobody_follows_the_dead_for_ever() {
    let vacant = [&election()[..], &[Act::Crash(P2)]].concat();
    assert_eq!(violated(&[&vacant]), ["el.succession"]);
    assert_eq!(violated(&[&vacant, &[leads(P1), follows(P0, 1)]]), NONE);
    assert_eq!(violated(&[&vacant, &[leads(P1)]]), ["el.succession"]);
    assert_eq!(violated(&[&vacant, &[Act::Recover(P2)]]), NONE);
}

/// Nobody ever answers.
#[derive(Clone, Debug, Hash)]
struct Silent;

impl Answers for Silent {
    type Spec = Election;
}

#[test]
fn clients_ask_as_often_as_they_should_whether_their_process_is_up_or_not() {
    let bench = ftsim_core::Bench::of::<Stub<Silent>>(2)
        .workload(r#"{"initiators": ["p1"], "elections": 3, "at": "5ms", "every": "10ms"}"#);
    assert_eq!(requests(&bench.run(1)), ["5ms p1 Elect", "15ms p1 Elect", "25ms p1 Elect"]);
    assert_eq!(requests(&down(bench, 1, 10, 20).run(1)), ["5ms p1 Elect", "25ms p1 Elect"]);
    let all = ftsim_core::Bench::of::<Stub<Silent>>(3);
    assert!((0..20).all(|seed| requests(&all.run(seed)).len() == 3));
}

#[test]
fn a_stranger_or_too_many_elections_are_refused() {
    for wrong in [r#"{"initiators": ["p9"]}"#, r#"{"elections": 1000000}"#] {
        let bench = ftsim_core::Bench::of::<Stub<Silent>>(3).workload(wrong);
        assert!(bench.refused().is_some(), "{wrong}");
    }
}
