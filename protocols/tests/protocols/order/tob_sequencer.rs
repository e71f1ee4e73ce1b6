use std::collections::BTreeSet;

use ftsim_core::Instant;
use ftsim_core::bench::{Bench, STEP, sends};
use ftsim_core::fault::Trigger;
use ftsim_protocols::order::TobSequencer;

const NONE: [&str; 0] = [];

fn bench(n: u32, mode: &str) -> Bench {
    let bench = Bench::of::<TobSequencer>(n).params(&format!(r#"{{"mode": "{mode}"}}"#));
    bench.perfect_detector("0ms..20ms")
}

/// One process broadcasts once.
fn one_sender(n: u32, mode: &str, sender: &str) -> Bench {
    bench(n, mode).workload(&format!(r#"{{"senders": ["{sender}"]}}"#)).lockstep()
}

/// All broadcast, and up to this many crash.
fn crashes(n: u32, mode: &str, most: u32) -> Bench {
    let bench = bench(n, mode).workload(r#"{"broadcasts": 3, "every": "4ms"}"#);
    bench.random_crashes(most, "0ms..30ms")
}

#[test]
fn a_broadcast_costs_n_messages_or_2_times_n_minus_1_and_two_steps() {
    for n in [2, 3, 5, 9] {
        for (mode, messages) in [("ub", n), ("bb", 2 * (n - 1))] {
            let run = one_sender(n, mode, "p1").run(1);
            assert_eq!(run.statistics.sent(), u64::from(messages), "{mode}, n = {n}");
            assert_eq!(run.indication_steps().last(), Some(&2));
            assert_eq!(run.indication_steps().len(), n as usize);
        }
    }
}

#[test]
fn a_broadcast_of_the_sequencer_costs_n_minus_1_messages_and_one_step() {
    for n in [1, 2, 5, 9] {
        for mode in ["ub", "bb"] {
            let run = one_sender(n, mode, "p0").run(1);
            assert_eq!(run.statistics.sent(), u64::from(n - 1), "{mode}, n = {n}");
            assert_eq!(run.steps(), u64::from(n > 1));
        }
    }
}

#[test]
fn a_new_sequencer_costs_2_times_n_minus_2_messages() {
    for n in [2, 3, 5, 9] {
        for mode in ["ub", "bb"] {
            let at = Trigger::At(Instant::ZERO + STEP.times(5));
            let run = one_sender(n, mode, "p1").crash(0, at).run(1);
            let of = |kind| run.statistics.sent_of(kind);
            assert_eq!((of("State"), of("Sequence")), (u64::from(n - 2), u64::from(n - 2)));
            assert_eq!(run.reached, ["took over"]);
            assert_eq!(run.violated(), NONE);
        }
    }
}

#[test]
fn a_message_that_reaches_one_process_alone_reaches_all() {
    for sent in 1..4 {
        let run = one_sender(4, "ub", "p1").crash(0, sends(0, "Ordered", sent)).run(1);
        assert_eq!(run.violated(), NONE);
        assert_eq!(run.indication_steps().len(), 3);
    }
    // Its sender crashes when the sequencer alone has it.
    let run = one_sender(4, "bb", "p1").crash(1, sends(1, "Data", 1)).run(1);
    assert_eq!(run.violated(), NONE);
    assert_eq!(run.indication_steps().len(), 3);
    assert_eq!(run.reached, ["asked for a message"]);
}

#[test]
fn any_crashes_below_n_are_survived_in_one_order() {
    let mut reached = BTreeSet::new();
    for mode in ["ub", "bb"] {
        for n in [2, 3, 4, 5] {
            for seed in 0..300 {
                let run = crashes(n, mode, n - 1).run(seed);
                assert_eq!(run.violated(), NONE, "{mode}, n = {n}, seed {seed}");
                reached.extend(run.reached.iter().copied());
            }
        }
    }
    assert_eq!(reached.len(), 2, "{reached:?}");
}

#[test]
fn each_mutant_violates_its_property_and_no_more_than_follows() {
    for mode in ["ub", "bb"] {
        // What has lost its place can come again, in another one.
        let lost = ["beb.validity", "rb.validity", "rb.agreement", "bc.total-order"];
        for (mutant, must, may) in [
            ("no-agreement", "rb.agreement", &lost[..]),
            ("skip-gap", "bc.total-order", &["bc.total-order"]),
        ] {
            // Who delivers out of place and has no crash to recover from loses nothing.
            let most = u32::from(mutant == "no-agreement");
            let violated = crashes(3, mode, most).mutant(mutant).violated_in(0..200);
            let count = violated.iter().filter(|ids| ids.contains(&must)).count();
            assert!(count > 0, "{mode}, {mutant}");
            let all: BTreeSet<_> = violated.into_iter().flatten().collect();
            assert!(all.iter().all(|id| may.contains(id)), "{mode}, {mutant}: {all:?}");
        }
    }
}
