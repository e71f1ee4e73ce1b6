//! Byzantine broadcast, on histories written by hand.

use ftsim_core::bench::history::{Act, check, judge};
use ftsim_core::{Bench, Verdict};

use super::*;
use crate::stub::{Answers, Stub, requests};

const P0: ProcessId = ProcessId(0);
const P1: ProcessId = ProcessId(1);
const P2: ProcessId = ProcessId(2);
const NOTHING: [&str; 0] = [];

fn broadcasts(p: ProcessId, number: u64, content: u64) -> Act<ByzantineBroadcast> {
    Act::Request(p, Request::Broadcast { number, content })
}

/// Message 0 of `sender` is delivered with this content.
fn delivers(p: ProcessId, sender: ProcessId, content: u64) -> Act<ByzantineBroadcast> {
    Act::Indicate(p, Indication::Deliver { sender, number: 0, content })
}

#[test]
fn what_all_deliver_as_it_was_broadcast_is_good() {
    let good = [broadcasts(P0, 0, 7), delivers(P0, P0, 7), delivers(P1, P0, 7)];
    assert_eq!(check(2, &good), NOTHING);
    let judged = judge(&Setting::of(2), &good, true);
    assert!(judged.into_iter().all(|(_, verdict)| verdict == Verdict::Held));
    let idle = judge::<ByzantineBroadcast>(&Setting::of(2), &[], true);
    assert!(idle.into_iter().all(|(_, verdict)| verdict == Verdict::HeldVacuously));
}

#[test]
fn each_property_refuses_its_bad_history() {
    assert_eq!(check(2, &[broadcasts(P0, 0, 7)]), ["beb.validity"]);
    let one = [broadcasts(P0, 0, 7), delivers(P0, P0, 7)];
    assert_eq!(check(2, &one), ["beb.validity", "brb.totality"]);
    let twice = [&one[..], &[delivers(P1, P0, 7), delivers(P1, P0, 7)]].concat();
    assert_eq!(check(2, &twice), ["rb.no-duplication"]);
    let both = [delivers(P0, P1, 7), delivers(P1, P1, 7)];
    assert_eq!(check(2, &both), ["rb.no-creation"]);
    let wrong = [&one[..], &[delivers(P1, P0, 8)]].concat();
    assert_eq!(check(2, &wrong), ["rb.no-creation", "brb.consistency"]);
}

#[test]
fn a_second_content_is_a_duplicate() {
    let both = [
        broadcasts(P0, 0, 7),
        delivers(P0, P0, 7),
        delivers(P1, P0, 7),
        delivers(P1, P0, 8),
        Act::Crash(P0),
    ];
    assert_eq!(check(2, &both), ["rb.no-duplication", "brb.consistency"]);
}

#[test]
fn of_a_faulty_sender_only_one_content_is_delivered_by_all_or_none() {
    let liar = |more: &[Act<ByzantineBroadcast>]| check(3, &[&[Act::Crash(P0)], more].concat());
    assert_eq!(liar(&[delivers(P1, P0, 8), delivers(P2, P0, 8)]), NOTHING);
    assert_eq!(liar(&[delivers(P1, P0, 8), delivers(P2, P0, 9)]), ["brb.consistency"]);
    assert_eq!(liar(&[delivers(P1, P0, 8)]), ["brb.totality"]);
    assert_eq!(liar(&[]), NOTHING);
}

#[test]
fn deliveries_of_the_faulty_do_not_count() {
    let history = [
        broadcasts(P1, 0, 7),
        delivers(P0, P1, 9),
        delivers(P1, P1, 7),
        delivers(P2, P1, 7),
        delivers(P0, P0, 9),
        Act::Crash(P0),
    ];
    assert_eq!(check(3, &history), NOTHING);
}

#[test]
fn messages_of_one_sender_are_told_apart_by_their_numbers() {
    let second = |p| Act::Indicate(p, Indication::Deliver { sender: P0, number: 1, content: 8 });
    let history = [
        broadcasts(P0, 0, 7),
        broadcasts(P0, 1, 8),
        delivers(P0, P0, 7),
        delivers(P1, P0, 7),
        second(P0),
        second(P1),
    ];
    assert_eq!(check(2, &history), NOTHING);
    assert_eq!(check(2, &history[..5]), ["beb.validity", "brb.totality"]);
}

#[test]
fn absurd_content_is_judged_not_obeyed() {
    let (sender, number, content) = (ProcessId(u32::MAX), u64::MAX, u64::MAX);
    let absurd = Act::Indicate(P0, Indication::Deliver { sender, number, content });
    assert_eq!(check::<ByzantineBroadcast>(2, &[absurd]), ["brb.totality"]);
}

/// Delivers nothing.
#[derive(Clone, Debug, Hash)]
struct Mute;

impl Answers for Mute {
    type Spec = ByzantineBroadcast;
}

#[test]
fn each_sender_broadcasts_its_messages_at_fixed_times() {
    let workload = r#"{"senders": ["p0", "p2"], "broadcasts": 2, "every": "5ms", "draw_below": 1}"#;
    let expected = [
        "0s p0 Broadcast { number: 0, content: 0 }",
        "0s p2 Broadcast { number: 0, content: 0 }",
        "5ms p0 Broadcast { number: 1, content: 0 }",
        "5ms p2 Broadcast { number: 1, content: 0 }",
    ];
    let requested = |workload| requests(&Bench::of::<Stub<Mute>>(3).workload(workload).run(1));
    assert_eq!(requested(workload), expected);
    assert_eq!(requested(r#"{"broadcasts": 0}"#), NOTHING);
    assert_eq!(requested("{}").len(), 3);
}

#[test]
fn the_workload_refuses_strangers_no_content_and_more_than_a_run_can_hold() {
    let refused = |senders: &[ProcessId], broadcasts, draw_below| {
        let settings = ByzantineBroadcastWorkload {
            senders: senders.to_vec(),
            broadcasts,
            draw_below,
            ..Default::default()
        };
        ByzantineBroadcast::workload(&settings, &Setting::of(2)).err().map(|invalid| invalid.key)
    };
    assert_eq!(refused(&[P1], 1, 1), None);
    assert_eq!(refused(&[P1, P2], 1, 1).as_deref(), Some("senders"));
    assert_eq!(refused(&[P1], 1, 0).as_deref(), Some("draw_below"));
    assert_eq!(refused(&[], 500_001, 1).as_deref(), Some("broadcasts"));
}

#[test]
fn a_broadcast_is_answered_when_its_own_sender_delivers_it() {
    let asked = ByzantineBroadcast::operation(P1, &Request::Broadcast { number: 3, content: 0 });
    let answered = |p, sender, number| {
        let delivered = Indication::Deliver { sender, number, content: 1 };
        ByzantineBroadcast::answers(p, &delivered).next()
    };
    assert_eq!(answered(P1, P1, 3), asked);
    assert_ne!(answered(P1, P1, 4), asked);
    assert_eq!(answered(P0, P1, 3), None);
}

#[test]
fn a_delivery_is_told_with_its_content() {
    let told =
        ByzantineBroadcast::phrase(&Indication::Deliver { sender: P1, number: 2, content: 5 });
    assert_eq!(told.as_deref(), Some("delivers 5 as message 2 of p1"));
}
