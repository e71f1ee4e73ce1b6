//! Good and bad histories: each property refuses the ones that break it, and no other.

use ftsim_core::{ProcessId, Setting, Verdict};

use super::{AtomicCommit, COORDINATOR, INITIAL, Indication, PARTICIPANT, Request, Vote, Work};
use ftsim_core::bench::history::{Act, judge};

type Event = Act<AtomicCommit>;

const C: ProcessId = ProcessId(0);
const P1: ProcessId = ProcessId(1);
const P2: ProcessId = ProcessId(2);

/// A coordinator and two participants.
fn setting() -> Setting {
    Setting { roles: vec![(COORDINATOR.into(), 1), (PARTICIPANT.into(), 2)], ..Setting::of(3) }
}

fn verdicts(history: &[Event]) -> Vec<(&'static str, Verdict)> {
    judge(&setting(), history, true)
}

fn violated(history: &[Event]) -> Vec<&'static str> {
    let bad = |(_, verdict): &(_, Verdict)| matches!(verdict, Verdict::Violated(_));
    verdicts(history).into_iter().filter(bad).map(|(id, _)| id).collect()
}

fn vacuous(history: &[Event]) -> Vec<&'static str> {
    let idle = |(_, verdict): &(_, Verdict)| *verdict == Verdict::HeldVacuously;
    verdicts(history).into_iter().filter(idle).map(|(id, _)| id).collect()
}

fn begin(transaction: u64) -> Event {
    Act::Request(C, Request::Begin(transaction))
}

fn perform(p: ProcessId, transaction: u64) -> Event {
    Act::Request(p, Request::Perform { transaction, work: Work::Write })
}

fn vote(p: ProcessId, vote: Vote) -> Event {
    Act::Indicate(p, Indication::Voted { transaction: 1, vote })
}

fn commit(p: ProcessId, transaction: u64) -> Event {
    Act::Indicate(p, Indication::Committed(transaction))
}

fn abort(p: ProcessId, transaction: u64) -> Event {
    Act::Indicate(p, Indication::Aborted(transaction))
}

fn read(p: ProcessId, transaction: u64, version: u64) -> Event {
    Act::Indicate(p, Indication::Read { transaction, version })
}

fn write(p: ProcessId, transaction: u64) -> Event {
    Act::Indicate(p, Indication::Wrote { transaction })
}

#[test]
fn a_commit_and_an_abort_by_all_are_good() {
    let committed = [
        begin(1),
        perform(P1, 1),
        read(P1, 1, INITIAL),
        write(P1, 1),
        vote(P1, Vote::Yes),
        vote(P2, Vote::ReadOnly),
        commit(C, 1),
        commit(P1, 1),
    ];
    assert_eq!(violated(&committed), [""; 0]);
    assert_eq!(vacuous(&committed), ["ac.nonblocking"]);
    let aborted = [
        begin(1),
        vote(P1, Vote::Yes),
        vote(P2, Vote::No),
        abort(P2, 1),
        abort(C, 1),
        abort(P1, 1),
        abort(P1, 1),
    ];
    assert_eq!(violated(&aborted), [""; 0]);
    assert_eq!(
        vacuous(&aborted),
        ["ac.commit-validity", "ac.non-triviality", "ac.nonblocking", "txn.one-copy"]
    );
}

#[test]
fn agreement_binds_the_crashed_too() {
    let votes = || [vote(P1, Vote::Yes), vote(P2, Vote::Yes)];
    let split: Vec<Event> =
        votes().into_iter().chain([commit(P1, 1), Act::Crash(P1), abort(P2, 1)]).collect();
    assert_eq!(violated(&split), ["ac.agreement"]);
    let two: Vec<Event> =
        votes().into_iter().chain([commit(P1, 1), commit(P2, 1), abort(C, 2)]).collect();
    assert_eq!(violated(&two), [""; 0]);
}

#[test]
fn a_decision_never_changes() {
    let changed = [abort(P1, 1), Act::Crash(P1), Act::Recover(P1), commit(P1, 1)];
    assert_eq!(violated(&changed), ["ac.irrevocability", "ac.commit-validity"]);
}

#[test]
fn a_commit_needs_every_vote() {
    let early =
        [vote(P1, Vote::Yes), commit(C, 1), vote(P2, Vote::Yes), commit(P1, 1), commit(P2, 1)];
    assert_eq!(violated(&early), ["ac.commit-validity"]);
    let refused = [vote(P1, Vote::Yes), vote(P2, Vote::No), commit(C, 1), commit(P1, 1)];
    assert_eq!(violated(&refused), ["ac.commit-validity"]);
}

#[test]
fn only_a_failure_excuses_the_abort_of_what_all_voted_for() {
    let timid =
        || [vote(P1, Vote::Yes), vote(P2, Vote::Yes), abort(C, 1), abort(P1, 1), abort(P2, 1)];
    assert_eq!(violated(&timid()), ["ac.non-triviality"]);
    let excused: Vec<Event> = timid().into_iter().chain([Act::Crash(C), Act::Recover(C)]).collect();
    assert_eq!(violated(&excused), [""; 0]);
    let silent = [vote(P1, Vote::ReadOnly), vote(P2, Vote::ReadOnly)];
    assert_eq!(violated(&silent), ["ac.non-triviality"]);
}

#[test]
fn termination_is_owed_once_all_are_up() {
    let blocked = || [begin(1), vote(P1, Vote::Yes), Act::Crash(C)];
    assert_eq!(violated(&blocked()), ["ac.nonblocking"]);
    assert!(vacuous(&blocked()).contains(&"ac.termination"));
    let repaired: Vec<Event> = blocked().into_iter().chain([Act::Recover(C)]).collect();
    assert_eq!(violated(&repaired), ["ac.termination", "ac.nonblocking"]);
    let decided: Vec<Event> = repaired.into_iter().chain([abort(C, 1), abort(P1, 1)]).collect();
    assert_eq!(violated(&decided), [""; 0]);
    assert!(!vacuous(&decided).contains(&"ac.termination"));
}

#[test]
fn no_crash_frees_a_process_that_is_up_again_from_deciding() {
    let both = ["ac.termination", "ac.nonblocking"];
    assert_eq!(violated(&[perform(P1, 1)]), both);
    let forgot = [perform(P1, 1), vote(P1, Vote::No), Act::Crash(P1), Act::Recover(P1)];
    assert_eq!(violated(&forgot), both);
    let prepared = [perform(P1, 1), vote(P1, Vote::Yes), Act::Crash(P1), Act::Recover(P1)];
    assert_eq!(violated(&prepared), both);
    let coordinator = || [begin(1), Act::Crash(C), Act::Recover(C)];
    assert_eq!(violated(&coordinator()), both);
    let asked_again = Act::Request(C, Request::Resolve(1));
    assert_eq!(violated(&[Act::Crash(C), Act::Recover(C), asked_again]), both);
    let resolved: Vec<Event> = coordinator().into_iter().chain([abort(C, 1)]).collect();
    assert_eq!(violated(&resolved), [""; 0]);
    let left = [perform(P1, 1), vote(P1, Vote::ReadOnly), Act::Crash(P1), Act::Recover(P1)];
    assert_eq!(violated(&left), [""; 0]);
}

#[test]
fn a_commit_after_a_dirty_read_is_no_single_copy() {
    let dirty = [
        write(P1, 1),
        read(P1, 2, 1),
        abort(P1, 1),
        Act::Indicate(P1, Indication::Voted { transaction: 2, vote: Vote::Yes }),
        Act::Indicate(P2, Indication::Voted { transaction: 2, vote: Vote::Yes }),
        commit(P1, 2),
        commit(P2, 2),
    ];
    assert_eq!(violated(&dirty), ["txn.one-copy"]);
}

#[test]
fn absurd_content_is_judged_not_obeyed() {
    let stranger = ProcessId(u32::MAX);
    let absurd = [commit(stranger, u64::MAX), read(stranger, u64::MAX, u64::MAX - 1)];
    assert_eq!(violated(&absurd), ["ac.commit-validity", "txn.one-copy"]);
}
