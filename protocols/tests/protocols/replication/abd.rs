//! What reads and writes cost, crashes at any time, and the violations of each mutant.

use std::collections::BTreeSet;

use ftsim_core::bench::Bench;
use ftsim_core::fault::Trigger;
use ftsim_core::{Duration, Instant, ProcessId};
use ftsim_protocols::replication::Abd;

const NONE: [&str; 0] = [];

fn bench(servers: u32, clients: u32) -> Bench {
    let mut bench = Bench::with_roles::<Abd>(&[("server", servers), ("client", clients)]);
    bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(30);
    bench
}

/// One operation of one client, in steps.
fn one(servers: u32, kind: &str, single_writer: bool) -> (u64, Vec<u64>) {
    let other = if kind == "reads" { "writes" } else { "reads" };
    let workload = format!(r#"{{"operations": 1, "think": "0ms", "{kind}": 1, "{other}": 0}}"#);
    let params = format!(r#"{{"single_writer": {single_writer}}}"#);
    let run = bench(servers, 1).params(&params).workload(&workload).lockstep().run(1);
    assert_eq!(run.violated(), NONE);
    (run.statistics.sent(), run.indication_steps())
}

#[test]
fn a_read_and_a_write_take_4_n_messages_and_4_steps_and_that_of_one_writer_half() {
    for n in [1, 2, 3, 5, 9] {
        assert_eq!(one(n, "reads", false), (u64::from(4 * n), vec![4]), "{n} servers");
        assert_eq!(one(n, "writes", false), (u64::from(4 * n), vec![4]), "{n} servers");
        assert_eq!(one(n, "reads", true), (u64::from(4 * n), vec![4]), "{n} servers");
        assert_eq!(one(n, "writes", true), (u64::from(2 * n), vec![2]), "{n} servers");
    }
}

/// Servers crash and recover, clients go on.
fn crashes(servers: u32, clients: u32) -> Bench {
    let bench = bench(servers, clients)
        .workload(r#"{"operations": 15, "keys": 1, "think": "0ms..6ms"}"#)
        .random_crashes(servers, "0ms..400ms");
    let mut bench = bench.recovering("1ms..60ms");
    let random = bench.experiment.random.as_mut().expect("random crashes");
    random.kinds[0].occurrence.targets = (0..servers).map(ProcessId).collect();
    random.kinds[0].occurrence.count.max = 3 * servers;
    bench
}

#[test]
fn servers_may_crash_and_recover_at_any_time() {
    for seed in 0..600 {
        let servers = 1 + u32::try_from(seed).expect("a small seed") % 5;
        assert_eq!(crashes(servers, 3).violated_in(seed..seed + 1), [NONE], "seed {seed}");
    }
}

#[test]
fn clients_may_crash_too_and_a_minority_of_servers_for_good() {
    for seed in 0..400 {
        let bench = bench(5, 4)
            .workload(r#"{"operations": 15, "keys": 1, "think": "0ms..6ms"}"#)
            .crash(0, Trigger::At(Instant::ZERO + Duration::from_millis(90)))
            .crash(3, Trigger::At(Instant::ZERO + Duration::from_millis(140)));
        let mut bench = bench.random_crashes(4, "0ms..400ms").recovering("1ms..60ms");
        let random = bench.experiment.random.as_mut().expect("random crashes");
        random.kinds[0].occurrence.targets = (5..9).map(ProcessId).collect();
        assert_eq!(bench.violated_in(seed..seed + 1), [NONE], "seed {seed}");
    }
}

#[test]
fn half_of_the_servers_down_and_operations_wait() {
    for n in [1u32, 2, 4, 5] {
        let crash = |bench: Bench, p| bench.crash(p, Trigger::At(Instant::from_nanos(1)));
        let run = (0..n.div_ceil(2)).fold(bench(n, 2), crash).run(1);
        assert_eq!(run.violated(), ["reg.wait-free"], "{n} servers");
    }
}

#[test]
fn each_mutant_violates_its_property_and_no_more_than_follows() {
    let both = ["reg.linearizable", "reg.regular"];
    let single = r#"{"single_writer": true}"#;
    for (mutant, bench, may) in [
        ("no-write-back", crashes(3, 3), &both[..1]),
        ("volatile-store", crashes(3, 3), &both),
        ("half-quorum", crashes(4, 3), &both),
        ("no-query-phase", crashes(3, 3).params(single), &both),
    ] {
        let violated = bench.mutant(mutant).violated_in(0..500);
        let all: BTreeSet<_> = violated.into_iter().flatten().collect();
        assert!(all.contains("reg.linearizable"), "{mutant}");
        assert!(all.iter().all(|id| may.contains(id)), "{mutant}: {all:?}");
    }
}
