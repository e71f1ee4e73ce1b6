use ftsim_core::bench::Bench;
use ftsim_core::environment::detector::Mistake;
use ftsim_core::fault::{InFlight, Trigger};
use ftsim_core::prelude::*;
use ftsim_core::{Duration, Instant};
use ftsim_protocols::broadcast::UniformRb;

const ALL_ACK: &str = r#"{"variant": "all-ack"}"#;
const MAJORITY: &str = r#"{"variant": "majority"}"#;

/// Only p0 broadcasts, once; a message takes 10 ms, and every crash is reported after 15.
fn one_sender(n: u32, params: &str) -> Bench {
    let bench = Bench::of::<UniformRb>(n).workload(r#"{"senders": ["p0"]}"#).params(params);
    bench.lockstep().perfect_detector("15ms")
}

const fn at(ms: u64) -> Instant {
    Instant::from_nanos(Duration::from_millis(ms).as_nanos())
}

#[test]
fn a_broadcast_costs_n_times_n_minus_1_messages_and_two_steps() {
    for params in [ALL_ACK, MAJORITY] {
        for n in [2, 3, 4, 5, 9] {
            let run = one_sender(n, params).run(1);
            assert_eq!(run.statistics.sent(), u64::from(n * (n - 1)));
            assert_eq!(run.indication_steps().len(), n as usize);
            assert_eq!(run.indication_steps().last(), Some(&2));
            assert_eq!(run.steps(), 2);
        }
    }
}

#[test]
fn where_the_first_copy_is_enough_the_others_deliver_a_step_early() {
    // The sender's acknowledgement and one's own: all of two, and more than half of three.
    assert_eq!(one_sender(2, ALL_ACK).run(1).indication_steps(), [1, 2]);
    assert_eq!(one_sender(3, ALL_ACK).run(1).indication_steps(), [2, 2, 2]);
    assert_eq!(one_sender(3, MAJORITY).run(1).indication_steps(), [1, 1, 2]);
    assert_eq!(one_sender(4, MAJORITY).run(1).indication_steps(), [2, 2, 2, 2]);
}

#[test]
fn all_ack_waits_for_a_crashed_process_until_it_is_told() {
    let run = one_sender(3, ALL_ACK).crash(2, Trigger::At(at(5))).run(1);
    assert_eq!(run.reached, ["released by suspicion"]);
    assert_eq!(run.at, at(20));
    assert_eq!(run.violated(), [] as [&str; 0]);
}

#[test]
fn all_ack_needs_an_accurate_detector() {
    let bench = one_sender(2, ALL_ACK);
    let mut bench = bench.crash_with(0, Trigger::At(at(2)), InFlight::Lose);
    assert_eq!(bench.run(1).violated(), [] as [&str; 0]);
    let (observer, suspects) = (ProcessId(0), ProcessId(1));
    let mistake = Mistake { observer, suspects, at: at(1), until: None };
    bench.experiment.detector.mistakes = vec![mistake];
    assert_eq!(bench.run(1).violated(), ["rb.uniform-agreement"]);
}

#[test]
fn all_ack_needs_a_complete_detector() {
    let mut bench = one_sender(2, ALL_ACK).crash(1, Trigger::At(at(5)));
    assert_eq!(bench.run(1).violated(), [] as [&str; 0]);
    bench.experiment.detector.blind = vec![(ProcessId(0), ProcessId(1))];
    assert_eq!(bench.run(1).violated(), ["beb.validity", "rb.validity"]);
}

#[test]
fn half_of_five_rounded_down_can_all_crash_within_the_bound() {
    // p0 and p1 have each other's acknowledgement at 10 and 20 ms. What they sent to the others
    // would arrive at 100 ms, and is lost with them.
    let bench = || {
        let mut bench = one_sender(5, MAJORITY);
        let mut slow = bench.experiment.network.default.clone();
        slow.delay =
            ftsim_core::environment::delay::Delay::Uniform("100ms".parse().expect("a duration"));
        for (p, q) in [(0, 2), (0, 3), (0, 4), (1, 2), (1, 3), (1, 4)] {
            let link = (ProcessId(p), ProcessId(q));
            bench.experiment.network.overrides.push((link, slow.clone()));
        }
        let crash = |bench: Bench, p| bench.crash_with(p, Trigger::At(at(50)), InFlight::Lose);
        crash(crash(bench, 0), 1)
    };
    assert_eq!(bench().run(1).violated(), [] as [&str; 0]);
    assert_eq!(bench().mutant("half").run(1).violated(), ["rb.uniform-agreement"]);
}

#[test]
fn without_a_majority_the_majority_variant_stalls_and_stays_safe() {
    for n in [2, 4, 6] {
        let bench = one_sender(n, MAJORITY);
        let half = n / 2..n;
        let bench = half.fold(bench, |bench, p| bench.crash(p, Trigger::At(at(5))));
        assert_eq!(bench.run(1).violated(), ["beb.validity", "rb.validity"]);
    }
}

#[test]
fn the_mutant_half_is_one_of_the_majority_variant_and_of_odd_numbers_only() {
    let refused = |n, params| {
        let bench = Bench::of::<UniformRb>(n).params(params).mutant("half");
        bench.refused().map(|invalid| invalid.key)
    };
    assert_eq!(refused(5, MAJORITY), None);
    assert_eq!(refused(5, ALL_ACK).as_deref(), Some("params.variant"));
    assert_eq!(refused(4, MAJORITY).as_deref(), Some("params.mutant"));
}

#[test]
fn crashes_within_the_bound_are_survived() {
    for seed in 0..400 {
        for (params, crashes) in [(ALL_ACK, 4), (MAJORITY, 2)] {
            let bench = Bench::of::<UniformRb>(5).params(params);
            let bench = bench.workload(r#"{"broadcasts": 2, "every": "4ms"}"#);
            let bench = bench.perfect_detector("1ms..20ms").random_crashes(crashes, "0ms..20ms");
            let run = bench.run(seed);
            assert_eq!(run.violated(), [] as [&str; 0], "seed {seed}, {params}");
        }
    }
}

#[test]
fn beyond_its_bound_the_majority_variant_loses_liveness_alone() {
    // Uniform agreement is liveness: after a delivery, too few may be left to acknowledge to
    // the others.
    let mut stalls = 0;
    for seed in 0..400 {
        let bench = Bench::of::<UniformRb>(4).params(MAJORITY).random_crashes(3, "0ms..20ms");
        let violated = bench.run(seed).violated();
        let liveness =
            |id: &&str| ["beb.validity", "rb.validity", "rb.uniform-agreement"].contains(id);
        assert!(violated.iter().all(liveness), "seed {seed}: {violated:?}");
        stalls += violated.len();
    }
    assert!(stalls > 0);
}
