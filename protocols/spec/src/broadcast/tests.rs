use super::*;
use crate::stub::{Answers, Stub, requests};
use ftsim_core::bench::history::{Act, check, judge};
use ftsim_core::{Bench, Verdict};

const P0: ProcessId = ProcessId(0);
const P1: ProcessId = ProcessId(1);
const P2: ProcessId = ProcessId(2);

fn bcast(p: ProcessId, number: u64) -> Act<Broadcast> {
    Act::Request(p, Request::Broadcast(number))
}

fn deliver(p: ProcessId, sender: ProcessId, number: u64) -> Act<Broadcast> {
    Act::Indicate(p, Indication::Deliver { sender, number })
}

#[test]
fn a_history_in_which_all_deliver_once_is_good() {
    let good = [bcast(P0, 1), deliver(P0, P0, 1), deliver(P1, P0, 1)];
    assert_eq!(check(2, &good), [] as [&str; 0]);
    let mut verdicts = judge(&Setting::of(2), &good, true);
    // There is no order of one message.
    verdicts.retain(|(id, _)| id.starts_with("beb.") || id.starts_with("rb."));
    assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Held), "{verdicts:?}");
}

#[test]
fn where_nobody_broadcasts_or_delivers_all_properties_hold_vacuously() {
    let verdicts = judge::<Broadcast>(&Setting::of(2), &[], true);
    let idle = |(_, verdict): &(_, Verdict)| *verdict == Verdict::HeldVacuously;
    assert!(verdicts.iter().all(idle), "{verdicts:?}");
}

#[test]
fn each_property_refuses_its_bad_history() {
    assert_eq!(check(2, &[bcast(P0, 1)]), ["beb.validity", "rb.validity"]);
    let twice = [bcast(P0, 1), deliver(P0, P0, 1), deliver(P1, P0, 1), deliver(P1, P0, 1)];
    assert_eq!(check(2, &twice), ["rb.no-duplication"]);
    assert_eq!(check(2, &[deliver(P0, P1, 1), deliver(P1, P1, 1)]), ["rb.no-creation"]);
    let forgotten = [bcast(P0, 1), deliver(P0, P0, 1)];
    assert_eq!(check(2, &forgotten), ["beb.validity", "rb.agreement", "rb.uniform-agreement"]);
    let unsent = [bcast(P0, 1), deliver(P1, P0, 1)];
    assert_eq!(
        check(2, &unsent),
        ["beb.validity", "rb.validity", "rb.agreement", "rb.uniform-agreement"]
    );
}

#[test]
fn best_effort_is_owed_between_correct_processes_alone() {
    let delivered = || [bcast(P0, 1), deliver(P0, P0, 1)];
    let receiver_dies: Vec<_> = delivered().into_iter().chain([Act::Crash(P1)]).collect();
    assert_eq!(check(2, &receiver_dies), [] as [&str; 0]);
    let sender_dies: Vec<_> = delivered().into_iter().chain([Act::Crash(P0)]).collect();
    assert_eq!(check(2, &sender_dies), ["rb.uniform-agreement"]);
}

#[test]
fn what_only_a_faulty_process_delivered_obliges_nobody_but_under_uniformity() {
    let dies = [bcast(P0, 1), deliver(P0, P0, 1), Act::Crash(P0)];
    assert_eq!(check(2, &dies), ["rb.uniform-agreement"]);
}

#[test]
fn what_faulty_processes_do_obliges_nobody_and_is_vacuous() {
    let dies = [bcast(P0, 1), deliver(P0, P0, 1), Act::Crash(P0)];
    let mut verdicts = judge(&Setting::of(2), &dies, true);
    verdicts.retain(|(id, _)| id.starts_with("beb.") || id.starts_with("rb."));
    let vacuous = verdicts.iter().filter(|(_, v)| *v == Verdict::HeldVacuously);
    let vacuous: Vec<_> = vacuous.map(|(id, _)| *id).collect();
    assert_eq!(vacuous, ["beb.validity", "rb.validity", "rb.agreement"]);
}

#[test]
fn absurd_content_is_judged_not_obeyed() {
    let absurd = [deliver(P0, ProcessId(u32::MAX), u64::MAX)];
    let expected = ["rb.no-creation", "rb.agreement", "rb.uniform-agreement"];
    assert_eq!(check(2, &absurd), expected);
}

/// Delivers nothing.
#[derive(Clone, Debug, Hash)]
struct Mute;

impl Answers for Mute {
    type Spec = Broadcast;
}

fn requested(n: u32, workload: &str) -> Vec<String> {
    requests(&Bench::of::<Stub<Mute>>(n).workload(workload).run(1))
}

#[test]
fn each_sender_broadcasts_its_messages_at_fixed_times() {
    assert_eq!(requested(2, "{}"), ["0s p0 Broadcast(0)", "0s p1 Broadcast(0)"]);
    let two = requested(3, r#"{"senders": ["p0", "p2"], "broadcasts": 3, "every": "5ms"}"#);
    let expected = [
        "0s p0 Broadcast(0)",
        "0s p2 Broadcast(0)",
        "5ms p0 Broadcast(1)",
        "5ms p2 Broadcast(1)",
        "10ms p0 Broadcast(2)",
        "10ms p2 Broadcast(2)",
    ];
    assert_eq!(two, expected);
    assert_eq!(requested(3, r#"{"broadcasts": 0}"#), [] as [&str; 0]);
}

#[test]
fn the_workload_refuses_strangers_and_more_than_a_run_can_hold() {
    let refused = |senders: &[ProcessId], broadcasts| {
        let settings =
            BroadcastWorkload { senders: senders.to_vec(), broadcasts, ..Default::default() };
        Broadcast::workload(&settings, &Setting::of(2)).err().map(|invalid| invalid.key)
    };
    assert_eq!(refused(&[P1], 1), None);
    assert_eq!(refused(&[P1, P2], 1).as_deref(), Some("senders"));
    // A run holds a million requests.
    assert_eq!(refused(&[P1], 1_000_000), None);
    assert_eq!(refused(&[P1], 1_000_001).as_deref(), Some("broadcasts"));
    assert_eq!(refused(&[], 500_000), None);
    assert_eq!(refused(&[], 500_001).as_deref(), Some("broadcasts"));
}

#[test]
fn a_broadcast_is_answered_when_its_own_sender_delivers_it() {
    let asked = Broadcast::operation(P1, &Request::Broadcast(3)).expect("an operation");
    let answered = |p, sender, number| {
        Broadcast::answers(p, &Indication::Deliver { sender, number }).collect::<Vec<_>>()
    };
    assert_eq!(answered(P1, P1, 3), [asked]);
    assert_ne!(answered(P1, P1, 4), [asked]);
    assert_ne!(answered(P0, P0, 3), [asked]);
    assert_eq!(answered(P0, P1, 3), []);
    assert_eq!(answered(P1, P0, 3), []);
}
