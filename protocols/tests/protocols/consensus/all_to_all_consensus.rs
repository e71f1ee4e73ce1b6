use ftsim_core::bench::{Bench, sends};
use ftsim_protocols::consensus::AllToAllConsensus;

#[test]
fn all_decide_after_one_step_and_n_times_n_minus_1_messages() {
    for n in [1, 2, 3, 5, 9] {
        let run = Bench::of::<AllToAllConsensus>(n).lockstep().run(1);
        assert_eq!(run.violated(), [""; 0]);
        assert_eq!(run.statistics.sent(), u64::from(n * (n - 1)));
        assert_eq!(run.indication_steps(), vec![u64::from(n > 1); n as usize]);
    }
}

#[test]
fn it_holds_whatever_the_delays() {
    for seed in 0..300 {
        let workload = r#"{"draw_below": 3, "at": "0ms..30ms"}"#;
        let run = Bench::of::<AllToAllConsensus>(4).workload(workload).run(seed);
        assert_eq!(run.violated(), [""; 0], "seed {seed}");
    }
}

#[test]
fn one_crash_and_the_others_wait_for_ever() {
    let bench = Bench::of::<AllToAllConsensus>(3).crash(0, sends(0, "Value", 1));
    assert_eq!(bench.run(1).violated(), ["cons.termination"]);
}

#[test]
fn those_who_stop_waiting_after_a_crash_in_mid_broadcast_disagree() {
    let crashed = Bench::of::<AllToAllConsensus>(3).crash(0, sends(0, "Value", 1));
    let run = crashed.mutant("timeout").run(1);
    assert_eq!(run.violated(), ["cons.agreement", "cons.uniform-agreement"]);
}
