use ftsim_core::bench::{Bench, sends};
use ftsim_core::environment::network::Order;
use ftsim_protocols::order::LamportTomFt;

const NONE: [&str; 0] = [];
const FETCH: &str = r#"{"repair": "fetch"}"#;

/// Only p0 multicasts, once; a message takes 10 ms, and every crash is reported after 15 ms.
fn one_sender(n: u32) -> Bench {
    let bench = Bench::of::<LamportTomFt>(n).workload(r#"{"senders": ["p0"]}"#);
    bench.lockstep().perfect_detector("15ms")
}

/// All multicast, and up to this many crash.
fn crashes(n: u32, most: u32) -> Bench {
    let bench = Bench::of::<LamportTomFt>(n).workload(r#"{"broadcasts": 3, "every": "4ms"}"#);
    let mut bench = bench.perfect_detector("0ms..20ms").random_crashes(most, "0ms..30ms");
    bench.experiment.network.default.order = Order::Fifo;
    bench
}

#[test]
fn without_failure_a_multicast_costs_what_it_costs_lamport() {
    for n in [2, 3, 5, 9] {
        let run = one_sender(n).run(1);
        assert_eq!(run.statistics.sent(), u64::from(n * (n - 1)));
        assert_eq!(run.statistics.sent_of("Data"), u64::from(n - 1));
        assert_eq!(run.indication_steps().last(), Some(&2));
    }
}

#[test]
fn a_crash_costs_n_minus_1_times_n_minus_2_flushes() {
    for n in [2, 3, 5, 9] {
        for sent in [1, u64::from(n) - 1] {
            let run = one_sender(n).crash(0, sends(0, "Data", sent)).run(1);
            assert_eq!(run.statistics.sent_of("Flush"), u64::from((n - 1) * (n - 2)));
            assert_eq!(run.violated(), NONE);
            // All survivors deliver what at least one of them has.
            assert_eq!(run.indication_steps().len(), n as usize - 1);
        }
    }
}

#[test]
fn any_crashes_below_n_are_survived_with_all_orders() {
    let mut reached = std::collections::BTreeSet::new();
    for n in [2, 3, 4, 5] {
        for seed in 0..300 {
            let run = crashes(n, n - 1).run(seed);
            assert_eq!(run.violated(), NONE, "n = {n}, seed {seed}");
            reached.extend(run.reached.iter().copied());
        }
    }
    assert_eq!(reached.len(), 2, "{reached:?}");
}

#[test]
fn who_fetches_agrees_on_the_messages_and_not_on_their_order() {
    let mut disorder = 0;
    for seed in 0..1_000 {
        let bench = crashes(4, 3).params(FETCH);
        assert_eq!(bench.run(seed).violated(), NONE, "seed {seed}");
        let bench = bench.mutant("fetch-only").check(ftsim_protocols::spec::broadcast::TOTAL_ORDER);
        let violated = bench.run(seed).violated();
        assert!(violated.iter().all(|id| *id == "bc.total-order"), "seed {seed}: {violated:?}");
        disorder += violated.len();
    }
    assert!((10..300).contains(&disorder), "{disorder} of 1000");
}

#[test]
fn the_mutants_keep_the_order_and_stop() {
    for (name, must) in [("wait-for-dead", "rb.validity"), ("no-repair", "rb.agreement")] {
        let mut shown = 0;
        for seed in 0..200 {
            let violated = crashes(4, 2).mutant(name).run(seed).violated();
            let safe = ["bc.total-order", "bc.fifo", "bc.causal", "rb.no-duplication"];
            let is_unsafe = violated.iter().any(|id| safe.contains(id));
            assert!(!is_unsafe, "{name}, seed {seed}: {violated:?}");
            shown += u32::from(violated.contains(&must));
        }
        assert!(shown > 0, "{name}");
    }
}
