//! What a command costs, and crashes at any time, over each totally ordered broadcast.

use ftsim_core::bench::Bench;
use ftsim_core::{Duration, Instant, ProcessId};
use ftsim_protocols::replication::Smr;

const NONE: [&str; 0] = [];

fn bench(servers: u32, clients: u32, params: &str) -> Bench {
    let mut bench = Bench::with_roles::<Smr>(&[("server", servers), ("client", clients)]);
    bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(10);
    bench.params(params).perfect_detector("0ms..20ms")
}

#[test]
fn a_command_costs_a_request_a_place_for_each_other_replica_and_replies() {
    for s in [1, 2, 3, 5] {
        let bench = bench(s, 1, "{}").workload(r#"{"operations": 1, "think": "0ms"}"#);
        let run = bench.lockstep().run(1);
        let of = |kind| run.statistics.sent_of(kind);
        let counts = (of("Request"), of("Order"), of("Reply"));
        assert_eq!(counts, (1, u64::from(s) - 1, u64::from(s)), "{s} replicas");
        assert_eq!(run.violated(), NONE);
    }
}

/// As many replicas crash as the model allows, while clients go on.
fn crashes(params: &str, servers: u32, crashing: u32) -> Bench {
    let bench = bench(servers, 3, params)
        .workload(r#"{"operations": 8, "keys": 2, "think": "0ms..6ms"}"#)
        .random_crashes(crashing, "0ms..200ms");
    let mut bench = bench;
    let random = bench.experiment.random.as_mut().expect("random crashes");
    random.kinds[0].occurrence.targets = (0..servers).map(ProcessId).collect();
    bench
}

#[test]
fn replicas_may_crash_over_each_broadcast() {
    let worlds = [
        (r#"{"order": "sequencer"}"#, 3, 2),
        (r#"{"order": "sequencer", "replies": "majority"}"#, 3, 1),
        (r#"{"order": "consensus"}"#, 3, 2),
        (r#"{"order": "consensus", "consensus": "hierarchical"}"#, 3, 2),
        (r#"{"order": "consensus", "consensus": "paxos", "replies": "first"}"#, 3, 1),
        (r#"{"order": "consensus", "consensus": "paxos", "replies": "majority"}"#, 5, 2),
        (r#"{"order": "consensus", "consensus": "ben-or", "replies": "majority"}"#, 3, 1),
    ];
    for (params, servers, crashing) in worlds {
        for seed in 0..100 {
            let found = crashes(params, servers, crashing).violated_in(seed..seed + 1);
            assert_eq!(found, [NONE], "{params}, seed {seed}");
        }
    }
}
