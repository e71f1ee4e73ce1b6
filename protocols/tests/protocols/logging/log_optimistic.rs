use ftsim_core::Judged;
use ftsim_core::bench::{Bench, after_effect};
use ftsim_core::fault::{InFlight, Trigger};
use ftsim_core::prelude::*;
use ftsim_protocols::logging::LogOptimistic;
use ftsim_spec::message_logging::{LOCAL_RECOVERY, NO_ORPHANS_AFTER_RECOVERY};

use crate::recovery::{assert_good, crash_and_return};

fn bench(n: u32) -> Bench {
    let mut bench = Bench::of::<LogOptimistic>(n).workload(r#"{"jobs": 4, "every": "0ms..5ms"}"#);
    bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(5);
    bench
}

/// Jobs that p0 receives at the start, each of which is sent from one process to the next so often.
fn jobs(n: u32, count: usize, messages: u32) -> Bench {
    let route: Vec<_> = (0..=messages).map(|hop| format!("\"p{}\"", hop % n)).collect();
    let job = format!(r#"{{"at": "0ms", "route": [{}]}}"#, route.join(", "));
    let script = vec![job; count].join(", ");
    bench(n).workload(&format!(r#"{{"jobs": 0, "scripted": [{script}]}}"#)).lockstep()
}

/// A crash that takes messages along if it lasts an odd number of milliseconds.
fn crash(bench: Bench, process: u32, trigger: Trigger, down_ms: u64) -> Bench {
    let in_flight = if down_ms.is_multiple_of(2) { InFlight::Keep } else { InFlight::Lose };
    let down_for = Duration::from_millis(down_ms);
    crash_and_return(bench, process, trigger, down_for, in_flight)
}

#[test]
fn wherever_processes_crash_nobody_stays_an_orphan() {
    let mut rollbacks = 0;
    for process in 0..3 {
        for nth in 1..80 {
            let crashed = |p, nth| move |bench| crash(bench, p, after_effect(p, nth), nth % 30);
            let other = (process + 1) % 3;
            let one = crashed(process, nth)(bench(3)).run(nth);
            let two = crashed(other, 1 + nth * 7 % 60)(crashed(process, nth)(bench(3))).run(nth);
            for run in [one, two] {
                assert_good(&run);
                rollbacks += u32::from(run.reached.contains(&"rolled back"));
            }
        }
    }
    assert!(rollbacks > 50, "{rollbacks} rollbacks");
}

/// Deliveries wait for no disk: however many there are in the time, each log is forced once.
#[test]
fn a_log_is_forced_once_for_all_deliveries_since_the_last_time() {
    for count in 1..6 {
        for messages in 1..3 {
            let run = jobs(4, count, messages).run(1);
            assert_good(&run);
            assert_eq!(run.statistics.syncs, 1 + u64::from(messages));
            assert_eq!(run.statistics.sent_of("App"), count as u64 * u64::from(messages));
        }
    }
}

/// A crash of the first takes all with it that depend on it, and nobody else.
#[test]
fn all_who_depend_on_a_lost_interval_roll_back() {
    for messages in 0..5 {
        let early = Trigger::At(Instant::ZERO + Duration::from_millis(90));
        let bench = jobs(6, 1, messages).params(r#"{"flush_every": "200ms"}"#);
        let bench = bench.check(LOCAL_RECOVERY);
        let run = crash(bench, 0, early, 2).run(1);
        let of = |judged: &&Judged| judged.id == NO_ORPHANS_AFTER_RECOVERY;
        let returned = run.judged.iter().find(of).and_then(|judged| judged.measured);
        assert_eq!(returned, Some(f64::from(1 + messages)));
    }
}

#[test]
fn each_mutant_violates_what_it_says() {
    for mutant in LogOptimistic::MUTANTS {
        let broken = (0..200).filter(|seed| {
            let trigger = after_effect(1, 5 + seed % 40);
            let bench = crash(bench(3), 1, trigger, 20).mutant(mutant.name);
            bench.run(*seed).violated().contains(&mutant.violates.0)
        });
        assert!(broken.count() > 0, "{}", mutant.name);
    }
}
