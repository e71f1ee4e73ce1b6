use ftsim_core::bench::Bench;
use ftsim_core::prelude::*;
use ftsim_protocols::logging::LogPessimistic;

use crate::recovery::{assert_good, crash_after};

fn bench(n: u32) -> Bench {
    let mut bench = Bench::of::<LogPessimistic>(n).workload(r#"{"jobs": 4, "every": "0ms..5ms"}"#);
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
fn each_delivery_costs_one_forced_write_and_no_message() {
    for messages in 0..6 {
        let run = one_job(3, messages).run(1);
        assert_good(&run);
        assert_eq!(run.statistics.syncs, u64::from(messages) + 1);
        assert_eq!(run.statistics.sent(), u64::from(messages));
    }
}

#[test]
fn all_may_crash_at_once() {
    for seed in 0..300 {
        let n = 2 + u32::try_from(seed % 3).unwrap();
        let all = (0..n).map(|p| (p, 5 + (seed + u64::from(p) * 7) % 40));
        let crash = |bench, (p, nth)| crash_after(bench, p, nth, 1 + nth);
        assert_good(&all.fold(bench(n), crash).run(seed));
    }
}

#[test]
fn each_mutant_violates_what_it_says() {
    for mutant in LogPessimistic::MUTANTS {
        let broken = (0..100).filter(|seed| {
            let bench = crash_after(bench(3), 1, 10 + seed % 30, 20).mutant(mutant.name);
            bench.run(*seed).violated().contains(&mutant.violates.0)
        });
        assert!(broken.count() > 0, "{}", mutant.name);
    }
}
