use ftsim_core::bench::{Bench, sends};
use ftsim_core::environment::delay::Delay;
use ftsim_core::environment::network::Loss;
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::{Duration, Instant, Probability, ProcessId};
use ftsim_protocols::election::Omega;

const NONE: [&str; 0] = [];

fn at(ms: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(ms)
}

fn bench(n: u32, horizon_ms: u64) -> Bench {
    let mut bench = Bench::of::<Omega>(n);
    bench.experiment.limits.horizon = at(horizon_ms);
    bench
}

/// Until a second has passed, heartbeats take up to 400 ms, and two of five are lost.
fn bad_until_a_second(mut bench: Bench) -> Bench {
    let network = &mut bench.experiment.network;
    let (mean, cap) = (Duration::from_millis(15), Duration::from_millis(400));
    network.default.delay = Delay::Exponential { mean, cap };
    network.default.loss = Loss::Independent(Probability::new(0.4).unwrap());
    network.stabilise_at = Some(at(1_000));
    bench
}

#[test]
fn a_period_costs_the_heartbeats_of_the_detector() {
    for n in [1, 2, 5] {
        let run = bench(n, 159).lockstep().run(1);
        assert_eq!(run.statistics.sent(), 4 * u64::from(n * (n - 1)));
        assert_eq!(run.violated(), NONE);
    }
}

#[test]
fn the_next_in_rank_is_trusted_a_timeout_and_a_delay_after_the_last_heartbeat() {
    let run = bench(3, 400).lockstep().crash(2, sends(2, "Heartbeat", 6)).run(1);
    let changes = run.trace.entries.iter().filter_map(|e| match &e.what {
        TraceEvent::Indicate { what, .. } if what == "Trust(p1)" => Some((e.at, e.process)),
        _ => None,
    });
    let due = at(80 + 50 + 10);
    let expected = [(due, Some(ProcessId(0))), (due, Some(ProcessId(1)))];
    assert_eq!(changes.collect::<Vec<_>>(), expected);
    assert_eq!(run.violated(), NONE);
}

#[test]
fn all_agree_in_the_end_whatever_came_before() {
    for seed in 0..300 {
        let bench = bad_until_a_second(bench(4, 8_000)).random_crashes(3, "0ms..2s");
        assert_eq!(bench.run(seed).violated(), NONE, "seed {seed}");
    }
}

#[test]
fn who_never_forgives_a_mistake_ends_up_alone() {
    let bench = bad_until_a_second(bench(3, 8_000)).mutant("first-suspected-stays-out");
    let violated = bench.violated_in(0..20);
    assert!(violated.iter().any(|violated| *violated == ["omega.eventual-leader"]));
}
