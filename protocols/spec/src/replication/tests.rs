//! The properties of replication, on histories written by hand.

use ftsim_core::bench::history::{Act, judge};
use ftsim_core::{ProcessId, Setting, Verdict};

use super::{CONVERGENCE, Fact, PREFIX, ReplicatedService, SAFETY};
use crate::service::properties::{ACKED_SURVIVES, LINEARIZABLE};
use crate::service::{CLIENT, Command, Indication, Operation, Outcome, Request, SERVER};

/// Two servers, and a client.
const S0: ProcessId = ProcessId(0);
const S1: ProcessId = ProcessId(1);
const C2: ProcessId = ProcessId(2);
const NONE: [&str; 0] = [];

fn command(number: u64) -> Command {
    Command { client: C2, number }
}

fn applies(server: ProcessId, number: u64) -> Act<ReplicatedService> {
    Act::Indicate(server, Indication::Applied(command(number)))
}

fn adopts(server: ProcessId, numbers: &[u64]) -> Act<ReplicatedService> {
    Act::Indicate(server, Indication::Adopted(numbers.iter().copied().map(command).collect()))
}

fn verdicts(history: &[Act<ReplicatedService>]) -> Vec<(&'static str, Verdict)> {
    let roles = vec![(SERVER.into(), 2), (CLIENT.into(), 1)];
    judge(&Setting { roles, ..Setting::of(3) }, history, false)
}

fn violated(history: &[Act<ReplicatedService>]) -> Vec<&'static str> {
    let verdicts = verdicts(history).into_iter();
    verdicts.filter(|(_, v)| matches!(v, Verdict::Violated(_))).map(|(id, _)| id).collect()
}

#[test]
fn replicas_that_apply_the_same_in_one_order_are_alike() {
    let good = [applies(S0, 1), applies(S0, 2), applies(S1, 1), applies(S1, 2)];
    assert_eq!(violated(&good), NONE);
    let held = |id| verdicts(&good).contains(&(id, Verdict::Held));
    assert!(held(PREFIX.0) && held(CONVERGENCE.0));
}

#[test]
fn where_nothing_is_applied_nothing_has_been_seen() {
    let idle = verdicts(&[]);
    assert!(idle.iter().all(|(_, verdict)| *verdict == Verdict::HeldVacuously), "{idle:?}");
}

#[test]
fn another_order_another_command_and_a_gap_diverge() {
    let all = [PREFIX.0, SAFETY.0, CONVERGENCE.0];
    let order = [applies(S0, 1), applies(S0, 2), applies(S1, 2), applies(S1, 1)];
    assert_eq!(violated(&order), all);
    let other = [applies(S0, 1), applies(S0, 2), applies(S1, 1), applies(S1, 3)];
    assert_eq!(violated(&other), all);
    let gap = [applies(S0, 1), applies(S0, 2), applies(S0, 3), applies(S1, 1), applies(S1, 3)];
    assert_eq!(violated(&gap), all);
    let adopted = [applies(S0, 1), applies(S0, 2), adopts(S1, &[1, 3])];
    assert_eq!(violated(&adopted), all);
}

#[test]
fn a_replica_that_stays_behind_does_not_converge() {
    assert_eq!(violated(&[applies(S0, 1), applies(S0, 2), applies(S1, 1)]), [CONVERGENCE.0]);
    assert_eq!(violated(&[applies(S0, 1)]), [CONVERGENCE.0]);
    assert_eq!(violated(&[applies(S0, 1), Act::Crash(S1)]), NONE);
}

#[test]
fn a_crash_erases_what_was_applied_until_a_state_is_adopted() {
    let both = [applies(S0, 1), applies(S1, 1)];
    let back = |rest: &[Act<ReplicatedService>]| {
        violated(&[&both[..], &[Act::Crash(S1), Act::Recover(S1)], rest].concat())
    };
    assert_eq!(back(&[]), [CONVERGENCE.0]);
    assert_eq!(back(&[adopts(S1, &[1])]), NONE);
    assert_eq!(back(&[applies(S1, 1)]), NONE);
    assert_eq!(back(&[applies(S1, 2)]), [PREFIX.0, SAFETY.0, CONVERGENCE.0]);
}

#[test]
fn a_replica_that_is_not_correct_may_diverge_if_only_correct_ones_count() {
    let other = [applies(S0, 2), Act::Crash(S0), applies(S1, 1)];
    assert_eq!(violated(&other), [PREFIX.0]);
}

#[test]
fn replicas_that_have_applied_the_same_hold_the_same() {
    let holds =
        |server, value| Act::Indicate(server, Indication::Fact(Fact::Holds { key: 0, value }));
    let both = |a, b| violated(&[applies(S0, 1), holds(S0, a), applies(S1, 1), holds(S1, b)]);
    assert_eq!(both(7, 7), NONE);
    assert_eq!(both(7, 8), [CONVERGENCE.0]);
}

#[test]
fn what_a_client_knows_to_be_done_is_at_each_correct_replica_in_the_end() {
    let write = |number| {
        let operation = Operation::Write(number);
        let outcome = Outcome::Done;
        [
            Act::Request(C2, Request::Invoke { number, key: 0, operation }),
            Act::Indicate(C2, Indication::Response { number, outcome }),
        ]
    };
    assert_eq!(violated(&write(1)), [ACKED_SURVIVES.0]);
    let late = write(1).into_iter().chain([applies(S0, 1), applies(S1, 1)]);
    assert_eq!(violated(&late.collect::<Vec<_>>()), NONE);
    let open = Request::Invoke { number: 1, key: 0, operation: Operation::Write(1) };
    assert!(!violated(&[Act::Request(C2, open)]).contains(&ACKED_SURVIVES.0));
    assert!(!violated(&write(1)).contains(&LINEARIZABLE.0));
}
