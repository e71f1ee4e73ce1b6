//! The properties of groups that serve, on histories written by hand, and the clients.

use ftsim_core::bench::history::{Act, check};
use ftsim_core::{Bench, ProcessId};

use super::{CLIENT, Indication, MEMBER, ProcessGroup, Request, answer};
use crate::election;
use crate::stub::{Answers, Stub, requests};

const P0: ProcessId = ProcessId(0);
const P1: ProcessId = ProcessId(1);
const P2: ProcessId = ProcessId(2);
const NONE: [&str; 0] = [];

type Event = Act<ProcessGroup>;

fn asks(number: u64) -> Event {
    Act::Request(P0, Request::Ask { number, question: 7 })
}

fn is_answered(number: u64, value: u64) -> Event {
    Act::Indicate(P0, Indication::Answer { number, value })
}

fn says(p: ProcessId, what: election::Indication) -> Event {
    Act::Indicate(p, Indication::Election(what))
}

#[test]
fn a_client_that_is_up_is_answered() {
    assert_eq!(check(3, &[asks(1), is_answered(1, 49)]), NONE);
    assert_eq!(check(3, &[asks(1)]), ["smr.liveness"]);
    assert_eq!(check(3, &[asks(1), is_answered(1, 49), asks(2)]), ["smr.liveness"]);
    assert_eq!(check(3, &[asks(1), Act::Crash(P0)]), NONE);
    assert_eq!(check(3, &[asks(1), Act::Crash(P1)]), ["smr.liveness"]);
}

#[test]
fn answers_are_right_and_asked_for() {
    assert_eq!(check(3, &[asks(1), is_answered(1, 50)]), ["mask.correct-output"]);
    assert_eq!(check(3, &[is_answered(1, 49)]), ["mask.correct-output"]);
    // Whether the client is correct is known at the end.
    assert_eq!(check(3, &[asks(1), is_answered(1, 50), Act::Crash(P0)]), NONE);
    // A second answer to one question counts too.
    let again = [asks(1), is_answered(1, 49), is_answered(1, 50)];
    assert_eq!(check(3, &again), ["mask.correct-output"]);
}

#[test]
fn one_member_leads() {
    use election::Indication::{Follows, Leads};
    let two = [says(P2, Leads), says(P1, Leads)];
    assert_eq!(check(3, &two), ["el.one-leader"]);
    let after = [says(P2, Leads), Act::Crash(P2), says(P1, Leads)];
    assert_eq!(check(3, &after), NONE);
    assert_eq!(check(3, &[says(P1, Leads), says(P2, Leads), says(P1, Follows(2))]), NONE);
}

/// Every question is answered at once.
#[derive(Clone, Debug, Hash)]
struct Quick;

impl Answers for Quick {
    type Spec = ProcessGroup;
    const ROLES: &'static [&'static str] = &[CLIENT, MEMBER];

    fn to(_: ProcessId, Request::Ask { number, question }: &Request) -> Vec<Indication> {
        vec![Indication::Answer { number: *number, value: answer(*question) }]
    }
}

#[test]
fn a_client_asks_one_question_after_another() {
    let workload = r#"{"questions": 2, "think": "5ms"}"#;
    let bench = Bench::with_roles::<Stub<Quick>>(&[(CLIENT, 2), (MEMBER, 1)]).workload(workload);
    let run = bench.run(1);
    let of = |text: &String| text.split(" {").next().unwrap_or_default().to_owned();
    let asked: Vec<_> = requests(&run).iter().map(of).collect();
    assert_eq!(asked, ["5ms p0 Ask", "5ms p1 Ask", "10ms p0 Ask", "10ms p1 Ask"]);
    assert_eq!(run.violated(), NONE);
}

#[test]
fn too_many_questions_and_groups_without_members_are_refused() {
    let bench = |members| Bench::with_roles::<Stub<Quick>>(&[(CLIENT, 2), (MEMBER, members)]);
    assert!(bench(1).workload(r#"{"questions": 1000000}"#).refused().is_some());
    assert!(bench(0).refused().is_some());
    assert!(bench(1).refused().is_none());
}
