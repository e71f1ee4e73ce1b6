use ftsim_core::bench::{Bench, sends};
use ftsim_protocols::broadcast::FifoBroadcast;

/// p0 alone broadcasts, twice; every message takes one step.
fn one_sender(n: u32) -> Bench {
    let workload = r#"{"senders": ["p0"], "broadcasts": 2, "every": "1ms"}"#;
    Bench::of::<FifoBroadcast>(n).workload(workload).lockstep()
}

#[test]
fn a_broadcast_costs_as_much_as_a_reliable_one() {
    for n in [2, 3, 5, 9] {
        let run = one_sender(n).run(1);
        assert_eq!(run.statistics.sent(), u64::from(2 * n * (n - 1)));
        assert_eq!(run.indication_steps().last(), Some(&1));
    }
}

#[test]
fn messages_wait_for_earlier_ones_and_none_for_ever() {
    let mut waits = 0;
    for seed in 0..300 {
        let bench = Bench::of::<FifoBroadcast>(4)
            .workload(r#"{"broadcasts": 4, "every": "1ms"}"#)
            .random_crashes(3, "0ms..20ms");
        let run = bench.run(seed);
        assert_eq!(run.violated(), [] as [&str; 0], "seed {seed}");
        waits += u32::from(run.reached.contains(&"a message waits for an earlier one"));
    }
    assert!(waits > 100, "{waits}");
}

#[test]
fn a_sender_that_crashes_between_two_messages_leaves_the_first_ones() {
    // The first broadcast reaches p1 and p2, the second only p1.
    let run = one_sender(3).crash(0, sends(0, "Data", 3)).run(1);
    assert_eq!(run.violated(), [] as [&str; 0]);
    assert_eq!(run.indication_steps().iter().filter(|step| **step > 0).count(), 4);
}
