use ftsim_core::bench::{Bench, Run, after_effect};
use ftsim_core::fault::{Action, Crash, Fault, InFlight};
use ftsim_core::prelude::*;
use ftsim_core::{EndCause, Verdict};
use ftsim_protocols::logging::LogPessimistic;

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

fn assert_good(run: &Run) {
    assert_eq!(run.cause, EndCause::Quiescent, "seed {}", run.seed);
    for judged in &run.judged {
        let good = matches!(judged.verdict, Verdict::Held | Verdict::HeldVacuously);
        assert!(good, "seed {}: {judged:?}", run.seed);
    }
}

fn crash_and_return(mut bench: Bench, process: u32, nth: u64, down_ms: u64) -> Bench {
    let recover_after = Some(Duration::from_millis(down_ms));
    let in_flight = if nth.is_multiple_of(2) { InFlight::Keep } else { InFlight::Lose };
    let crash = Crash { recover_after, in_flight, ..Crash::default() };
    let action = Action::Crash(ProcessId(process), crash);
    bench.experiment.plan.faults.push(Fault { trigger: after_effect(process, nth), action });
    bench
}

#[test]
fn wherever_a_process_crashes_it_comes_back_to_what_others_depend_on() {
    let mut replays = 0;
    for process in 0..3 {
        for nth in 1..80 {
            let run = crash_and_return(bench(3), process, nth, nth % 30).run(nth);
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
        let crash = |bench, (p, nth)| crash_and_return(bench, p, nth, 1 + nth);
        assert_good(&all.fold(bench(n), crash).run(seed));
    }
}

#[test]
fn each_mutant_violates_what_it_says() {
    for mutant in LogPessimistic::MUTANTS {
        let broken = (0..100).filter(|seed| {
            let bench = crash_and_return(bench(3), 1, 10 + seed % 30, 20).mutant(mutant.name);
            bench.run(*seed).violated().contains(&mutant.violates.0)
        });
        assert!(broken.count() > 0, "{}", mutant.name);
    }
}
