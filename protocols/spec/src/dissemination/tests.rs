use super::*;
use ftsim_core::Verdict;
use ftsim_core::bench::history::{Act, check, judge};

const P0: ProcessId = ProcessId(0);
const P1: ProcessId = ProcessId(1);
const NONE: [&str; 0] = [];

fn bcast(p: ProcessId, number: u64) -> Act<Dissemination> {
    Act::Request(p, Request::Broadcast(number))
}

fn deliver(p: u32, sender: ProcessId, number: u64) -> Act<Dissemination> {
    Act::Indicate(ProcessId(p), Indication::Deliver { sender, number })
}

fn promise(p: ProcessId, share: f64) -> Act<Dissemination> {
    Act::Indicate(p, Indication::Reaches(Share::new(share).expect("a share")))
}

/// p0 promises to reach this share of four processes, and reaches the first `reached`.
fn spread(share: f64, reached: u32) -> Vec<Act<Dissemination>> {
    let delivered = (0..reached).map(|p| deliver(p, P0, 1));
    [promise(P0, share), bcast(P0, 1)].into_iter().chain(delivered).collect()
}

#[test]
fn a_history_in_which_all_deliver_once_is_good() {
    let verdicts = judge(&Setting::of(4), &spread(1.0, 4), true);
    assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Held), "{verdicts:?}");
}

#[test]
fn where_nobody_broadcasts_all_properties_hold_vacuously() {
    let verdicts = judge::<Dissemination>(&Setting::of(2), &[], true);
    let idle = |(_, verdict): &(_, Verdict)| *verdict == Verdict::HeldVacuously;
    assert!(verdicts.iter().all(idle), "{verdicts:?}");
}

#[test]
fn each_property_refuses_its_bad_history() {
    let twice = [bcast(P0, 1), deliver(0, P0, 1), deliver(0, P0, 1)];
    assert_eq!(check(1, &twice), ["rb.no-duplication"]);
    assert_eq!(check(2, &[deliver(0, P1, 1), deliver(1, P1, 1)]), ["rb.no-creation"]);
    assert_eq!(check(4, &spread(0.75, 2)), ["gossip.coverage", "rb.agreement"]);
    assert_eq!(check(4, &spread(0.75, 0)), ["gossip.coverage"]);
}

#[test]
fn exactly_the_promised_share_is_enough_and_one_process_less_is_not() {
    for (share, reached) in [(0.25, 1), (0.5, 2), (0.75, 3), (0.74, 3), (0.76, 4), (1.0, 4)] {
        assert_eq!(check(4, &spread(share, 4)), NONE);
        let enough = check(4, &spread(share, reached));
        assert!(!enough.contains(&"gossip.coverage"), "{share} of 4 is {reached}");
        let too_few = check(4, &spread(share, reached - 1));
        assert!(too_few.contains(&"gossip.coverage"), "{share} of 4 is more than {reached} - 1");
    }
}

#[test]
fn the_share_is_of_correct_processes_and_owed_by_correct_senders() {
    // p3, which was not reached, crashes: the three others are all.
    let mut faulty_missed = spread(1.0, 3);
    faulty_missed.push(Act::Crash(ProcessId(3)));
    assert_eq!(check(4, &faulty_missed), NONE);
    // p1, which was reached, crashes: it does not count.
    let mut faulty_reached = spread(0.5, 2);
    faulty_reached.push(Act::Crash(P1));
    assert_eq!(check(4, &faulty_reached), ["gossip.coverage", "rb.agreement"]);
    // A sender that crashes owes nothing, and agreement concerns those that it has reached.
    let mut sender_crashes = spread(1.0, 1);
    sender_crashes.push(Act::Crash(P0));
    assert_eq!(check(4, &sender_crashes), NONE);
    let mut too_late = spread(1.0, 2);
    too_late.push(Act::Crash(P0));
    assert_eq!(check(4, &too_late), ["rb.agreement"]);
}

#[test]
fn a_sender_that_promises_nothing_owes_nothing() {
    let silent = [bcast(P0, 1), deliver(0, P0, 1), deliver(1, P0, 1)];
    let mut verdicts = judge(&Setting::of(2), &silent, true);
    verdicts.retain(|(_, verdict)| *verdict != Verdict::Held);
    assert_eq!(verdicts, [("gossip.coverage", Verdict::HeldVacuously)]);
}

#[test]
fn absurd_content_is_judged_not_obeyed() {
    let absurd = [deliver(0, ProcessId(u32::MAX), u64::MAX)];
    assert_eq!(check(2, &absurd), ["rb.no-creation", "rb.agreement"]);
}

#[test]
fn a_share_is_from_nothing_to_all() {
    assert_eq!([-0.1, 1.1, f64::NAN].map(Share::new), [None; 3]);
    let shown = [0.0, 0.9, 0.123, 1.0].map(|s| Share::new(s).expect("a share").to_string());
    assert_eq!(shown, ["0 %", "90 %", "12.3 %", "100 %"]);
}

#[test]
fn the_workload_refuses_strangers_and_more_than_a_run_can_hold() {
    let refused = |senders: &[ProcessId], broadcasts| {
        let settings =
            DisseminationWorkload { senders: senders.to_vec(), broadcasts, ..Default::default() };
        Dissemination::workload(&settings, &Setting::of(2)).err().map(|invalid| invalid.key)
    };
    assert_eq!(refused(&[P1], 1), None);
    assert_eq!(refused(&[ProcessId(2)], 1).as_deref(), Some("senders"));
    assert_eq!(refused(&[P0, P1], 500_001).as_deref(), Some("broadcasts"));
}
