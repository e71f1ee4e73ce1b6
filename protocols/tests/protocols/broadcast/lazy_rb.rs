use ftsim_core::Instant;
use ftsim_core::bench::{Bench, STEP, after_effect, sends};
use ftsim_core::environment::detector::Mistake;
use ftsim_core::prelude::*;
use ftsim_protocols::broadcast::LazyRb;

/// Only p0 broadcasts, once; a message takes 10 ms, and every crash is reported after
/// `detection`.
fn one_sender(n: u32, detection: &str) -> Bench {
    Bench::of::<LazyRb>(n).workload(r#"{"senders": ["p0"]}"#).lockstep().perfect_detector(detection)
}

#[test]
fn without_failure_a_broadcast_costs_n_minus_1_messages_and_one_step() {
    for n in [1, 2, 5, 9] {
        let run = one_sender(n, "5ms").run(1);
        assert_eq!(run.statistics.sent(), u64::from(n) - 1);
        assert_eq!(run.steps(), u64::from(n > 1));
    }
}

#[test]
fn a_detected_sender_costs_n_minus_1_squared_messages_more() {
    for n in [2, 3, 5, 9] {
        let others = u64::from(n) - 1;
        for (detection, turn) in [("5ms", "relayed on arrival"), ("15ms", RELAYED_LATER)] {
            let run = one_sender(n, detection).crash(0, after_effect(0, u64::from(n))).run(1);
            assert_eq!(run.statistics.sent(), others + others * others);
            assert_eq!(run.reached, [turn]);
            assert_eq!(run.violated(), [] as [&str; 0]);
        }
    }
}
const RELAYED_LATER: &str = "relayed on suspicion";

#[test]
fn one_detected_sender_never_costs_more_than_that() {
    for (n, nth) in [(3, 1), (3, 2), (3, 3), (3, 4), (5, 1), (5, 2), (5, 3), (5, 5), (5, 6)] {
        let run = one_sender(n, "15ms").crash(0, after_effect(0, nth)).run(1);
        let others = u64::from(n) - 1;
        let sent = run.statistics.sent();
        assert!(sent <= others + others * others, "n = {n}, crash after {nth}: {sent}");
        assert_eq!(run.unfired, [] as [usize; 0]);
    }
}

#[test]
fn wrong_suspicions_cost_messages_and_break_nothing() {
    let mut bench = one_sender(5, "5ms");
    let mistake = |observer: u32| Mistake {
        observer: ProcessId(observer),
        suspects: ProcessId(0),
        at: Instant::ZERO + STEP.times(u64::from(observer)),
        until: None,
    };
    bench.experiment.detector.mistakes = (1..5).map(mistake).collect();
    let run = bench.run(1);
    assert_eq!(run.statistics.sent(), 4 + 4 * 4);
    assert_eq!(run.violated(), [] as [&str; 0]);
}

#[test]
fn agreement_needs_a_detector_that_tells_everybody() {
    let mut bench = one_sender(3, "15ms").crash(0, sends(0, "Data", 1));
    assert_eq!(bench.run(1).violated(), [] as [&str; 0]);
    bench.experiment.detector.blind = vec![(ProcessId(1), ProcessId(0))];
    assert_eq!(bench.run(1).violated(), ["rb.agreement"]);
}

#[test]
fn agreement_needs_the_relay_on_arrival() {
    let bench = || one_sender(3, "5ms").crash(0, sends(0, "Data", 1));
    assert_eq!(bench().run(1).violated(), [] as [&str; 0]);
    assert_eq!(bench().mutant("no-late-relay").run(1).violated(), ["rb.agreement"]);
}

#[test]
fn any_crashes_below_n_are_survived_but_not_by_the_mutant() {
    let mut mutant_fails = 0;
    for seed in 0..400 {
        let bench = Bench::of::<LazyRb>(5).workload(r#"{"broadcasts": 2, "every": "4ms"}"#);
        let bench = bench.perfect_detector("0ms..10ms").random_crashes(4, "0ms..20ms");
        assert_eq!(bench.run(seed).violated(), [] as [&str; 0], "seed {seed}");
        mutant_fails += bench.mutant("no-late-relay").run(seed).violated().len();
    }
    assert!(mutant_fails > 0);
}
