use ftsim_core::bench::Bench;
use ftsim_protocols::election::ChangRoberts;

const NONE: [&str; 0] = [];
const ALL_AT_ONCE: &str = r#"{"at": "0ms"}"#;

fn ring(ids: &[u64]) -> Bench {
    let n = u32::try_from(ids.len()).unwrap();
    Bench::of::<ChangRoberts>(n).params(&format!(r#"{{"ids": {ids:?}}}"#))
}

fn only(p: usize) -> String {
    format!(r#"{{"initiators": ["p{p}"], "at": "0ms"}}"#)
}

/// All orders of the ids 1 to `n`.
fn orders(n: u64) -> Vec<Vec<u64>> {
    let Some(less) = n.checked_sub(1) else { return vec![Vec::new()] };
    let insert = |order: Vec<u64>| {
        (0..=order.len()).map(move |at| [&order[..at], &[n], &order[at..]].concat())
    };
    orders(less).into_iter().flat_map(insert).collect()
}

#[test]
fn the_mean_over_all_orders_is_exactly_n_times_h_n() {
    for n in 3..=5 {
        let orders = orders(n);
        let mut sum = 0;
        for ids in &orders {
            let run = ring(ids).workload(ALL_AT_ONCE).lockstep().run(1);
            let candidates = run.statistics.sent_of("Election");
            assert!((2 * n - 1..=n * (n + 1) / 2).contains(&candidates), "{ids:?}: {candidates}");
            assert_eq!(run.statistics.sent_of("Elected"), n);
            assert_eq!(run.violated(), NONE);
            sum += candidates;
        }
        // n! orders with n · H_n each, on the average: n! · n · (1 + 1/2 + .. + 1/n).
        let count = orders.len() as u64;
        assert_eq!(count, (1..=n).product::<u64>());
        assert_eq!(sum, (1..=n).map(|k| n * count / k).sum::<u64>());
    }
}

#[test]
fn the_best_order_costs_2n_minus_1_and_the_worst_n_times_n_plus_1_over_2() {
    for n in [2, 3, 5, 9, 20] {
        let growing: Vec<u64> = (1..=n).collect();
        let falling: Vec<u64> = (1..=n).rev().collect();
        for (ids, expected) in [(growing, 2 * n - 1), (falling, n * (n + 1) / 2)] {
            let run = ring(&ids).workload(ALL_AT_ONCE).lockstep().run(1);
            assert_eq!(run.statistics.sent_of("Election"), expected);
            assert_eq!(run.statistics.sent(), expected + n);
        }
    }
}

#[test]
fn one_initiator_costs_at_most_3n_minus_1() {
    for n in [2, 3, 5, 9] {
        // The greatest is just before the initiator: n − 1 messages reach it, its own takes n.
        let growing: Vec<u64> = (1..=n).collect();
        let run = ring(&growing).workload(&only(0)).lockstep().run(1);
        assert_eq!(run.statistics.sent(), 3 * n - 1);
        assert_eq!(run.steps(), 3 * n - 1);
        // The greatest begins itself.
        let run = ring(&growing).workload(&only(growing.len() - 1)).lockstep().run(1);
        assert_eq!((run.statistics.sent(), run.steps()), (2 * n, 2 * n));
    }
    // No order is worse.
    let worst = 3 * 5 - 1;
    for ids in orders(5) {
        let run = ring(&ids).workload(&only(2)).lockstep().run(1);
        assert_eq!(run.violated(), NONE);
        assert!(run.statistics.sent() <= worst, "{ids:?}");
    }
}

#[test]
fn drawn_ids_in_any_order_elect_the_greatest_whatever_the_delays() {
    let bench = Bench::of::<ChangRoberts>(6).workload(r#"{"elections": 2}"#);
    for seed in 0..500 {
        let run = bench.run(seed);
        assert_eq!(run.violated(), NONE, "seed {seed}");
        assert!(run.statistics.sent_of("Election") <= 6 * 7 / 2, "seed {seed}");
    }
}

#[test]
fn a_process_alone_leads() {
    let run = Bench::of::<ChangRoberts>(1).run(1);
    assert_eq!((run.statistics.sent(), run.violated()), (0, vec![]));
}

#[test]
fn each_mutant_breaks_what_it_says_and_nothing_that_it_does_not_concern() {
    let violated = |mutant: &str, ids: &[u64]| {
        ring(ids).mutant(mutant).workload(ALL_AT_ONCE).lockstep().run(1).violated()
    };
    let ids = [3, 1, 4, 2];
    let all = ["el.one-leader", "el.agreement", "el.max", "el.termination"];
    assert_eq!(violated("forward-all-no-stop", &ids), all[..3]);
    assert_eq!(violated("duplicate-ids", &[7, 1, 7, 2]), all[..1]);
    assert_eq!(violated("name-at-sight", &ids), all[1..3]);
    assert_eq!(violated("least-wins", &ids), all[2..3]);
    assert_eq!(violated("no-announcement", &ids), all[3..]);
}

#[test]
fn forward_all_no_stop_brings_every_id_home() {
    for n in [2, 4, 7] {
        let ids: Vec<u64> = (1..=n).collect();
        let bench = ring(&ids).mutant("forward-all-no-stop").workload(ALL_AT_ONCE);
        assert_eq!(bench.lockstep().run(1).statistics.sent_of("Election"), n * n);
    }
}

#[test]
fn ids_that_are_too_few_or_too_many_are_refused() {
    for ids in ["[1, 2]", "[1, 2, 3, 4]"] {
        let bench = Bench::of::<ChangRoberts>(3).params(&format!(r#"{{"ids": {ids}}}"#));
        assert!(bench.refused().is_some(), "{ids}");
    }
}
