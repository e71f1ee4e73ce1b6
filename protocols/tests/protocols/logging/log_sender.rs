use ftsim_core::bench::Bench;
use ftsim_core::prelude::*;
use ftsim_protocols::logging::LogSender;

use crate::recovery::{assert_good, crash_after};

fn bench(n: u32) -> Bench {
    let mut bench = Bench::of::<LogSender>(n).workload(r#"{"jobs": 4, "every": "0ms..5ms"}"#);
    bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(5);
    bench
}

/// A job that p0 receives, and that is sent from one process to the next so often.
fn one_job(n: u32, messages: u32) -> Bench {
    let route: Vec<_> = (0..=messages).map(|hop| format!("\"p{}\"", hop % n)).collect();
    let job = format!(r#"{{"at": "0ms", "route": [{}]}}"#, route.join(", "));
    bench(n).workload(&format!(r#"{{"jobs": 0, "scripted": [{job}]}}"#)).lockstep()
}

#[test]
fn wherever_a_process_crashes_it_comes_back_to_what_others_depend_on() {
    let mut replays = 0;
    for process in 0..3 {
        for nth in 1..80 {
            let run = crash_after(bench(3), process, nth, nth % 30).run(nth);
            assert_good(&run);
            replays += u32::from(run.reached.contains(&"replayed"));
        }
    }
    assert!(replays > 100, "{replays} replays");
}

#[test]
fn each_delivery_costs_two_messages_and_no_forced_write() {
    for messages in 0..6 {
        let run = one_job(3, messages).run(1);
        assert_good(&run);
        assert_eq!(run.statistics.sent(), 3 * u64::from(messages));
        // The input.
        assert_eq!(run.statistics.syncs, 1);
    }
}

#[test]
fn a_process_may_crash_again_and_again() {
    for seed in 0..300 {
        let again = [3, 9, 14, 30].map(|nth| nth + seed % 11);
        let crash = |bench, nth| crash_after(bench, 1, nth, 1 + nth % 7);
        assert_good(&again.into_iter().fold(bench(3), crash).run(seed));
    }
}

#[test]
fn each_mutant_violates_what_it_says() {
    for mutant in LogSender::MUTANTS {
        let broken = (0..200).filter(|seed| {
            let bench = crash_after(bench(3), 1, 5 + seed % 40, 20).mutant(mutant.name);
            bench.run(*seed).violated().contains(&mutant.violates.0)
        });
        assert!(broken.count() > 0, "{}", mutant.name);
    }
}
