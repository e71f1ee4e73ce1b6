//! What an update, a read and a copy cost, and crashes of replicas at any time.

use std::collections::BTreeSet;

use ftsim_core::ProcessId;
use ftsim_core::bench::{Bench, STEP, sends};
use ftsim_core::fault::{Action, Crash, Fault};
use ftsim_core::{Duration, Instant};
use ftsim_protocols::replication::StateTransfer;

const NONE: [&str; 0] = [];
const MODES: [&str; 3] = ["snapshot", "log-suffix", "snapshot-log"];

fn bench(servers: u32, clients: u32, mode: &str) -> Bench {
    let roles = [("primary", 1), ("server", servers), ("client", clients)];
    let mut bench = Bench::with_roles::<StateTransfer>(&roles);
    bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(5);
    bench.params(&format!(r#"{{"mode": "{mode}", "keep": 3}}"#))
}

/// Replicas crash and come back, while clients go on.
fn crashes(mode: &str) -> Bench {
    let workload = r#"{"operations": 20, "keys": 2, "think": "0ms..6ms"}"#;
    let bench = bench(3, 3, mode).workload(workload).random_crashes(6, "0ms..200ms");
    let mut bench = bench.recovering("1ms..60ms");
    let random = bench.experiment.random.as_mut().expect("random crashes");
    random.kinds[0].occurrence.targets = (1..4).map(ProcessId).collect();
    random.faulty_count_max = 3;
    bench
}

#[test]
fn an_update_costs_3_m_plus_2_messages_and_a_read_2() {
    for m in [1, 2, 5] {
        let workload =
            |kind| format!(r#"{{"operations": 1, "reads": 0, "increments": 0, {kind}}}"#);
        let run = bench(m, 1, "snapshot").workload(&workload(r#""writes": 1"#)).lockstep().run(1);
        assert_eq!(run.statistics.sent(), u64::from(3 * m + 2), "{m} members");
        assert_eq!(run.violated(), NONE);
        let read = r#""writes": 0, "reads": 1"#.to_owned();
        let only = format!(r#"{{"operations": 1, "increments": 0, "think": "0ms", {read}}}"#);
        let run = bench(m, 1, "snapshot").workload(&only).lockstep().run(1);
        let steps = run.indication_steps().last().copied();
        assert_eq!((run.statistics.sent(), steps), (2, Some(2)), "{m} members");
    }
}

/// p1 crashes after its third acknowledgement, and is soon back; then it is silent for a step.
fn returns(mode: &str) -> Bench {
    let workload = r#"{"operations": 8, "keys": 1, "reads": 0, "increments": 0, "think": "0ms"}"#;
    let mut bench = bench(2, 1, mode).workload(workload).lockstep();
    let crash = Crash { recover_after: Some(STEP.times(15)), ..Crash::default() };
    let action = Action::Crash(ProcessId(1), crash);
    bench.experiment.plan.faults.push(Fault { trigger: sends(1, "Ack", 3), action });
    bench
}

#[test]
fn a_copy_is_one_join_and_the_parts_of_what_is_missing() {
    // The value, the commands, an update that is not committed yet if there is one, and the end;
    // with the log on a disk, the updates that it lacks, and the end.
    for (mode, parts) in [("snapshot", 4), ("snapshot-log", 3), ("log-suffix", 4)] {
        let run = returns(mode).run(1);
        let of = |kind| run.statistics.sent_of(kind);
        assert_eq!((of("Join"), of("Part")), (1, parts), "{mode}");
        assert_eq!(run.violated(), NONE, "{mode}");
        assert!(run.reached.contains(&"a member is down"), "{mode}");
    }
}

#[test]
fn a_copy_must_come_before_the_next_is_asked_for() {
    // The bound on delays is 10 ms.
    let is_refused = |retry: &str| {
        let roles = [("primary", 1), ("server", 2), ("client", 1)];
        let bench = Bench::with_roles::<StateTransfer>(&roles);
        bench.params(&format!(r#"{{"retry": "{retry}"}}"#)).refused().is_some()
    };
    assert!(is_refused("21ms"));
    assert!(!is_refused("22ms"));
}

#[test]
fn replicas_may_crash_and_return_at_any_time() {
    let mut reached = BTreeSet::new();
    for mode in MODES {
        for seed in 0..400 {
            let run = crashes(mode).run(seed);
            assert_eq!(run.violated(), NONE, "{mode}, seed {seed}");
            reached.extend(run.reached.iter().copied());
        }
    }
    let all = [
        "a member is down",
        "a read waits for an update",
        "an update came that is in the copy",
        "updates came during the copy",
    ];
    assert_eq!(reached.into_iter().collect::<Vec<_>>(), all);
}

#[test]
fn each_mutant_violates_its_property_and_no_more_than_follows() {
    let diverged = ["rep.prefix", "rep.convergence", "smr.exactly-once", "reg.linearizable"];
    for (mutant, must, may) in [
        ("no-buffer", "rep.prefix", &diverged[..]),
        ("serve-while-behind", "reg.linearizable", &["reg.linearizable"]),
        ("no-dedup", "smr.exactly-once", &diverged),
        ("no-transfer", "rep.convergence", &diverged),
        ("no-retry", "smr.liveness", &["smr.liveness"]),
        ("read-pending", "reg.linearizable", &["reg.linearizable"]),
    ] {
        let violated = crashes("snapshot").mutant(mutant).violated_in(0..400);
        let count = violated.iter().filter(|ids| ids.contains(&must)).count();
        assert!(count > 0, "{mutant}");
        let all: BTreeSet<_> = violated.into_iter().flatten().collect();
        assert!(all.iter().all(|id| may.contains(id)), "{mutant}: {all:?}");
    }
}
