use ftsim_core::bench::Bench;
use ftsim_core::prelude::*;
use ftsim_protocols::logging::LogCausal;

use crate::recovery::{assert_good, crash_after};

fn bench(n: u32, f: u32) -> Bench {
    let bench = Bench::of::<LogCausal>(n).params(&format!(r#"{{"f": {f}}}"#));
    let mut bench = bench.workload(r#"{"jobs": 4, "every": "0ms..5ms"}"#);
    bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(5);
    bench
}

/// A job that p0 receives, and that is sent from one process to the next so often.
fn one_job(n: u32, messages: u32) -> Bench {
    let route: Vec<_> = (0..=messages).map(|hop| format!("\"p{}\"", hop % n)).collect();
    let job = format!(r#"{{"at": "0ms", "route": [{}]}}"#, route.join(", "));
    bench(n, 1).workload(&format!(r#"{{"jobs": 0, "scripted": [{job}]}}"#)).lockstep()
}

#[test]
fn wherever_f_processes_crash_they_come_back_to_what_others_depend_on() {
    let mut waits = 0;
    for process in 0..4 {
        for nth in 1..80 {
            assert_good(&crash_after(bench(4, 1), process, nth, nth % 30).run(nth));
            let two = crash_after(bench(4, 2), process, nth, nth % 30);
            let other = (process + 1) % 4;
            let run = crash_after(two, other, 1 + nth * 7 % 60, nth % 20).run(nth);
            assert_good(&run);
            waits += u32::from(run.reached.contains(&"waits for another that recovers"));
        }
    }
    assert!(waits > 10, "{waits} waits");
}

/// No message in addition, and no forced write for a delivery: one for the input, which counts for
/// an output at once, and one for an output that depends on deliveries.
#[test]
fn deliveries_cost_neither_messages_nor_forced_writes() {
    for messages in 0..6 {
        let run = one_job(3, messages).run(1);
        assert_good(&run);
        assert_eq!(run.statistics.sent(), u64::from(messages));
        assert_eq!(run.statistics.syncs, 1 + u64::from(messages > 0));
    }
}

#[test]
fn a_process_may_crash_again_and_again() {
    for seed in 0..300 {
        let again = [3, 9, 14, 30].map(|nth| nth + seed % 11);
        let crash = |bench, nth| crash_after(bench, 1, nth, 1 + nth % 7);
        assert_good(&again.into_iter().fold(bench(3, 1), crash).run(seed));
    }
}

#[test]
fn each_mutant_violates_what_it_says() {
    for mutant in LogCausal::MUTANTS {
        let broken = (0..200).filter(|seed| {
            let bench = crash_after(bench(3, 1), 1, 5 + seed % 40, 20).mutant(mutant.name);
            bench.run(*seed).violated().contains(&mutant.violates.0)
        });
        assert!(broken.count() > 0, "{}", mutant.name);
    }
}
