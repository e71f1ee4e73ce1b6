//! The properties of mutual exclusion, on histories written by hand.

use ftsim_core::bench::history::{Act, check, judge};
use ftsim_core::{ProcessId, Setting, Verdict};

use super::{Indication, MutualExclusion, Request};
use crate::stub::{Answers, Stub, requests};

const P0: ProcessId = ProcessId(0);
const P1: ProcessId = ProcessId(1);
const P2: ProcessId = ProcessId(2);
const NONE: [&str; 0] = [];

type Event = Act<MutualExclusion>;

fn wants(p: ProcessId, number: u64) -> Event {
    Act::Request(p, Request::Enter(number))
}

fn enters(p: ProcessId, number: u64) -> Event {
    Act::Indicate(p, Indication::Entered(number))
}

fn exit(p: ProcessId, number: u64) -> Event {
    Act::Request(p, Request::Exit(number))
}

fn exits(p: ProcessId, number: u64) -> Event {
    Act::Indicate(p, Indication::Exited(number))
}

/// All of a visit but the request.
fn visit(p: ProcessId, number: u64) -> [Event; 3] {
    [enters(p, number), exit(p, number), exits(p, number)]
}

fn violated(parts: &[&[Event]]) -> Vec<&'static str> {
    check(3, &parts.concat())
}

#[test]
fn one_after_the_other_is_good() {
    let both = [wants(P0, 1), wants(P1, 1)];
    assert_eq!(violated(&[&both, &visit(P0, 1), &visit(P1, 1)]), NONE);
    let again = [&visit(P1, 1)[..], &[wants(P1, 2)], &visit(P0, 1), &visit(P1, 2)];
    assert_eq!(violated(&[&[&both[..]], &again[..]].concat()), NONE);
    assert_eq!(violated(&[]), NONE);
}

#[test]
fn two_inside_are_one_too_many_unless_one_is_dead() {
    let both = [wants(P0, 1), wants(P1, 1), enters(P0, 1)];
    let second = [enters(P1, 1), exit(P1, 1), exits(P1, 1)];
    let first = [exit(P0, 1), exits(P0, 1)];
    assert_eq!(violated(&[&both, &second, &first]), ["me.exclusion"]);
    assert_eq!(violated(&[&both, &[Act::Crash(P0)], &second]), NONE);
    // Who is asked to leave is inside until it has left.
    assert_eq!(violated(&[&both, &first[..1], &second, &first[1..]]), ["me.exclusion"]);
}

#[test]
fn who_enters_or_leaves_unasked_is_not_well_formed() {
    let good = [wants(P0, 1), enters(P0, 1), exit(P0, 1), exits(P0, 1)];
    assert_eq!(violated(&[&good]), NONE);
    for unasked in [
        vec![enters(P0, 1), exit(P0, 1), exits(P0, 1)],
        vec![wants(P0, 1), enters(P0, 2), exit(P0, 1), exits(P0, 1)],
        vec![wants(P0, 1), enters(P0, 1), exits(P0, 1)],
        vec![wants(P0, 1), enters(P0, 1), exit(P0, 1), exits(P0, 2)],
        [&good[..], &[enters(P0, 1)]].concat(),
        [&good[..], &[exits(P0, 1)]].concat(),
    ] {
        assert!(violated(&[&unasked]).contains(&"me.well-formed"));
    }
}

#[test]
fn who_wants_must_enter_unless_someone_stays_inside() {
    let waits = ["me.progress", "me.starvation-free"];
    assert_eq!(violated(&[&[wants(P0, 1)]]), waits);
    assert_eq!(violated(&[&[wants(P0, 1), wants(P1, 1)], &visit(P0, 1)]), waits);
    // The clients never ask P0 to leave.
    assert_eq!(violated(&[&[wants(P0, 1), wants(P1, 1), enters(P0, 1)]]), NONE);
    // The one who wants is dead, or the one who was inside.
    assert_eq!(violated(&[&[wants(P0, 1), Act::Crash(P0)]]), NONE);
    let orphaned = [wants(P0, 1), wants(P1, 1), enters(P0, 1), Act::Crash(P0)];
    assert_eq!(violated(&[&orphaned]), waits);
    assert_eq!(violated(&[&[wants(P0, 1), enters(P0, 1), exit(P0, 1)]]), ["me.progress"]);
}

#[test]
fn who_is_stuck_is_told_when_somebody_last_entered() {
    let told = |history: &[Event]| {
        let verdicts = judge(&Setting::of(3), history, false);
        let progress = verdicts.into_iter().find(|(id, _)| *id == "me.progress");
        match progress {
            Some((_, Verdict::Violated(violation))) => violation.message,
            other => panic!("{other:?}"),
        }
    };
    let never = "p0 wants to enter, nobody is inside, and nobody has ever entered";
    assert_eq!(told(&[wants(P0, 1)]), never);
    // P1 enters at 2 ms.
    let others = [&[wants(P0, 1), wants(P1, 1)], &visit(P1, 1)[..]].concat();
    let since = "p0 wants to enter, nobody is inside, and nobody has entered since 2ms";
    assert_eq!(told(&others), since);
}

#[test]
fn a_request_that_happened_before_is_granted_before() {
    // P0 asks, and tells P1 or P2 of it, who asks afterwards.
    let knows = [wants(P0, 1), Act::Send(P0, 7), Act::Receive(P1, 7), wants(P1, 1)];
    assert_eq!(violated(&[&knows, &visit(P0, 1), &visit(P1, 1)]), NONE);
    assert_eq!(violated(&[&knows, &visit(P1, 1), &visit(P0, 1)]), ["me.fifo"]);
    let by_p2 = [
        wants(P0, 1),
        Act::Send(P0, 7),
        Act::Receive(P2, 7),
        Act::Send(P2, 8),
        Act::Receive(P1, 8),
        wants(P1, 1),
    ];
    assert_eq!(violated(&[&by_p2, &visit(P1, 1), &visit(P0, 1)]), ["me.fifo"]);
    // Concurrent requests, or a message that comes too late to matter, are in any order.
    let free = [wants(P0, 1), wants(P1, 1)];
    assert_eq!(violated(&[&free, &visit(P1, 1), &visit(P0, 1)]), NONE);
    let late = [wants(P0, 1), Act::Send(P0, 7), wants(P1, 1), Act::Receive(P1, 7)];
    assert_eq!(violated(&[&late, &visit(P1, 1), &visit(P0, 1)]), NONE);
    let early = [Act::Send(P0, 7), wants(P0, 1), Act::Receive(P1, 7), wants(P1, 1)];
    assert_eq!(violated(&[&early, &visit(P1, 1), &visit(P0, 1)]), NONE);
    // The second request of P0 is not its first.
    let second = [
        &[wants(P0, 1)][..],
        &visit(P0, 1),
        &[wants(P0, 2), Act::Send(P0, 7), Act::Receive(P1, 7), wants(P1, 1)],
    ]
    .concat();
    assert_eq!(violated(&[&second, &visit(P1, 1), &visit(P0, 2)]), ["me.fifo"]);
    // Nobody has to wait for the dead.
    assert_eq!(violated(&[&knows, &[Act::Crash(P0)], &visit(P1, 1)]), NONE);
}

fn hears(p: ProcessId, number: u64, ticket: u64) -> Event {
    Act::Indicate(p, Indication::Queued(number, ticket))
}

#[test]
fn requests_are_granted_in_the_order_of_their_tickets() {
    let both = [wants(P0, 1), wants(P1, 1), hears(P0, 1, 4), hears(P1, 1, 5)];
    assert_eq!(violated(&[&both, &visit(P0, 1), &visit(P1, 1)]), NONE);
    assert_eq!(violated(&[&both, &visit(P1, 1), &visit(P0, 1)]), ["me.ticket-order"]);
    // Nobody has to wait for the dead, nor for a ticket that its owner has not heard of.
    assert_eq!(violated(&[&both, &[Act::Crash(P0)], &visit(P1, 1)]), NONE);
    let unheard = [wants(P0, 1), wants(P1, 1), hears(P1, 1, 5)];
    assert_eq!(violated(&[&unheard, &visit(P1, 1), &visit(P0, 1)]), NONE);
    let of_another = [wants(P0, 2), wants(P1, 1), hears(P0, 1, 4), hears(P1, 1, 5)];
    assert_eq!(violated(&[&of_another, &visit(P1, 1), &visit(P0, 2)]), NONE);
    // The first ticket counts, whatever a process hears later.
    let again = [&both[..], &[hears(P0, 1, 9)]].concat();
    assert_eq!(violated(&[&again, &visit(P1, 1), &visit(P0, 1)]), ["me.ticket-order"]);
    // A ticket is good for one visit.
    let next = [&both[..], &visit(P0, 1), &[wants(P0, 2), hears(P0, 2, 6)]].concat();
    assert_eq!(violated(&[&next, &visit(P1, 1), &visit(P0, 2)]), NONE);
    assert_eq!(violated(&[&next, &visit(P0, 2), &visit(P1, 1)]), ["me.ticket-order"]);
}

#[test]
fn a_resource_applies_no_write_with_a_lower_token() {
    let applies = |p, token| Act::Indicate(p, Indication::Applied(token));
    assert_eq!(violated(&[&[applies(P2, 1), applies(P2, 1), applies(P2, 3)]]), NONE);
    assert_eq!(violated(&[&[applies(P2, 3), applies(P1, 1), applies(P2, 3)]]), NONE);
    assert_eq!(violated(&[&[applies(P2, 3), applies(P2, 2)]]), ["me.fenced"]);
}

/// Whoever asks is inside at once.
#[derive(Clone, Debug, Hash)]
struct Open;

impl Answers for Open {
    type Spec = MutualExclusion;

    fn to(_: ProcessId, request: &Request) -> Vec<Indication> {
        vec![match request {
            Request::Enter(number) => Indication::Entered(*number),
            Request::Exit(number) => Indication::Exited(*number),
        }]
    }
}

#[test]
fn clients_enter_as_often_as_they_should_and_stay_as_long() {
    let bench = ftsim_core::Bench::of::<Stub<Open>>(2).workload(
        r#"{"visitors": ["p1"], "entries": 2, "at": "5ms", "stay": "3ms", "think": "10ms"}"#,
    );
    let expected = ["5ms p1 Enter(1)", "8ms p1 Exit(1)", "18ms p1 Enter(2)", "21ms p1 Exit(2)"];
    assert_eq!(requests(&bench.run(1)), expected);
    let all = ftsim_core::Bench::of::<Stub<Open>>(3);
    let times: std::collections::BTreeSet<_> =
        (0..20).map(|seed| requests(&all.run(seed)).len()).collect();
    assert_eq!(times, [3 * 2 * 2].into());
    assert!((0..20).any(|seed| all.run(seed).violated() == ["me.exclusion"]));
}

#[test]
fn a_stranger_or_too_many_entries_are_refused() {
    for wrong in [r#"{"visitors": ["p9"]}"#, r#"{"entries": 1000000}"#] {
        let bench = ftsim_core::Bench::of::<Stub<Open>>(3).workload(wrong);
        assert!(std::panic::catch_unwind(|| bench.run(1)).is_err(), "{wrong}");
    }
}
