//! What updates and queries cost, crashes of the head, the tail and the middle at each effect, and
//! the violations of each mutant.

use std::collections::BTreeSet;

use ftsim_core::bench::{Bench, after_effect};
use ftsim_core::fault::Trigger;
use ftsim_core::{Duration, Instant, ProcessId};
use ftsim_protocols::replication::ChainReplication;

const NONE: [&str; 0] = [];

fn bench(servers: u32, clients: u32, reads: &str) -> Bench {
    let roles = [("server", servers), ("client", clients)];
    let params = format!(r#"{{"reads": "{reads}", "retry": "60ms"}}"#);
    let mut bench = Bench::with_roles::<ChainReplication>(&roles).params(&params);
    bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(30);
    bench.perfect_detector("1ms..20ms")
}

/// One operation of one client: its messages and its steps.
fn one(servers: u32, is_read: bool, reads: &str) -> (u64, Vec<u64>) {
    let (read, write) = (u32::from(is_read), u32::from(!is_read));
    let workload = format!(
        r#"{{"operations": 1, "think": "0ms", "reads": {read}, "writes": {write},
            "increments": 0}}"#
    );
    let patient = format!(r#"{{"reads": "{reads}", "retry": "10s"}}"#);
    let bench = bench(servers, 1, reads).params(&patient);
    let run = bench.workload(&workload).lockstep().run(1);
    assert_eq!(run.violated(), NONE);
    let responses = run.indication_steps().into_iter().filter(|step| *step > 0);
    (run.statistics.sent(), responses.max().into_iter().collect())
}

#[test]
fn an_update_passes_along_the_chain_and_back_and_a_query_goes_to_one_server() {
    for n in [1, 2, 3, 5, 9] {
        for reads in ["tail", "craq"] {
            assert_eq!(one(n, true, reads), (2, vec![2]), "{n} servers, {reads}");
            let (messages, _) = one(n, false, reads);
            assert_eq!(messages, u64::from(1 + (n - 1) + 1 + (n - 1)), "{n} servers, {reads}");
        }
    }
}

/// Servers crash, all but one.
fn crashes(servers: u32, clients: u32, reads: &str) -> Bench {
    let bench = bench(servers, clients, reads)
        .workload(r#"{"operations": 15, "keys": 1, "think": "0ms..6ms"}"#);
    let mut bench = bench.random_crashes(servers - 1, "0ms..300ms");
    let random = bench.experiment.random.as_mut().expect("random crashes");
    random.kinds[0].occurrence.targets = (0..servers).map(ProcessId).collect();
    bench
}

#[test]
fn all_servers_but_one_may_crash_at_any_time() {
    for reads in ["tail", "craq"] {
        for seed in 0..500 {
            let servers = 2 + u32::try_from(seed).expect("a small seed") % 4;
            let violated = crashes(servers, 3, reads).violated_in(seed..seed + 1);
            assert_eq!(violated, [NONE], "seed {seed}, {reads}");
        }
    }
}

#[test]
fn any_server_may_crash_after_any_of_its_effects() {
    for reads in ["tail", "craq"] {
        for (p, nth) in (0..3).flat_map(|p| (1..80).map(move |nth| (p, nth))) {
            let bench = bench(3, 2, reads)
                .workload(r#"{"operations": 6, "keys": 1, "think": "0ms..2ms"}"#)
                .crash(p, after_effect(p, nth));
            assert_eq!(bench.violated_in(1..3), [NONE; 2], "p{p}, effect {nth}, {reads}");
        }
    }
}

#[test]
fn without_servers_nobody_answers_and_nothing_else_is_wrong() {
    let at = Instant::ZERO + Duration::from_millis(40);
    let crash = |bench: Bench, p| bench.crash(p, Trigger::At(at));
    let run = (0..3).fold(bench(3, 2, "tail"), crash).run(1);
    assert_eq!(run.violated(), ["smr.liveness"]);
}

#[test]
fn each_mutant_violates_its_property() {
    let linearizable = "reg.linearizable";
    for (mutant, property, reads) in [
        ("read-any", linearizable, "tail"),
        ("read-any", linearizable, "craq"),
        ("no-resend", "smr.liveness", "tail"),
        ("reply-from-head", "dur.acked-survives", "tail"),
        ("no-dedup", "smr.exactly-once", "tail"),
        ("no-sequence", "rep.prefix", "tail"),
    ] {
        let violated = crashes(4, 3, reads).mutant(mutant).violated_in(0..300);
        let all: BTreeSet<_> = violated.into_iter().flatten().collect();
        assert!(all.contains(property), "{mutant}: {all:?}");
    }
}
