use super::*;
use ftsim_core::bench::history::{Act, check, judge};
use ftsim_core::{Invalid, ProcessId, Setting, Spec, Verdict};

use crate::service::{CLIENT, Indication, Request, SERVER};

/// A server, a writer, and two readers or further writers.
const W1: ProcessId = ProcessId(1);
const C2: ProcessId = ProcessId(2);
const C3: ProcessId = ProcessId(3);

fn ask(client: ProcessId, number: u64, operation: Operation) -> Act<Registers> {
    Act::Request(client, Request::Invoke { number, key: 0, operation })
}

fn done(client: ProcessId, number: u64) -> Act<Registers> {
    Act::Indicate(client, Indication::Response { number, outcome: Outcome::Done })
}

fn value(client: ProcessId, number: u64, value: Value) -> Act<Registers> {
    Act::Indicate(client, Indication::Response { number, outcome: Outcome::Value(value) })
}

fn write(client: ProcessId, number: u64, value: Value) -> Act<Registers> {
    ask(client, number, Operation::Write(value))
}

fn read(client: ProcessId, number: u64) -> Act<Registers> {
    ask(client, number, Operation::Read)
}

#[test]
fn reads_of_the_last_value_or_of_one_that_is_being_written_are_good() {
    let good = [
        read(C2, 1),
        value(C2, 1, 0),
        write(W1, 1, 5),
        done(W1, 1),
        read(C2, 2),
        value(C2, 2, 5),
        write(W1, 2, 6),
        read(C2, 3),
        value(C2, 3, 6),
        done(W1, 2),
    ];
    let verdicts = judge(&Setting::of(4), &good, true);
    assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Held), "{verdicts:?}");
}

#[test]
fn the_new_value_and_then_the_old_one_is_regular_and_not_linearizable() {
    let inversion =
        [write(W1, 1, 5), read(C2, 1), value(C2, 1, 5), read(C3, 1), value(C3, 1, 0), done(W1, 1)];
    assert_eq!(check(4, &inversion), ["reg.linearizable"]);
}

#[test]
fn a_value_that_another_write_has_replaced_is_not_even_regular() {
    let stale = [write(W1, 1, 5), done(W1, 1), read(C2, 1), value(C2, 1, 0)];
    assert_eq!(check(4, &stale), ["reg.regular", "reg.linearizable"]);
    let future = [read(C2, 1), value(C2, 1, 5), write(W1, 1, 5), done(W1, 1)];
    assert_eq!(check(4, &future), ["reg.regular", "reg.linearizable"]);
    let other_key = [
        Act::Request(W1, Request::Invoke { number: 1, key: 1, operation: Operation::Write(5) }),
        read(C2, 1),
        value(C2, 1, 5),
        done(W1, 1),
    ];
    assert_eq!(check(4, &other_key), ["reg.regular", "reg.linearizable"]);
}

#[test]
fn a_write_that_begins_during_a_read_may_be_returned_and_so_may_the_one_before() {
    for found in [0, 5, 6] {
        let during = [
            write(W1, 1, 5),
            read(C2, 1),
            done(W1, 1),
            write(W1, 2, 6),
            value(C2, 1, found),
            done(W1, 2),
        ];
        assert_eq!(check(4, &during), [] as [&str; 0], "{found}");
    }
}

#[test]
fn of_two_writes_at_a_time_either_may_be_the_last_but_not_one_before_both() {
    for (found, expected) in [(5, &[][..]), (6, &[]), (4, &["reg.regular", "reg.linearizable"])] {
        let two = [
            write(W1, 1, 4),
            done(W1, 1),
            write(W1, 2, 5),
            write(C3, 1, 6),
            done(W1, 2),
            done(C3, 1),
            read(C2, 1),
            value(C2, 1, found),
        ];
        assert_eq!(check(4, &two), expected, "{found}");
    }
}

#[test]
fn a_write_of_a_crashed_client_may_be_seen_at_any_time() {
    for found in [5, 7] {
        let crashed = [
            write(W1, 1, 5),
            Act::Crash(W1),
            write(C3, 1, 7),
            done(C3, 1),
            read(C2, 1),
            value(C2, 1, found),
        ];
        assert_eq!(check(4, &crashed), [] as [&str; 0], "{found}");
    }
}

#[test]
fn an_operation_of_a_live_client_ends() {
    assert_eq!(check(4, &[read(C2, 1)]), ["reg.wait-free"]);
    assert_eq!(check(4, &[read(C2, 1), Act::Crash(C2)]), [] as [&str; 0]);
}

#[test]
fn where_nobody_asks_all_properties_hold_vacuously() {
    let verdicts = judge::<Registers>(&Setting::of(4), &[], true);
    let idle = |(_, verdict): &(_, Verdict)| *verdict == Verdict::HeldVacuously;
    assert!(verdicts.iter().all(idle), "{verdicts:?}");
    let only_written = [write(W1, 1, 5), done(W1, 1)];
    let verdicts = judge::<Registers>(&Setting::of(4), &only_written, true);
    assert_eq!(verdicts[0], ("reg.regular", Verdict::HeldVacuously));
}

#[test]
fn the_workload_refuses_what_cannot_be() {
    let roles = vec![(SERVER.into(), 2), (CLIENT.into(), 1)];
    let setting = Setting { roles, ..Setting::of(3) };
    let refused = |settings: RegisterWorkload| {
        Registers::workload(&settings, &setting).err().map(|invalid: Invalid| invalid.key)
    };
    let of = |keys, reads, writes| RegisterWorkload { keys, reads, writes, ..Default::default() };
    assert_eq!(refused(of(1, 1, 0)), None);
    assert_eq!(refused(of(0, 1, 1)).as_deref(), Some("keys"));
    assert_eq!(refused(of(1, 0, 0)).as_deref(), Some("reads"));
    let counter = RegisterWorkload { increments: 1, ..Default::default() };
    assert_eq!(refused(counter).as_deref(), Some("increments"));
    let swapped = RegisterWorkload { swaps: 1, ..Default::default() };
    assert_eq!(refused(swapped).as_deref(), Some("swaps"));
}
