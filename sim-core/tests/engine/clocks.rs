//! Clocks that are off, run fast or slow, jump or stand still: what their processes see, and when
//! their timers run out.

use ftsim_core::environment::clock::Shift;
use ftsim_core::fault::Action;
use ftsim_core::fault::condition::{Condition, Persistence};
use ftsim_core::{Duration, ProcessId};

use crate::scripted::{Do, Stage, at};

const P0: ProcessId = ProcessId(0);

/// At 100 ms, for 100 ms.
fn begin(condition: Condition) -> Action {
    Action::Begin(condition, Persistence::Transient(Duration::from_millis(100)))
}

/// What p0's clock shows at 50, 150 and 250 ms, in milliseconds.
fn shown(action: Action) -> [u64; 3] {
    let lines = [50, 150, 250].map(|ms| (ms, 0, vec![Do::Clock]));
    let said = Stage::new(1, &lines).fault(at(100), action).play();
    let clock = |line: &String| {
        let nanos = line.trim_end_matches(')').rsplit('(').next().and_then(|n| n.parse().ok());
        nanos.map(|nanos: u64| nanos / 1_000_000)
    };
    let shown: Vec<u64> = said.iter().filter_map(clock).collect();
    shown.try_into().expect("three readings")
}

/// When a timer that p0 sets at `set_at` for 60 ms runs out.
fn rings(set_at: u64, action: Action) -> String {
    let stage = Stage::new(1, &[(set_at, 0, vec![Do::SetTimer(60, 1)])]).fault(at(100), action);
    stage.play().join(" ")
}

#[test]
fn a_skewed_clock_shows_something_else_and_its_timers_do_not_care() {
    let ahead = || begin(Condition::Skew(P0, Shift::Ahead(Duration::from_millis(30))));
    assert_eq!(shown(ahead()), [50, 180, 250]);
    assert_eq!(rings(80, ahead()), "140 p0 Rang(1)");
    let behind = begin(Condition::Skew(P0, Shift::Behind(Duration::from_millis(200))));
    assert_eq!(shown(behind), [50, 0, 250]);
}

#[test]
fn a_clock_that_jumps_stays_there() {
    let jump = || Action::Jump(P0, Shift::Behind(Duration::from_millis(30)));
    assert_eq!(shown(jump()), [50, 120, 220]);
    assert_eq!(rings(80, jump()), "140 p0 Rang(1)");
}

#[test]
fn a_fast_clock_gains_and_what_it_gained_stays() {
    let fast = || begin(Condition::Drift(P0, 1_000_000));
    assert_eq!(shown(fast()), [50, 200, 350]);
    // 20 ms pass at the true rate, the other 40 twice as fast.
    assert_eq!(rings(80, fast()), "120 p0 Rang(1)");
    assert_eq!(rings(110, fast()), "140 p0 Rang(1)");
    // 40 ms are left when the clock is true again.
    assert_eq!(rings(190, fast()), "240 p0 Rang(1)");
}

#[test]
fn a_slow_clock_makes_timers_late() {
    let slow = || begin(Condition::Drift(P0, -500_000));
    assert_eq!(shown(slow()), [50, 125, 200]);
    assert_eq!(rings(80, slow()), "180 p0 Rang(1)");
}

#[test]
fn a_clock_that_stands_still_holds_its_timers() {
    let freeze = || begin(Condition::Freeze(P0));
    assert_eq!(shown(freeze()), [50, 100, 150]);
    assert_eq!(rings(80, freeze()), "240 p0 Rang(1)");
    assert_eq!(rings(150, freeze()), "260 p0 Rang(1)");
    let lines = [(80, 0, vec![Do::SetTimer(60, 1)]), (150, 0, vec![Do::Cancel(1)])];
    assert_eq!(Stage::new(1, &lines).fault(at(100), freeze()).play(), [""; 0]);
    let lines = [(80, 0, vec![Do::SetTimer(60, 1)]), (150, 0, vec![Do::SetTimer(10, 1)])];
    assert_eq!(Stage::new(1, &lines).fault(at(100), freeze()).play(), ["210 p0 Rang(1)"]);
}

#[test]
fn timers_keep_their_order_over_a_frozen_clock() {
    let set = vec![Do::SetTimer(60, 2), Do::SetTimer(60, 1), Do::SetTimer(50, 3)];
    let stage = Stage::new(1, &[(80, 0, set)]).fault(at(100), begin(Condition::Freeze(P0)));
    assert_eq!(stage.play(), ["230 p0 Rang(3)", "240 p0 Rang(2)", "240 p0 Rang(1)"]);
}
