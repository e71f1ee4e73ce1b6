//! A service among liars, on histories written by hand. Whoever crashes at the end of one is
//! faulty: it stands for a liar.

use ftsim_core::bench::history::{Act, check, judge};
use ftsim_core::{Setting, Spec, Verdict};

use super::*;
use crate::service::{Outcome, Request};

/// Three servers and two clients.
const N: u32 = 5;
const S0: ProcessId = ProcessId(0);
const S1: ProcessId = ProcessId(1);
const S2: ProcessId = ProcessId(2);
const C3: ProcessId = ProcessId(3);
const C4: ProcessId = ProcessId(4);
const NOTHING: [&str; 0] = [];

const WRITE: Operation = Operation::Write(7);
const OTHER_WRITE: Operation = Operation::Write(9);
const READ: Operation = Operation::Read;

type History = Vec<Act<ByzantineService>>;

fn ask(client: ProcessId, number: u64, operation: Operation) -> Act<ByzantineService> {
    Act::Request(client, Request::Invoke { number, key: 0, operation })
}

fn answer(client: ProcessId, number: u64, outcome: Outcome) -> Act<ByzantineService> {
    Act::Indicate(client, Indication::Response { number, outcome })
}

fn executes(
    server: ProcessId,
    place: Place,
    call: Option<(ProcessId, u64, Operation)>,
) -> Act<ByzantineService> {
    let call = call.map(|(client, number, operation)| {
        let command = Command { client, number };
        Call { command, key: 0, operation }
    });
    Act::Indicate(server, Indication::Fact(Fact::Executes { place, call }))
}

fn applies(server: ProcessId, client: ProcessId, number: u64) -> Act<ByzantineService> {
    Act::Indicate(server, Indication::Applied(Command { client, number }))
}

/// p3 writes, and all servers execute it.
fn written() -> History {
    let write = || Some((C3, 1, WRITE));
    vec![
        ask(C3, 1, WRITE),
        executes(S0, 1, write()),
        applies(S0, C3, 1),
        executes(S1, 1, write()),
        applies(S1, C3, 1),
        answer(C3, 1, Outcome::Done),
        executes(S2, 1, write()),
        applies(S2, C3, 1),
    ]
}

fn then(mut history: History, more: impl IntoIterator<Item = Act<ByzantineService>>) -> History {
    history.extend(more);
    history
}

#[test]
fn what_all_servers_execute_as_it_was_asked_for_is_good() {
    let read = [ask(C4, 1, READ), executes(S0, 2, Some((C4, 1, READ)))];
    let good = then(then(written(), read), [answer(C4, 1, Outcome::Value(7))]);
    assert_eq!(check(N, &good), NOTHING);
    let judged = judge(&Setting::of(N), &good, true);
    assert!(judged.iter().all(|(_, verdict)| *verdict == Verdict::Held), "{judged:?}");
    let idle = judge::<ByzantineService>(&Setting::of(N), &[], true);
    assert!(idle.iter().all(|(_, verdict)| *verdict == Verdict::HeldVacuously), "{idle:?}");
}

#[test]
fn two_correct_servers_that_execute_different_requests_in_one_place_are_refused() {
    let nothing = then(written(), [executes(S0, 2, None), executes(S1, 2, None)]);
    assert_eq!(check(N, &nothing), NOTHING);
    let ask_both = [ask(C3, 2, READ), ask(C4, 1, READ)];
    let divided = [executes(S0, 2, Some((C3, 2, READ))), executes(S1, 2, Some((C4, 1, READ)))];
    let answers = [answer(C3, 2, Outcome::Value(7)), answer(C4, 1, Outcome::Value(7))];
    let divided = then(then(then(written(), ask_both), divided), answers);
    assert_eq!(check(N, &divided), ["smr.safety"]);
    let judged = judge(&Setting::of(N), &divided, true);
    let Verdict::Violated(violation) = &judged[0].1 else { panic!("{judged:?}") };
    assert_eq!(
        violation.message,
        "in place 2, p0 executed operation 2 of p3 (Read on key 0) and p1 executed operation 1 of \
         p4 (Read on key 0)"
    );
    // One of the two is no server that counts.
    assert_eq!(check(N, &then(divided.clone(), [Act::Crash(S1)])), NOTHING);
    assert_eq!(check(N, &then(divided, [Act::Crash(S2)])), ["smr.safety"]);
    let half_nothing =
        then(written(), [executes(S0, 2, None), executes(S1, 2, Some((C3, 1, WRITE)))]);
    assert_eq!(check(N, &half_nothing), ["smr.safety"]);
}

#[test]
fn a_request_in_two_places_is_applied_once() {
    let again = then(written(), [executes(S0, 2, Some((C3, 1, WRITE)))]);
    assert_eq!(check(N, &again), NOTHING);
    assert_eq!(check(N, &then(again, [applies(S0, C3, 1)])), ["smr.exactly-once"]);
}

#[test]
fn a_correct_client_is_answered_whatever_liars_wait_for() {
    let open = then(written(), [ask(C4, 1, READ)]);
    assert_eq!(check(N, &open), ["smr.liveness"]);
    assert_eq!(check(N, &then(open, [Act::Crash(C4)])), NOTHING);
}

#[test]
fn what_servers_execute_for_a_liar_explains_what_others_see() {
    // p4 was told to read, and had 9 written.
    let lie = || vec![ask(C4, 1, READ), executes(S0, 2, Some((C4, 1, OTHER_WRITE)))];
    let seen = || [ask(C3, 2, READ), answer(C3, 2, Outcome::Value(9))];
    let explained = then(then(written(), lie()), seen());
    assert_eq!(check(N, &then(explained.clone(), [Act::Crash(C4)])), NOTHING);
    // Or it was told nothing, and what it asked for may never have had an effect.
    let untold = || [executes(S0, 2, Some((C4, 5, OTHER_WRITE)))];
    let unseen =
        then(then(written(), untold()), [ask(C3, 2, READ), answer(C3, 2, Outcome::Value(7))]);
    assert_eq!(check(N, &then(unseen, [Act::Crash(C4)])), NOTHING);
    // Nobody wrote 8.
    let invented =
        then(then(written(), lie()), [ask(C3, 2, READ), answer(C3, 2, Outcome::Value(8))]);
    assert_eq!(check(N, &then(invented, [Act::Crash(C4)])), ["reg.linearizable"]);
    // An effect is not seen before any server has executed it.
    let early = then(then(written(), seen()), lie());
    assert_eq!(check(N, &then(early, [Act::Crash(C4)])), ["reg.linearizable"]);
}

#[test]
fn nobody_asks_for_anything_in_the_name_of_a_correct_client() {
    let forged = then(written(), [executes(S0, 2, Some((C4, 1, OTHER_WRITE)))]);
    assert_eq!(check(N, &forged), ["reg.linearizable"]);
    let judged = judge(&Setting::of(N), &forged, true);
    let Verdict::Violated(violation) = &judged[2].1 else { panic!("{judged:?}") };
    assert_eq!(
        violation.message,
        "p0 executed operation 1 of p4 (Write(9) on key 0), and p4 had not asked for it"
    );
    // Not even if it asks for the same later, or has asked for another operation.
    let later = then(forged.clone(), [ask(C4, 1, OTHER_WRITE), answer(C4, 1, Outcome::Done)]);
    assert_eq!(check(N, &later), ["reg.linearizable"]);
    let changed = then(written(), [ask(C4, 1, READ), executes(S0, 2, Some((C4, 1, OTHER_WRITE)))]);
    let changed = then(changed, [answer(C4, 1, Outcome::Value(7))]);
    assert_eq!(check(N, &changed), ["reg.linearizable"]);
    // A server that lies may execute what it likes.
    assert_eq!(check(N, &then(forged, [Act::Crash(S0)])), NOTHING);
}

#[test]
fn a_stale_read_is_refused_as_by_any_service() {
    let stale = then(written(), [ask(C4, 1, READ), answer(C4, 1, Outcome::Value(0))]);
    assert_eq!(check(N, &stale), ["reg.linearizable"]);
}

#[test]
fn facts_have_phrases_and_say_who_leads() {
    let phrase = |fact: Fact| ByzantineService::phrase(&Indication::Fact(fact)).expect("a phrase");
    let leads = |fact: Fact| ByzantineService::leads(&Indication::Fact(fact));
    let call = Call { command: Command { client: C3, number: 2 }, key: 0, operation: READ };
    let executes = |call| Fact::Executes { place: 4, call };
    assert_eq!(phrase(Fact::Leads(3)), "is the primary of view 3");
    assert_eq!(phrase(Fact::Follows), "is no longer the primary");
    assert_eq!(phrase(executes(Some(call.clone()))), "executes p3#2 in place 4");
    assert_eq!(phrase(executes(None)), "executes nothing in place 4");
    assert_eq!(leads(Fact::Leads(3)), Some(true));
    assert_eq!(leads(Fact::Follows), Some(false));
    assert_eq!(leads(executes(Some(call))), None);
    assert_eq!((Fact::Leads(3).configuration(), Fact::Follows.configuration()), (Some(3), None));
}
