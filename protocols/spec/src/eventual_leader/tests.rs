//! Eventual leadership, on histories written by hand.

use ftsim_core::bench::history::{Act, check};
use ftsim_core::model::property::{End, EndCause, Observation, Observed};
use ftsim_core::{Instant, ProcessId, Property, Setting};

use super::{EventualLeader, Indication, Trusted};

const P0: ProcessId = ProcessId(0);
const P1: ProcessId = ProcessId(1);
const NONE: [&str; 0] = [];
const VIOLATED: [&str; 1] = ["omega.eventual-leader"];

type Event = Act<EventualLeader>;

fn trusts(p: ProcessId, leader: ProcessId) -> Event {
    Act::Indicate(p, Indication::Trust(leader))
}

/// Quiescent histories of two processes.
fn violated(history: &[Event]) -> Vec<&'static str> {
    check(2, history)
}

#[test]
fn all_trust_the_same_one_in_the_end() {
    assert_eq!(violated(&[trusts(P0, P1), trusts(P1, P1)]), NONE);
    assert_eq!(violated(&[trusts(P0, P0), trusts(P1, P1), trusts(P0, P1)]), NONE);
    assert_eq!(violated(&[trusts(P0, P0), trusts(P1, P1)]), VIOLATED);
    assert_eq!(violated(&[trusts(P0, P0)]), VIOLATED);
    assert_eq!(violated(&[]), VIOLATED);
}

#[test]
fn the_one_that_is_trusted_is_correct_and_so_are_those_who_must() {
    assert_eq!(violated(&[trusts(P0, P1), trusts(P1, P1), Act::Crash(P1)]), VIOLATED);
    assert_eq!(violated(&[trusts(P0, P0), trusts(P1, P1), Act::Crash(P1)]), NONE);
    let recovered = [trusts(P0, P1), Act::Crash(P1), Act::Recover(P1)];
    assert_eq!(violated(&recovered), VIOLATED);
    let trusts_again = [trusts(P0, P1), Act::Crash(P1), Act::Recover(P1), trusts(P1, P1)];
    assert_eq!(violated(&trusts_again), NONE);
}

#[test]
fn one_that_is_faulty_without_a_crash_is_no_leader() {
    let finish = |correct: &[bool]| {
        let mut property = Trusted::new(&Setting::of(2));
        let what = Indication::Trust(P1);
        for process in [P0, P1] {
            let (at, what) = (Instant::ZERO, Observation::Indication(&what));
            property.observe(&Observed { at, process, what }).expect("it is liveness");
        }
        property.finish(&End::new(Instant::ZERO, EndCause::Quiescent, correct))
    };
    assert!(finish(&[true, true]).is_ok());
    assert!(finish(&[true, false]).is_err_and(|why| why.message.contains("which is faulty")));
}

/// What two correct processes did up to a horizon of 800 ms: times, and what happened.
fn holds(history: &[(u64, Event)]) -> bool {
    let at = |ms: u64| Instant::from_nanos(ms * 1_000_000);
    let mut property = Trusted::new(&Setting::of(2));
    for (ms, act) in history {
        let (process, what) = match act {
            Act::Indicate(p, what) => (*p, Observation::Indication(what)),
            Act::Crash(p) => (*p, Observation::Crash),
            Act::Recover(p) => (*p, Observation::Recover),
            _ => continue,
        };
        property.observe(&Observed { at: at(*ms), process, what }).expect("it is liveness");
    }
    property.finish(&End::new(at(800), EndCause::Horizon, &[true, true])).is_ok()
}

#[test]
fn before_the_horizon_the_last_quarter_is_the_future() {
    let apart = |ms| holds(&[(0, trusts(P0, P0)), (0, trusts(P1, P0)), (ms, trusts(P1, P1))]);
    assert!(!apart(600));
    assert!(apart(601));
    let restarts = |ms| {
        let both = [(0, trusts(P0, P0)), (0, trusts(P1, P0))];
        holds(&[&both[..], &[(ms, Act::Crash(P1)), (ms + 1, Act::Recover(P1))]].concat())
    };
    assert!(!restarts(590));
    assert!(restarts(700));
}

#[test]
fn who_changes_its_leader_in_each_eighth_never_stops() {
    let changes = |left_out: u64| {
        let eighths = (0..8).filter(|eighth| *eighth != left_out);
        let one = |eighth| [(100 * eighth, trusts(P0, P1)), (100 * eighth + 50, trusts(P0, P0))];
        let mut history: Vec<_> = eighths.flat_map(one).collect();
        history.push((750, trusts(P1, P0)));
        holds(&history)
    };
    assert!(!changes(8));
    for left_out in 0..7 {
        assert!(changes(left_out), "all but {left_out}");
    }
}

#[test]
fn who_crashes_in_each_eighth_is_not_to_be_trusted() {
    let restarts = |eighths: std::ops::Range<u64>| {
        let one =
            |eighth| [(100 * eighth + 1, Act::Crash(P1)), (100 * eighth + 2, Act::Recover(P1))];
        let mut history = vec![(0, trusts(P0, P1))];
        history.extend(eighths.flat_map(one));
        holds(&history)
    };
    assert!(!restarts(0..8));
    assert!(restarts(1..8));
}
