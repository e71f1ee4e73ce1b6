//! Messages and steps of a broadcast, consistency whatever one liar says, and no totality.

use std::collections::BTreeSet;

use ftsim_core::adversary::Behaviour;
use ftsim_core::bench::Bench;
use ftsim_core::prelude::*;
use ftsim_core::{Duration, ProcessSet};
use ftsim_protocols::byzantine::ConsistentBroadcast;
use ftsim_spec::byzantine::TOTALITY;

const NOTHING: [&str; 0] = [];
const GENERIC: [Behaviour; 8] = [
    Behaviour::Silent,
    Behaviour::Withhold(ProcessSet::new()),
    Behaviour::Delay(Duration::from_millis(50)),
    Behaviour::Equivocate,
    Behaviour::Mutate,
    Behaviour::Replay,
    Behaviour::Twins,
    Behaviour::Random,
];

fn consistent(n: u32, f: u32) -> Bench {
    Bench::of::<ConsistentBroadcast>(n).params(&format!(r#"{{"f": {f}}}"#))
}

/// What some of these seeds violate.
fn found(bench: &Bench, seeds: u64) -> BTreeSet<&'static str> {
    bench.violated_in(0..seeds).into_iter().flatten().collect()
}

fn two_faced() -> Behaviour {
    Behaviour::Custom("two-faced".into())
}

#[test]
fn a_broadcast_takes_two_steps_and_n_squared_minus_1_messages() {
    for (n, f) in [(1, 0), (4, 1), (5, 1), (7, 2), (10, 3)] {
        let run = consistent(n, f).workload(r#"{"senders": ["p0"]}"#).lockstep().run(1);
        assert_eq!(run.violated(), NOTHING);
        assert_eq!(run.statistics.sent(), u64::from(n * n - 1));
        assert_eq!(run.indication_steps(), vec![if n > 1 { 2 } else { 0 }; n as usize]);
    }
}

#[test]
fn within_the_bound_no_liar_moves_it() {
    for liar in 0..4 {
        for behaviour in GENERIC.into_iter().chain([two_faced()]) {
            let bench = consistent(4, 1).workload(r#"{"broadcasts": 2}"#);
            let found = found(&bench.byzantine(liar, behaviour.clone()), 100);
            assert_eq!(found, BTreeSet::new(), "p{liar} {behaviour}");
        }
    }
}

#[test]
fn with_3f_processes_nobody_delivers_without_the_liar() {
    let silent = consistent(3, 1).byzantine(0, Behaviour::Silent);
    assert_eq!(found(&silent, 20), BTreeSet::from(["beb.validity"]));
}

#[test]
fn with_more_liars_than_it_counts_with_it_is_inconsistent() {
    let bench = consistent(4, 1).workload(r#"{"senders": ["p0"]}"#);
    let bench = bench.byzantine(0, two_faced()).byzantine(1, two_faced());
    assert_eq!(found(&bench, 100), BTreeSet::from(["brb.consistency"]));
}

#[test]
fn a_sender_that_serves_half_is_delivered_by_some() {
    let but_p3 = Behaviour::Withhold([ProcessId(3)].into_iter().collect());
    let bench = consistent(4, 1).byzantine(0, but_p3).check(TOTALITY);
    assert_eq!(found(&bench, 20), BTreeSet::from(["brb.totality"]));
}

#[test]
fn parameters_that_cannot_be_are_refused() {
    let refused = |f| consistent(3, f).refused().map(|invalid| invalid.key);
    assert_eq!(refused(2), None);
    assert_eq!(refused(3).as_deref(), Some("params.f"));
}
