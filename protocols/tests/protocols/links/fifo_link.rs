use ftsim_core::Probability;
use ftsim_core::bench::Bench;
use ftsim_core::environment::message_rule::{Fate, MessageRule};
use ftsim_core::prelude::*;
use ftsim_protocols::links::FifoLink;
use ftsim_spec::link::RELIABLE;

const NOTHING: [&str; 0] = [];

/// p0 sends three messages to p1, one a step; the first takes so long.
fn first_takes(ms: u64) -> Bench {
    let mut bench = Bench::of::<FifoLink>(2).lockstep();
    bench = bench.workload(r#"{"senders": ["p0"], "messages": 3}"#);
    bench.experiment.overrides = vec![MessageRule {
        from: ProcessId(0),
        to: ProcessId(1),
        kind: None,
        nth: 1,
        fate: Fate::delay(Duration::from_millis(ms)),
    }];
    bench
}

#[test]
fn a_payload_costs_one_message() {
    for messages in [1, 2, 7] {
        let workload = format!(r#"{{"messages": {messages}}}"#);
        for n in [2, 3, 5] {
            let run = Bench::of::<FifoLink>(n).workload(&workload).run(1);
            assert_eq!(run.statistics.sent(), u64::from(n * (n - 1)) * messages);
            assert_eq!(run.violated(), NOTHING);
        }
    }
}

#[test]
fn what_comes_too_early_waits_for_the_gap_to_close() {
    let run = first_takes(100).run(1);
    assert_eq!(run.indication_steps(), [10, 10, 10]);
    assert_eq!(run.violated(), NOTHING);
    assert_eq!(run.reached, ["held back"]);
}

#[test]
fn delivery_on_arrival_is_not_in_order() {
    let run = first_takes(100).mutant("deliver-on-arrival").run(1);
    assert_eq!(run.violated(), ["lnk.fifo"]);
}

#[test]
fn a_late_message_can_be_dropped_or_delivered_but_not_both_in_order_and_reliably() {
    let late = |ms| first_takes(ms).check(RELIABLE);
    let dropped = late(100).params(r#"{"late": "drop"}"#).run(1);
    assert_eq!(dropped.violated(), ["lnk.reliable"]);
    assert_eq!(dropped.reached, ["held back", "gave up on a gap", "too late"]);
    assert_eq!(late(100).mutant("skip-gap").run(1).violated(), ["lnk.fifo"]);
    // The gap is seen at 20 ms and given up at 70 ms.
    for (ms, violated) in [(70, &[][..]), (71, &["lnk.reliable"])] {
        let run = late(ms).params(r#"{"late": "drop"}"#).run(1);
        assert_eq!(run.violated(), violated, "{ms} ms");
    }
}

#[test]
fn each_gap_has_its_own_patience() {
    // The first and the third are lost. The second comes at 20 ms and the fourth at 40 ms; the
    // gap before the second is given up at 70 ms, and only then that before the fourth begins.
    let mut bench = first_takes(100).params(r#"{"late": "drop"}"#);
    bench = bench.workload(r#"{"senders": ["p0"], "messages": 4}"#);
    bench.experiment.overrides[0].fate = Fate::DROP;
    let third = MessageRule { nth: 3, ..bench.experiment.overrides[0].clone() };
    bench.experiment.overrides.push(third);
    let run = bench.run(1);
    assert_eq!(run.indication_steps(), [7, 12]);
    assert_eq!(run.violated(), NOTHING);
}

#[test]
fn doubled_and_reordered_messages_and_crashes_leave_the_order_alone_but_not_the_mutants() {
    let mut broken = [0; 2];
    for seed in 0..300 {
        let workload = r#"{"messages": 10, "every": "3ms"}"#;
        let mut bench = Bench::of::<FifoLink>(3).workload(workload);
        bench = bench.random_crashes(2, "0ms..40ms");
        bench.experiment.network.default.duplicate = Probability::new(0.3).unwrap();
        assert_eq!(bench.run(seed).violated(), NOTHING, "seed {seed}");
        for (index, mutant) in ["deliver-on-arrival", "skip-gap"].iter().enumerate() {
            let bench = Bench::of::<FifoLink>(3).workload(workload).mutant(mutant);
            let run = bench.params(r#"{"gap_timeout": "1ms"}"#).run(seed);
            broken[index] += run.violated().len();
        }
    }
    assert!(broken.iter().all(|count| *count > 0), "{broken:?}");
}
