//! What reads and writes cost, and how available they are.

use ftsim_core::bench::Bench;
use ftsim_core::fault::Trigger;
use ftsim_core::{Duration, Instant};
use ftsim_protocols::replication::WeightedVoting;

const NONE: [&str; 0] = [];

fn bench(servers: u32, clients: u32) -> Bench {
    let roles = [("server", servers), ("client", clients)];
    let mut bench = Bench::with_roles::<WeightedVoting>(&roles);
    bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(2);
    bench
}

fn workload(kind: &str) -> String {
    let other = if kind == "reads" { "writes" } else { "reads" };
    format!(r#"{{"operations": 1, "think": "0ms", "{kind}": 1, "{other}": 0}}"#)
}

#[test]
fn a_read_takes_2_n_messages_and_2_steps_and_a_write_twice_as_many() {
    for n in [1, 2, 3, 5, 9] {
        let one = |kind| {
            let run = bench(n, 1).workload(&workload(kind)).lockstep().run(1);
            assert_eq!(run.violated(), NONE);
            (run.statistics.sent(), run.indication_steps())
        };
        assert_eq!(one("reads"), (u64::from(2 * n), vec![2]), "{n} servers");
        assert_eq!(one("writes"), (u64::from(4 * n), vec![4]), "{n} servers");
    }
}

/// Whether an operation of this kind ends when only these servers are up.
fn ends(up: &[bool], kind: &str, params: &str) -> bool {
    let servers = u32::try_from(up.len()).expect("a few servers");
    let mut bench = bench(servers, 1).params(params).workload(&workload(kind)).lockstep();
    for (server, is_up) in (0..).zip(up) {
        if !is_up {
            bench = bench.crash(server, Trigger::At(Instant::ZERO));
        }
    }
    !bench.run(1).indication_steps().is_empty()
}

/// The number of sets of i servers that are up in which such an operation ends, for each i.
fn available(servers: u32, kind: &str, params: &str) -> Vec<u64> {
    let mut counts = vec![0; servers as usize + 1];
    for set in 0..1_u32 << servers {
        let up: Vec<bool> = (0..servers).map(|server| set >> server & 1 == 1).collect();
        counts[set.count_ones() as usize] += u64::from(ends(&up, kind, params));
    }
    counts
}

#[test]
fn an_operation_is_available_in_the_sets_of_servers_that_have_the_votes() {
    // Σ over i ≥ q of C(n, i) pⁱ (1 − p)ⁿ⁻ⁱ, if votes are equal: with a majority of 5, q = 3.
    for kind in ["reads", "writes"] {
        assert_eq!(available(5, kind, "{}"), [0, 0, 0, 10, 5, 1], "{kind}");
    }
    let rowa = r#"{"read": 1, "write": 3}"#;
    assert_eq!(available(3, "writes", rowa), [0, 0, 0, 1]);
    // One vote does not tell whether all have a value, so it is written back to all.
    assert_eq!(available(3, "reads", rowa), [0, 0, 0, 1]);
    // Votes 2, 1, 1, 1 and quorums of 3: the first and any other, or the others.
    let weighted = r#"{"votes": [2, 1, 1, 1]}"#;
    for kind in ["reads", "writes"] {
        assert_eq!(available(4, kind, weighted), [0, 0, 3, 4, 1], "{kind}");
    }
}

#[test]
fn quorums_that_do_not_meet_are_refused() {
    let is_refused = |params: &str| bench(4, 1).params(params).refused().is_some();
    let refused = [
        r#"{"read": 2, "write": 2}"#,
        r#"{"read": 3, "write": 2}"#,
        r#"{"read": 1, "write": 3}"#,
        r#"{"read": 0}"#,
        r#"{"write": 5}"#,
        r#"{"votes": [1, 1]}"#,
        r#"{"votes": [0, 0, 0, 0]}"#,
        r#"{"votes": [4000000000, 4000000000, 1, 1]}"#,
        r#"{"retry": "0ms"}"#,
    ];
    for params in refused {
        assert!(is_refused(params), "{params}");
    }
    for params in [r#"{"read": 2, "write": 3}"#, r#"{"votes": [1, 0, 0, 0]}"#, "{}"] {
        assert!(!is_refused(params), "{params}");
    }
}
