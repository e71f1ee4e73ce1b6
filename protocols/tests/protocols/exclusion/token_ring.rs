use ftsim_core::bench::Bench;
use ftsim_core::{Duration, Instant};
use ftsim_protocols::exclusion::TokenRing;

const NONE: [&str; 0] = [];

fn bench(n: u32, workload: &str) -> Bench {
    let mut bench = Bench::of::<TokenRing>(n).workload(workload);
    bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(2);
    bench
}

#[test]
fn the_token_comes_after_at_most_n_minus_1_steps() {
    for n in [2, 3, 5, 8] {
        let mut waits = std::collections::BTreeSet::new();
        for p in 0..n {
            // p asks while the token is under way from p0 to p1: at 5 ms of 10.
            let workload = format!(r#"{{"visitors": ["p{p}"], "entries": 1, "at": "5ms"}}"#);
            let run = bench(n, &workload).lockstep().run(1);
            assert_eq!(run.violated(), NONE);
            waits.insert(run.latencies[0].as_nanos() / 10_000_000);
        }
        assert_eq!(waits, (0..u64::from(n)).collect());
    }
}

#[test]
fn the_token_moves_for_ever() {
    let run = bench(4, r#"{"entries": 0}"#).lockstep().run(1);
    assert_eq!(run.statistics.sent(), 2_000 / 10 + 1);
    // Alone, a process keeps it.
    let alone = bench(1, "{}").run(1);
    assert_eq!((alone.statistics.sent(), alone.latencies.len()), (0, 2));
}

#[test]
fn all_enter_whatever_the_delays() {
    for seed in 0..300 {
        let run = bench(4, r#"{"entries": 4}"#).run(seed);
        assert_eq!(run.violated(), NONE, "seed {seed}");
        assert_eq!(run.latencies.len(), 16, "seed {seed}");
    }
}
