//! Good and bad histories of links.

use super::*;
use crate::stub::{Answers, Stub, requests};
use ftsim_core::bench::history::{Act, check, judge};
use ftsim_core::{Bench, Verdict};

const P0: ProcessId = ProcessId(0);
const P1: ProcessId = ProcessId(1);
const P2: ProcessId = ProcessId(2);

/// p0 sends this message to p1.
fn send(number: u64) -> Act<Link> {
    Act::Request(P0, Request::Send { to: P1, number })
}

/// p1 delivers this message of p0.
fn deliver(number: u64) -> Act<Link> {
    Act::Indicate(P1, Indication::Deliver { from: P0, number })
}

/// p1 finds these messages of p0 in its log.
fn recovered(numbers: &[u64]) -> Act<Link> {
    let delivered = numbers.iter().map(|number| (P0, *number)).collect();
    Act::Indicate(P1, Indication::Recovered { delivered })
}

fn counter(count: u64) -> Act<Link> {
    Act::Indicate(P1, Indication::State(State::Counter(count)))
}

fn set(numbers: &[u64]) -> Act<Link> {
    let set = numbers.iter().map(|number| (P0, *number)).collect();
    Act::Indicate(P1, Indication::State(State::Set(set)))
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_history_in_which_each_message_is_delivered_once_and_in_order_is_good() {
    let good = [send(1), send(2), deliver(1), counter(1), deliver(2), counter(2)];
    assert_eq!(check(2, &good), NOTHING);
    let verdicts = judge(&Setting::of(2), &good, true);
    assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Held), "{verdicts:?}");
}

#[test]
fn each_property_refuses_its_bad_history() {
    assert_eq!(check(2, &[deliver(1)]), ["lnk.no-creation"]);
    assert_eq!(check(2, &[deliver(1), send(1), deliver(1)])[0], "lnk.no-creation");
    assert_eq!(check(2, &[send(1), deliver(1), deliver(1)]), ["lnk.no-duplication"]);
    assert_eq!(check(2, &[send(1)]), ["lnk.reliable"]);
    let counted_twice = [send(1), deliver(1), counter(2)];
    assert_eq!(check(2, &counted_twice), ["lnk.exactly-once-effect"]);
    assert_eq!(check(2, &[send(1), send(2), deliver(2), deliver(1)]), ["lnk.fifo"]);
}

#[test]
fn a_message_is_created_for_another_receiver_too() {
    let astray = Act::Indicate(ProcessId(2), Indication::Deliver { from: P0, number: 1 });
    assert_eq!(check(3, &[send(1), deliver(1), astray]), ["lnk.no-creation"]);
    assert_eq!(check(2, &[recovered(&[1])]), ["lnk.no-creation"]);
}

#[test]
fn a_second_delivery_leaves_a_set_alone_but_not_a_counter() {
    let twice = |state| [send(1), deliver(1), deliver(1), state];
    assert_eq!(check(2, &twice(set(&[1]))), ["lnk.no-duplication"]);
    assert_eq!(check(2, &twice(counter(1))), ["lnk.no-duplication"]);
    let expected = ["lnk.no-duplication", "lnk.exactly-once-effect"];
    assert_eq!(check(2, &twice(counter(2))), expected);
}

#[test]
fn an_application_that_forgets_is_refused() {
    let lost = [send(1), deliver(1), counter(1), Act::Crash(P1), Act::Recover(P1), counter(0)];
    assert_eq!(check(2, &lost), ["lnk.exactly-once-effect"]);
    assert_eq!(check(2, &[send(1), deliver(1), set(&[])]), ["lnk.exactly-once-effect"]);
    assert_eq!(check(2, &[send(1), deliver(1), set(&[2])]), ["lnk.exactly-once-effect"]);
}

#[test]
fn what_is_found_in_the_log_is_delivered_once() {
    let back = |more: Vec<Act<Link>>| {
        let crash = [send(1), Act::Crash(P1), Act::Recover(P1), recovered(&[1]), counter(1)];
        crash.into_iter().chain(more).collect::<Vec<_>>()
    };
    assert_eq!(check(2, &back(vec![])), NOTHING);
    assert_eq!(check(2, &back(vec![deliver(1)])), ["lnk.no-duplication"]);
    let known = [send(1), deliver(1), Act::Crash(P1), Act::Recover(P1), recovered(&[1])];
    assert_eq!(check(2, &known), NOTHING);
}

#[test]
fn a_delivery_that_only_the_log_shows_to_be_the_second_is_refused() {
    // The crash came when the second was durable, and before it was announced.
    let doubled = [
        send(1),
        deliver(1),
        set(&[1]),
        Act::Crash(P1),
        Act::Recover(P1),
        recovered(&[1, 1]),
        set(&[1]),
    ];
    assert_eq!(check(2, &doubled), ["lnk.no-duplication"]);
    // To find it in the log after each crash is to find the same delivery again.
    let known = [recovered(&[1]), Act::Crash(P1), Act::Recover(P1), recovered(&[1])];
    let known: Vec<_> = [send(1), deliver(1)].into_iter().chain(known).collect();
    assert_eq!(check(2, &known), NOTHING);
}

#[test]
fn a_restart_of_the_receiver_excuses_no_second_delivery() {
    let again = [send(1), deliver(1), Act::Crash(P1), Act::Recover(P1), deliver(1)];
    assert_eq!(check(2, &again), ["lnk.no-duplication"]);
}

#[test]
fn a_sender_that_crashes_owes_nothing_it_sent_before() {
    assert_eq!(check(2, &[send(1), Act::Crash(P0), Act::Recover(P0)]), NOTHING);
    let after = [Act::Crash(P0), Act::Recover(P0), send(1)];
    assert_eq!(check(2, &after), ["lnk.reliable"]);
    assert_eq!(check(2, &[send(1), Act::Crash(P1)]), NOTHING);
    assert_eq!(check(2, &[send(1), Act::Crash(P1), Act::Recover(P1)]), ["lnk.reliable"]);
    let verdicts = judge(&Setting::of(2), &[send(1), Act::Crash(P0), Act::Recover(P0)], true);
    assert!(verdicts.contains(&("lnk.reliable", Verdict::HeldVacuously)));
}

#[test]
fn a_late_message_that_is_dropped_is_in_order_but_not_delivered() {
    let dropped = [send(1), send(2), deliver(2)];
    assert_eq!(check(2, &dropped), ["lnk.reliable"]);
}

#[test]
fn a_second_delivery_is_not_out_of_order() {
    let again = [send(1), send(2), deliver(1), deliver(2), deliver(1)];
    assert_eq!(check(2, &again), ["lnk.no-duplication"]);
}

#[test]
fn messages_of_different_links_have_no_order() {
    let to_p2 = Act::Request(P0, Request::Send { to: ProcessId(2), number: 2 });
    let at_p2 = Act::Indicate(ProcessId(2), Indication::Deliver { from: P0, number: 2 });
    assert_eq!(check(3, &[send(1), to_p2, at_p2, deliver(1)]), NOTHING);
}

#[test]
fn absurd_content_is_judged_not_obeyed() {
    let stranger = ProcessId(u32::MAX);
    let absurd: Act<Link> =
        Act::Indicate(P1, Indication::Deliver { from: stranger, number: u64::MAX });
    assert_eq!(check(2, &[absurd]), ["lnk.no-creation"]);
    assert_eq!(check(2, &[counter(u64::MAX)]), ["lnk.exactly-once-effect"]);
}

/// Delivers nothing.
#[derive(Clone, Debug, Hash)]
struct Mute;

impl Answers for Mute {
    type Spec = Link;
}

fn requested(n: u32, workload: &str) -> Vec<String> {
    requests(&Bench::of::<Stub<Mute>>(n).workload(workload).run(1))
}

#[test]
fn each_sender_sends_its_messages_to_all_receivers_but_itself() {
    let default = ["0s p0 Send { to: p1, number: 0 }", "0s p1 Send { to: p0, number: 0 }"];
    assert_eq!(requested(2, "{}"), default);
    let workload = r#"{"senders": ["p0"], "receivers": ["p0", "p2"], "messages": 3,
                       "every": "5ms"}"#;
    let expected = [
        "0s p0 Send { to: p2, number: 0 }",
        "5ms p0 Send { to: p2, number: 1 }",
        "10ms p0 Send { to: p2, number: 2 }",
    ];
    assert_eq!(requested(3, workload), expected);
}

#[test]
fn the_workload_refuses_strangers_and_more_than_a_run_can_hold() {
    let refused = |senders: &[ProcessId], receivers: &[ProcessId], messages| {
        let (senders, receivers) = (senders.to_vec(), receivers.to_vec());
        let settings = LinkWorkload { senders, receivers, messages, ..Default::default() };
        Link::workload(&settings, &Setting::of(3)).err().map(|invalid| invalid.key)
    };
    let stranger = ProcessId(3);
    assert_eq!(refused(&[P2], &[P2], 1), None);
    assert_eq!(refused(&[P0, stranger], &[], 1).as_deref(), Some("senders"));
    assert_eq!(refused(&[], &[P0, stranger], 1).as_deref(), Some("receivers"));
    // Two senders and three receivers, and a run holds a million requests.
    assert_eq!(refused(&[P0, P1], &[], 166_666), None);
    assert_eq!(refused(&[P0, P1], &[], 166_667).as_deref(), Some("messages"));
}

#[test]
fn a_message_is_answered_when_its_receiver_delivers_it_or_finds_that_it_has() {
    let asked = |number| Link::operation(P0, &Request::Send { to: P1, number });
    let answered = |p, what| Link::answers(p, &what).map(Some).collect::<Vec<_>>();
    let delivers = |from, number| Indication::Deliver { from, number };
    assert!(asked(1).is_some());
    assert_eq!(answered(P1, delivers(P0, 1)), [asked(1)]);
    assert_ne!(answered(P1, delivers(P0, 2)), [asked(1)]);
    assert_ne!(answered(P1, delivers(P2, 1)), [asked(1)]);
    assert_ne!(answered(P2, delivers(P0, 1)), [asked(1)]);
    let found = Indication::Recovered { delivered: vec![(P0, 1), (P0, 2)] };
    assert_eq!(answered(P1, found), [asked(1), asked(2)]);
    assert_eq!(answered(P1, Indication::State(State::Counter(1))), []);
}

#[test]
fn clients_see_deliveries_and_not_the_state() {
    assert!(Link::is_probe(&Indication::State(State::Counter(0))));
    assert!(!Link::is_probe(&Indication::Deliver { from: P0, number: 0 }));
    assert!(!Link::is_probe(&Indication::Recovered { delivered: vec![] }));
}

#[test]
fn a_delivery_is_told_and_what_only_the_checker_needs_is_not() {
    let told = |indication| Link::phrase(&indication);
    let delivers = Indication::Deliver { from: P0, number: 3 };
    assert_eq!(told(delivers).as_deref(), Some("delivers 3 from p0"));
    assert_eq!(told(Indication::Recovered { delivered: vec![(P0, 3)] }), None);
    assert_eq!(told(Indication::State(State::Counter(1))), None);
}

#[test]
fn the_state_of_an_application_that_counted_or_collected_wrongly_is_told() {
    let told = |state: Act<Link>| {
        let history = [send(1), send(2), deliver(1), deliver(2), state];
        let found = judge(&Setting::of(2), &history, true);
        let (_, verdict) =
            found.into_iter().find(|(id, _)| *id == EXACTLY_ONCE_EFFECT.0).expect("its verdict");
        match verdict {
            Verdict::Violated(violation) => violation.message,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(told(counter(3)), "p1 delivered 2 different messages and has a counter at 3");
    assert_eq!(told(set(&[1, 2, 3])), "p1 delivered 2 different messages and has a set of 3");
}

#[test]
fn a_message_that_nobody_sent_is_told_with_its_link() {
    let found = judge(&Setting::of(2), &[deliver(1)], true).swap_remove(0);
    let Verdict::Violated(violation) = found.1 else { panic!("{found:?}") };
    assert_eq!(violation.message, "p1 delivered message 1 from p0 to p1, which p0 never sent");
}

#[test]
fn a_set_takes_a_message_once_and_a_counter_each_time() {
    let after_two = |application| {
        let mut state = State::new(application);
        (0..2).for_each(|_| state.apply(P0, 1));
        state
    };
    assert_eq!(after_two(Application::Set), State::Set([(P0, 1)].into()));
    assert_eq!(after_two(Application::Counter), State::Counter(2));
}

#[test]
fn where_nothing_is_sent_all_properties_hold_vacuously() {
    let verdicts = judge::<Link>(&Setting::of(2), &[], true);
    let idle = |(_, verdict): &(_, Verdict)| *verdict == Verdict::HeldVacuously;
    assert!(verdicts.iter().all(idle), "{verdicts:?}");
    // A state before the first delivery and a single delivery compare nothing.
    let verdicts = judge(&Setting::of(2), &[counter(0), send(1), deliver(1)], true);
    let vacuous =
        |(id, verdict): &(_, Verdict)| (*verdict == Verdict::HeldVacuously).then_some(*id);
    let vacuous: Vec<_> = verdicts.iter().filter_map(vacuous).collect();
    assert_eq!(vacuous, ["lnk.exactly-once-effect", "lnk.fifo"]);
}
