use std::collections::BTreeSet;

use ftsim_core::bench::{Bench, sends};
use ftsim_protocols::order::TobConsensus;

const NONE: [&str; 0] = [];
const TOLERANT: [&str; 2] = ["flooding", "hierarchical"];

fn bench(n: u32, consensus: &str) -> Bench {
    let params = format!(r#"{{"consensus": "{consensus}"}}"#);
    Bench::of::<TobConsensus>(n).params(&params).perfect_detector("0ms..20ms")
}

/// One process broadcasts once.
fn one_sender(n: u32, consensus: &str) -> Bench {
    bench(n, consensus).workload(r#"{"senders": ["p1"]}"#).lockstep()
}

/// All broadcast, and up to this many crash.
fn crashes(n: u32, consensus: &str, most: u32) -> Bench {
    let bench = bench(n, consensus).workload(r#"{"broadcasts": 3, "every": "4ms"}"#);
    bench.random_crashes(most, "0ms..40ms")
}

#[test]
fn a_broadcast_costs_n_times_n_minus_1_messages_and_those_of_the_consensus() {
    for n in [2, 3, 5, 9] {
        let pairs = u64::from(n * (n - 1));
        for (name, messages) in
            [("flooding", 2 * pairs), ("hierarchical", pairs / 2), ("all-to-all", pairs)]
        {
            let run = one_sender(n, name).run(1);
            assert_eq!(run.violated(), NONE, "{name}, n = {n}");
            let of = |kind| run.statistics.sent_of(kind);
            assert_eq!(of("Data"), pairs, "{name}, n = {n}");
            assert_eq!(of("Consensus"), messages, "{name}, n = {n}");
            assert_eq!(run.indication_steps().len(), n as usize);
        }
    }
}

#[test]
fn a_message_that_reaches_one_process_alone_reaches_all() {
    for consensus in TOLERANT {
        for sent in 1..3 {
            let run = one_sender(4, consensus).crash(1, sends(1, "Data", sent)).run(1);
            assert_eq!(run.violated(), NONE, "{consensus}, {sent}");
            assert_eq!(run.indication_steps().len(), 3, "{consensus}, {sent}");
        }
    }
}

#[test]
fn a_process_may_crash_between_any_two_messages_of_a_round() {
    for consensus in TOLERANT {
        for process in 0..3 {
            for sent in 1..6 {
                let crash = sends(process, "Consensus", sent);
                let run = one_sender(4, consensus).crash(process, crash).run(1);
                assert_eq!(run.violated(), NONE, "{consensus}, p{process}, {sent}");
                assert!(run.indication_steps().len() >= 3, "{consensus}, p{process}, {sent}");
            }
        }
    }
}

#[test]
fn any_crashes_below_n_are_survived_in_one_order() {
    let mut reached = BTreeSet::new();
    for consensus in TOLERANT {
        for n in [2, 3, 4, 5] {
            for seed in 0..300 {
                let run = crashes(n, consensus, n - 1).run(seed);
                assert_eq!(run.violated(), NONE, "{consensus}, n = {n}, seed {seed}");
                reached.extend(run.reached.iter().copied());
            }
        }
    }
    for label in ["a batch of several messages", "heard of a later round"] {
        assert!(reached.contains(label), "{label}");
    }
}

#[test]
fn without_failures_the_order_is_uniform_over_consensus_that_tolerates_none() {
    for seed in 0..300 {
        assert_eq!(crashes(4, "all-to-all", 0).run(seed).violated(), NONE, "seed {seed}");
    }
    let violated = crashes(4, "all-to-all", 1).violated_in(0..100);
    assert!(violated.iter().any(|ids| ids.contains(&"beb.validity")));
}

#[test]
fn each_mutant_violates_its_property_and_no_more_than_follows() {
    let lost = ["beb.validity", "rb.validity", "rb.agreement"];
    for consensus in TOLERANT {
        for (mutant, must, may) in [
            ("batch-arrival-order", "bc.total-order", &["bc.total-order"][..]),
            ("own-batch", "beb.validity", &lost),
            ("forget-suspects", "beb.validity", &lost),
        ] {
            let violated = crashes(3, consensus, 1).mutant(mutant).violated_in(0..300);
            let count = violated.iter().filter(|ids| ids.contains(&must)).count();
            assert!(count > 0, "{consensus}, {mutant}");
            let all: BTreeSet<_> = violated.into_iter().flatten().collect();
            assert!(all.iter().all(|id| may.contains(id)), "{consensus}, {mutant}: {all:?}");
        }
    }
}
