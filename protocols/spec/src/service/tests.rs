//! The shared properties on histories written by hand, under a family that announces nothing of its
//! own.

use ftsim_core::{Never, ProcessId, PropertyEntry, Setting, Spec, Standing, Verdict};

use super::clients::ServiceWorkload;
use super::properties::{acked_survives, exactly_once, linearizable, liveness};
use super::{Command, Facts, Indication, OneKey, Operation, Outcome, Request, Service};
use crate::linearizability::Model;
use ftsim_core::bench::history::{Act, check, judge};

impl Facts for Never {
    type Workload = ServiceWorkload;

    const SPEC: &'static str = "service";
    const PROPERTIES: &'static [PropertyEntry<Service<Self>>] = &[
        linearizable(Standing::Core),
        exactly_once(Standing::Core),
        acked_survives(Standing::Core),
        liveness(Standing::Core),
    ];
}

/// Two servers, two clients.
const S0: ProcessId = ProcessId(0);
const S1: ProcessId = ProcessId(1);
const C2: ProcessId = ProcessId(2);
const C3: ProcessId = ProcessId(3);

fn ask(client: ProcessId, number: u64, operation: Operation) -> Act<Service<Never>> {
    Act::Request(client, Request::Invoke { number, key: 0, operation })
}

fn answer(client: ProcessId, number: u64, outcome: Outcome) -> Act<Service<Never>> {
    Act::Indicate(client, Indication::Response { number, outcome })
}

fn applied(server: ProcessId, client: ProcessId, number: u64) -> Act<Service<Never>> {
    Act::Indicate(server, Indication::Applied(Command { client, number }))
}

fn adopted(server: ProcessId, commands: &[(ProcessId, u64)]) -> Act<Service<Never>> {
    let command =
        |(client, number): &(ProcessId, u64)| Command { client: *client, number: *number };
    Act::Indicate(server, Indication::Adopted(commands.iter().map(command).collect()))
}

fn serves(server: ProcessId) -> Act<Service<Never>> {
    Act::Indicate(server, Indication::Serves)
}

const WRITE: Operation = Operation::Write(7);
const READ: Operation = Operation::Read;
const DONE: Outcome = Outcome::Done;

#[test]
fn a_history_in_which_the_update_survives_is_good() {
    let good = [
        serves(S0),
        ask(C2, 1, WRITE),
        applied(S0, C2, 1),
        applied(S1, C2, 1),
        answer(C2, 1, DONE),
        Act::Crash(S0),
        serves(S1),
        ask(C3, 1, READ),
        answer(C3, 1, Outcome::Value(7)),
    ];
    assert_eq!(check(4, &good), [] as [&str; 0]);
    let verdicts = judge(&Setting::of(4), &good, false);
    assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Held), "{verdicts:?}");
}

#[test]
fn where_nobody_asks_or_answers_all_properties_hold_vacuously() {
    let verdicts = judge::<Service<Never>>(&Setting::of(4), &[], true);
    let idle = |(_, verdict): &(_, Verdict)| *verdict == Verdict::HeldVacuously;
    assert!(verdicts.iter().all(idle), "{verdicts:?}");
}

#[test]
fn a_stale_read_is_not_linearizable_and_the_witness_is_told() {
    let stale = [
        ask(C2, 1, WRITE),
        answer(C2, 1, DONE),
        ask(C3, 1, READ),
        answer(C3, 1, Outcome::Value(0)),
    ];
    assert_eq!(check(4, &stale), ["reg.linearizable"]);
    let Verdict::Violated(violation) = &judge(&Setting::of(4), &stale, true)[0].1 else { panic!() };
    assert_eq!(
        violation.message,
        "on key 0 operation 1 of p3 was Read -> Value(0), which fits no order of what was seen; \
         the longest legal order is [Write(7) -> Done]"
    );
}

#[test]
fn keys_are_judged_apart_and_open_operations_excused() {
    let other_key = [
        ask(C2, 1, WRITE),
        answer(C2, 1, DONE),
        Act::Request(C3, Request::Invoke { number: 1, key: 1, operation: READ }),
        answer(C3, 1, Outcome::Value(0)),
    ];
    assert_eq!(check(4, &other_key), [] as [&str; 0]);
    let open = [
        ask(C2, 1, WRITE),
        ask(C3, 1, READ),
        answer(C3, 1, Outcome::Value(0)),
        ask(C3, 2, READ),
        answer(C3, 2, Outcome::Value(7)),
        Act::Crash(C2),
    ];
    assert_eq!(check(4, &open), [] as [&str; 0]);
}

#[test]
fn the_next_operation_of_a_client_comes_after_its_last() {
    // Both events may happen in one instant: the order of events decides, not the time.
    let own = [ask(C2, 1, WRITE), answer(C2, 1, DONE), ask(C2, 2, READ)];
    let own = own.into_iter().chain([answer(C2, 2, Outcome::Value(0))]).collect::<Vec<_>>();
    assert_eq!(check(4, &own), ["reg.linearizable"]);
}

#[test]
fn an_answer_that_nobody_waits_for_is_wrong() {
    assert_eq!(check(4, &[answer(C2, u64::MAX, DONE)]), ["reg.linearizable"]);
    let twice = [ask(C2, 1, WRITE), answer(C2, 1, DONE), answer(C2, 1, DONE)];
    assert_eq!(check(4, &twice), ["reg.linearizable"]);
}

/// Unanswered updates of many clients, and a read that none of them explains.
fn wild() -> Vec<Act<Service<Never>>> {
    let write = |k: u32| ask(ProcessId(10 + k), 1, Operation::Write((k + 1).into()));
    let mut wild: Vec<_> = (0..40).map(write).collect();
    wild.extend([ask(C3, 1, READ), answer(C3, 1, Outcome::Value(1000))]);
    wild
}

#[test]
fn too_much_concurrency_is_undecided_and_the_limit_is_told() {
    let verdicts = judge(&Setting::of(4), &wild(), true);
    let Verdict::Undecided(reason) = &verdicts[0].1 else { panic!("{verdicts:?}") };
    let expected = "the search for a legal order of the operations on key 0 was cut off at the \
                    limit of 4000000 steps";
    assert_eq!(reason, expected);
}

#[test]
fn what_was_undecided_is_decided_by_a_later_search() {
    // What explains the read is a swap right after one of many writes.
    let mut history = wild();
    let swap = Operation::CompareAndSwap { expected: 1, new: 1000 };
    history.insert(40, ask(C2, 1, swap));
    let early = judge(&Setting::of(4), &history, true);
    assert!(matches!(early[0].1, Verdict::Undecided(_)), "{early:?}");
    history.push(answer(C2, 1, Outcome::Swapped(true)));
    assert_eq!(judge(&Setting::of(4), &history, true)[0].1, Verdict::Held);
}

#[test]
fn a_command_applied_twice_is_refused_but_for_a_state_that_began_anew() {
    let once = ask(C2, 1, WRITE);
    let twice = [once, applied(S0, C2, 1), applied(S0, C2, 1), answer(C2, 1, DONE)];
    assert_eq!(check(4, &twice), ["smr.exactly-once"]);
    let doubled = [ask(C2, 1, WRITE), adopted(S0, &[(C2, 1), (C2, 1)]), answer(C2, 1, DONE)];
    assert_eq!(check(4, &doubled), ["smr.exactly-once"]);
    let anew = [
        ask(C2, 1, WRITE),
        applied(S0, C2, 1),
        adopted(S0, &[]),
        applied(S0, C2, 1),
        Act::Crash(S0),
        Act::Recover(S0),
        applied(S0, C2, 1),
        answer(C2, 1, DONE),
    ];
    assert_eq!(check(4, &anew), [] as [&str; 0]);
}

#[test]
fn an_acknowledged_update_must_be_in_the_state_of_who_serves_next() {
    let lost =
        [ask(C2, 1, WRITE), applied(S0, C2, 1), answer(C2, 1, DONE), Act::Crash(S0), serves(S1)];
    assert_eq!(check(4, &lost), ["dur.acked-survives"]);
    let undone =
        [ask(C2, 1, WRITE), applied(S1, C2, 1), answer(C2, 1, DONE), adopted(S1, &[]), serves(S1)];
    assert_eq!(check(4, &undone), ["dur.acked-survives"]);
}

#[test]
fn an_update_that_the_serving_server_itself_loses_has_not_survived() {
    let acked = || [serves(S0), ask(C2, 1, WRITE), applied(S0, C2, 1), answer(C2, 1, DONE)];
    let lost = acked().into_iter().chain([adopted(S0, &[])]);
    assert_eq!(check(4, &lost.collect::<Vec<_>>()), ["dur.acked-survives"]);
    let kept = acked().into_iter().chain([adopted(S0, &[(C2, 1)])]).collect::<Vec<_>>();
    assert_eq!(check(4, &kept), [] as [&str; 0]);
    assert_eq!(judge(&Setting::of(4), &kept, true)[2], ("dur.acked-survives", Verdict::Held));
    // It answered a command that it never applied.
    let never = [serves(S0), ask(C2, 1, WRITE), answer(C2, 1, DONE)];
    assert_eq!(check(4, &never), ["dur.acked-survives"]);
}

#[test]
fn the_crash_of_another_server_ends_no_service() {
    let acked = [serves(S0), ask(C2, 1, WRITE), applied(S0, C2, 1), answer(C2, 1, DONE)];
    let lost = acked.into_iter().chain([Act::Crash(S1), adopted(S0, &[])]);
    assert_eq!(check(4, &lost.collect::<Vec<_>>()), ["dur.acked-survives"]);
}

#[test]
fn an_answer_that_comes_after_a_succession_counts_against_the_successor() {
    let late = [
        serves(S0),
        ask(C2, 1, WRITE),
        applied(S0, C2, 1),
        Act::Crash(S0),
        serves(S1),
        answer(C2, 1, DONE),
    ];
    assert_eq!(check(4, &late), ["dur.acked-survives"]);
}

#[test]
fn who_does_not_serve_may_lose_anything() {
    let follower = [
        serves(S0),
        ask(C2, 1, WRITE),
        applied(S0, C2, 1),
        applied(S1, C2, 1),
        answer(C2, 1, DONE),
        adopted(S1, &[]),
    ];
    assert_eq!(check(4, &follower), [] as [&str; 0]);
    let verdicts = judge(&Setting::of(4), &follower, true);
    assert_eq!(verdicts[2], ("dur.acked-survives", Verdict::HeldVacuously));
    let down = [serves(S0), ask(C2, 1, WRITE), applied(S0, C2, 1), Act::Crash(S0)];
    let late = down.into_iter().chain([answer(C2, 1, DONE)]);
    assert_eq!(check(4, &late.collect::<Vec<_>>()), [] as [&str; 0]);
}

#[test]
fn a_swap_that_failed_is_no_update() {
    let swap = Operation::CompareAndSwap { expected: 5, new: 6 };
    let failed =
        [serves(S0), ask(C2, 1, swap.clone()), answer(C2, 1, Outcome::Swapped(false)), serves(S1)];
    assert_eq!(check(4, &failed), [] as [&str; 0]);
    let verdicts = judge(&Setting::of(4), &failed, true);
    assert_eq!(verdicts[2], ("dur.acked-survives", Verdict::HeldVacuously));
    // One that succeeded is.
    let write = [ask(C2, 1, Operation::Write(5)), applied(S0, C2, 1), answer(C2, 1, DONE)];
    let done = [ask(C3, 1, swap), answer(C3, 1, Outcome::Swapped(true)), serves(S0)];
    let history: Vec<_> = write.into_iter().chain(done).collect();
    assert_eq!(check(4, &history), ["dur.acked-survives"]);
}

#[test]
fn what_follows_a_doubled_command_is_not_lost() {
    let doubled = [
        ask(C2, 1, WRITE),
        answer(C2, 1, DONE),
        ask(C3, 1, WRITE),
        answer(C3, 1, DONE),
        adopted(S1, &[(C2, 1), (C2, 1), (C3, 1)]),
        serves(S1),
    ];
    assert_eq!(check(4, &doubled), ["smr.exactly-once"]);
}

#[test]
fn neither_reads_nor_unanswered_updates_must_survive() {
    let read = [ask(C2, 1, READ), answer(C2, 1, Outcome::Value(0)), serves(S1)];
    assert_eq!(check(4, &read), [] as [&str; 0]);
    let unanswered = [ask(C2, 1, WRITE), applied(S0, C2, 1), serves(S1), Act::Crash(C2)];
    assert_eq!(check(4, &unanswered), [] as [&str; 0]);
    let verdicts = judge(&Setting::of(4), &unanswered, false);
    assert_eq!(verdicts[2].1, Verdict::HeldVacuously);
}

#[test]
fn a_correct_client_is_answered_in_the_end() {
    assert_eq!(check(4, &[ask(C2, 1, WRITE)]), ["smr.liveness"]);
    assert_eq!(check(4, &[ask(C2, 1, WRITE), Act::Crash(C2)]), [] as [&str; 0]);
    // A crash excuses only the client that crashed, and also once it has recovered.
    assert_eq!(check(4, &[ask(C2, 1, WRITE), Act::Crash(C3)]), ["smr.liveness"]);
    let recovered = [ask(C2, 1, WRITE), Act::Crash(C2), Act::Recover(C2)];
    assert_eq!(check(4, &recovered), [] as [&str; 0]);
}

#[test]
fn an_operation_is_answered_by_the_response_at_its_client() {
    type S = Service<Never>;
    let invoke = Request::Invoke { number: 7, key: 0, operation: READ };
    let asked = S::operation(C2, &invoke).expect("an operation");
    let answered = |p, what| S::answers(p, &what).collect::<Vec<_>>();
    let response = |number| Indication::Response { number, outcome: DONE };
    assert_eq!(answered(C2, response(7)), [asked]);
    assert_ne!(answered(C2, response(8)), [asked]);
    assert_ne!(answered(C3, response(7)), [asked]);
    assert_eq!(answered(C2, Indication::Applied(Command { client: C2, number: 7 })), []);
    assert_eq!(S::operation(S0, &Request::DeclareDown(S1)), None);
}

/// A family of its own, whose only fact says nothing about a leader.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize)]
struct Nothing;

impl Facts for Nothing {
    type Workload = ServiceWorkload;

    const SPEC: &'static str = "service";
    const PROPERTIES: &'static [PropertyEntry<Service<Self>>] = &[];
}

#[test]
fn clients_see_responses_alone_and_no_leader_where_no_fact_says_who_leads() {
    let response = Indication::Response { number: 1, outcome: DONE };
    assert!(!Service::<Nothing>::is_probe(&response));
    assert!(Service::<Nothing>::is_probe(&Indication::Serves));
    assert!(Service::<Nothing>::is_probe(&Indication::Fact(Nothing)));
    for what in [response, Indication::Serves, Indication::Fact(Nothing)] {
        assert_eq!(Service::<Nothing>::leads(&what), None, "{what:?}");
    }
}

#[test]
fn operations_do_what_their_names_say() {
    let swap = |expected| Operation::CompareAndSwap { expected, new: 9 };
    for (operation, after, outcome, only_looks) in [
        (READ, 5, Outcome::Value(5), true),
        (WRITE, 7, DONE, false),
        (Operation::Increment, 6, Outcome::Value(6), false),
        (swap(5), 9, Outcome::Swapped(true), false),
        (swap(4), 5, Outcome::Swapped(false), true),
    ] {
        assert_eq!(OneKey::step(&5, &operation), (after, outcome.clone()), "{operation:?}");
        assert_eq!(OneKey::only_looks(&operation, &outcome), only_looks, "{operation:?}");
        assert_eq!(operation.is_update(), operation != READ);
    }
    assert_eq!(Operation::Increment.apply(u64::MAX), (0, Outcome::Value(0)));
}
