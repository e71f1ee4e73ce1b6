//! Self-stabilisation, on histories written by hand.

use ftsim_core::bench::history::{Act, judge};
use ftsim_core::model::property::{End, EndCause, Observation, Observed, Verdict};
use ftsim_core::{Instant, ProcessId, Property, Setting};

use super::{Convergence, Indication, Stabilisation, State, moves_max};

type Event = Act<Stabilisation>;

const CONVERGENCE: &str = "stab.convergence";
const CLOSURE: &str = "stab.closure";
const PROGRESS: &str = "me.progress";
const EXCLUSION: &str = "me.exclusion";

fn setting(n: u32) -> Setting {
    Setting { roles: vec![("machine".into(), n), ("daemon".into(), 1)], ..Setting::of(n + 1) }
}

fn violated(history: &[Event]) -> Vec<&'static str> {
    let verdicts = judge(&setting(3), history, true).into_iter();
    verdicts.filter(|(_, v)| matches!(v, Verdict::Violated(_))).map(|(id, _)| id).collect()
}

fn is(p: u32, state: State) -> Event {
    Act::Indicate(ProcessId(p), Indication::Is { state, is_root: p == 0 })
}

fn stays(p: u32, state: State) -> Event {
    Act::Indicate(ProcessId(p), Indication::Stays(state))
}

fn moves(p: u32, from: State, to: State) -> Event {
    Act::Indicate(ProcessId(p), Indication::Moves { from, to })
}

fn start(states: [State; 3]) -> Vec<Event> {
    (0..3).zip(states).map(|(p, state)| is(p, state)).collect()
}

fn after(states: [State; 3], rest: Vec<Event>) -> Vec<Event> {
    start(states).into_iter().chain(rest).collect()
}

#[test]
fn a_legal_ring_is_left_by_no_legal_move() {
    // No events are left at the end of these histories, so nobody is chosen any more.
    let round = vec![moves(0, 0, 1), moves(1, 0, 1), moves(2, 0, 1), moves(0, 1, 2)];
    assert_eq!(violated(&after([0, 0, 0], round)), [PROGRESS]);
    // p2 moves to a state that is nobody's.
    let astray = violated(&after([1, 1, 0], vec![moves(2, 0, 2)]));
    assert_eq!(astray, [PROGRESS]);
    let astray = violated(&after([1, 1, 1], vec![moves(1, 1, 0)]));
    assert_eq!(astray, [CONVERGENCE, CLOSURE, PROGRESS, EXCLUSION]);
}

#[test]
fn a_fault_is_no_move_and_must_be_recovered_from() {
    // p1 is found in another state than it was in: it and p2 are privileged beside the root.
    let fault = vec![is(1, 2)];
    assert_eq!(violated(&after([0, 0, 0], fault)), [CONVERGENCE, PROGRESS, EXCLUSION]);
    let recovers = vec![is(1, 2), moves(1, 2, 0)];
    assert_eq!(violated(&after([0, 0, 0], recovers)), [PROGRESS, EXCLUSION]);
    // The fault is seen only when its victim moves.
    let seen_late = vec![moves(1, 2, 0)];
    assert_eq!(violated(&after([0, 0, 0], seen_late)), [PROGRESS]);
}

#[test]
fn two_privileges_at_the_start_end_in_one() {
    assert_eq!(violated(&start([0, 1, 0])), [CONVERGENCE, PROGRESS, EXCLUSION]);
    let converges = vec![moves(1, 1, 0)];
    assert_eq!(violated(&after([0, 1, 0], converges)), [PROGRESS, EXCLUSION]);
    // A ring of which a machine has said nothing is in no known state.
    assert_eq!(violated(&[is(0, 0), is(1, 1)]), [PROGRESS]);
}

/// What the properties say of a history that the horizon ends.
fn at_the_horizon(history: &[Event]) -> Vec<(&'static str, bool, bool)> {
    let judged = Stabilisation::entries().map(|entry| {
        let mut property = (entry.checker)(&setting(3));
        for act in history {
            let Act::Indicate(process, what) = act else { continue };
            let (at, what) = (Instant::ZERO, Observation::Indication(what));
            if property.observe(&Observed { at, process: *process, what }).is_err() {
                return (entry.id.0, true, false);
            }
        }
        let end = End::new(Instant::from_nanos(1), EndCause::Horizon, &[true; 4]);
        let is_violated = property.finish(&end).is_err();
        (entry.id.0, is_violated, property.undecided().is_some())
    });
    judged.collect()
}

impl Stabilisation {
    fn entries() -> impl Iterator<Item = &'static ftsim_core::PropertyEntry<Self>> {
        use ftsim_core::Spec as _;
        Self::PROPERTIES.iter()
    }
}

#[test]
fn nobody_moves_if_all_were_chosen_in_vain() {
    let all = vec![stays(0, 0), stays(1, 0), stays(2, 0)];
    let progress = |history: &[Event]| {
        at_the_horizon(history).into_iter().any(|(id, violated, _)| id == PROGRESS && violated)
    };
    assert!(progress(&after([0, 0, 0], all.clone())));
    assert!(!progress(&after([0, 0, 0], all[..2].to_vec())));
    let moved = [&all[..2], &[moves(0, 0, 1)], &all[2..]].concat();
    assert!(!progress(&after([0, 0, 0], moved)));
    let struck = [&all[..2], &[is(1, 2)], &all[2..]].concat();
    assert!(!progress(&after([0, 0, 0], struck)));
}

#[test]
fn convergence_is_due_after_so_many_moves() {
    let most = moves_max(3);
    // The root's moves alone never make [_, 1, 0] legal: its successors stay apart.
    let after_moves = |count: u64| {
        let moving = (0..count).map(|i| {
            let from = State::try_from(i).unwrap();
            moves(0, 10 + from, 11 + from)
        });
        let mut property = Convergence::new(&setting(3));
        for act in start([10, 1, 0]).into_iter().chain(moving) {
            let Act::Indicate(process, what) = act else { continue };
            let what = Observation::Indication(&what);
            property.observe(&Observed { at: Instant::ZERO, process, what }).unwrap();
        }
        let end = End::new(Instant::from_nanos(1), EndCause::Horizon, &[true; 4]);
        let is_violated = property.finish(&end).is_err();
        (is_violated, property.undecided().is_some(), property.measured(&end))
    };
    assert_eq!(after_moves(most - 1), (false, true, None));
    assert_eq!(after_moves(most), (true, false, None));
}

#[test]
fn what_is_measured_is_the_moves_until_the_ring_was_legal() {
    let mut property = Convergence::new(&setting(3));
    let history = after([0, 2, 0], vec![moves(0, 0, 1), moves(1, 2, 1), moves(2, 0, 1)]);
    for act in history {
        let Act::Indicate(process, what) = act else { continue };
        let what = Observation::Indication(&what);
        property.observe(&Observed { at: Instant::ZERO, process, what }).unwrap();
    }
    let end = End::new(Instant::from_nanos(1), EndCause::Horizon, &[true; 4]);
    assert_eq!(property.measured(&end), Some(2.0));
}
