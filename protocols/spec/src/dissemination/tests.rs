use super::*;
use ftsim_core::bench::history::{Act, check, judge};
use ftsim_core::{End, EndCause, Instant, Observation, Observed, Property, Verdict};

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

/// What a property measures in a history between these processes, whose event k is at k seconds.
fn measured(
    mut property: impl Property<Dissemination>,
    correct: &[bool],
    history: &[Act<Dissemination>],
) -> Option<f64> {
    let at = |k: usize| Instant::ZERO + Duration::from_secs(k as u64);
    for (k, act) in history.iter().enumerate() {
        let (process, what) = match act {
            Act::Request(p, request) => (*p, Observation::Request(request)),
            Act::Indicate(p, indication) => (*p, Observation::Indication(indication)),
            _ => continue,
        };
        let event = Observed { at: at(k), process, what };
        property.observe(&event).expect("liveness is judged at the end");
    }
    property.measured(&End::new(at(history.len()), EndCause::Quiescent, correct))
}

#[test]
fn coverage_measures_the_mean_share_of_the_correct_processes_promised_or_not() {
    let share = |correct: [bool; 4], history: &[_]| {
        let measured = measured(Coverage::new(&Setting::of(4)), &correct, history);
        measured.map(|share| (share * 100.0).round())
    };
    let half = [bcast(P0, 1), deliver(0, P0, 1), deliver(2, P0, 1), deliver(2, P0, 1)];
    assert_eq!(share([true; 4], &half), Some(50.0));
    assert_eq!(share([true, false, true, true], &half), Some(67.0));
    assert_eq!(share([true; 4], &spread(1.0, 3)), Some(75.0));
    // The message of a faulty process does not count, and that of no process neither.
    assert_eq!(share([false, true, true, true], &half), None);
    assert_eq!(share([true; 4], &[]), None);
    let two = half.into_iter().chain([bcast(P1, 1)]).collect::<Vec<_>>();
    assert_eq!(share([true; 4], &two), Some(25.0));
}

#[test]
fn agreement_measures_the_time_until_the_last_process_is_reached() {
    let time = |correct: &[bool], history: &[_]| {
        let setting = Setting::of(u32::try_from(correct.len()).expect("few"));
        measured(Agreement::new(&setting), correct, history)
    };
    let once = [bcast(P0, 1), deliver(0, P0, 1), deliver(1, P0, 1), deliver(1, P0, 1)];
    assert_eq!(time(&[true; 2], &once), Some(2.0));
    assert_eq!(time(&[true; 3], &once), None);
    assert_eq!(time(&[true, true, false], &once), Some(2.0));
    let second = [bcast(P1, 1), deliver(0, P1, 1), deliver(1, P1, 1)];
    let both: Vec<_> = once.into_iter().chain(second).chain([deliver(1, P1, 2)]).collect();
    assert_eq!(time(&[true; 2], &both[..7]), Some(2.0));
    assert_eq!(time(&[true; 2], &both), None);
    assert_eq!(time(&[true; 2], &[]), None);
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
