//! What updates and reads cost, and crashes of any process at any time.

use ftsim_core::bench::Bench;
use ftsim_core::{Duration, Instant};
use ftsim_protocols::replication::HaNfs;

const NONE: [&str; 0] = [];

fn bench(clients: u32) -> Bench {
    let roles = [("server", 2), ("disk", 2), ("client", clients)];
    let mut bench = Bench::with_roles::<HaNfs>(&roles);
    bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(3);
    bench
}

#[test]
fn an_update_costs_4_messages_and_a_read_2() {
    for (weights, log) in [(r#""reads": 0"#, 1), (r#""writes": 0, "increments": 0"#, 0)] {
        let workload = format!(r#"{{"operations": 1, "think": "0ms", {weights}}}"#);
        let run = bench(1).workload(&workload).lockstep().run(1);
        let of = |kind| run.statistics.sent_of(kind);
        let counts = (of("Request"), of("Write"), of("Written"), of("Reply"));
        assert_eq!(counts, (1, log, log, 1), "{weights}");
        assert_eq!(run.violated(), NONE);
    }
}

#[test]
fn one_process_after_the_other_may_crash_and_return() {
    let workload = r#"{"operations": 15, "keys": 3, "think": "0ms..20ms"}"#;
    let bench = bench(2).workload(workload).random_crashes(1, "0ms..600ms");
    let mut bench = bench.recovering("1ms..200ms");
    let random = bench.experiment.random.as_mut().expect("random crashes");
    random.kinds[0].occurrence.count.max = 4;
    for seed in 0..300 {
        assert_eq!(bench.violated_in(seed..seed + 1), [NONE], "seed {seed}");
    }
}

#[test]
fn heartbeats_must_come_before_their_time_is_over() {
    let is_refused = |timeout: &str| {
        let params = format!(r#"{{"heartbeat": "50ms", "timeout": "{timeout}"}}"#);
        bench(1).params(&params).refused().is_some()
    };
    assert!(is_refused("59ms"));
    assert!(!is_refused("60ms"));
}
