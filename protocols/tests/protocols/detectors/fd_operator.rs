use ftsim_core::Instant;
use ftsim_core::bench::{Bench, Run};
use ftsim_core::environment::delay::Delay;
use ftsim_core::fault::Trigger;
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::prelude::*;
use ftsim_protocols::detectors::FdOperator;
use ftsim_spec::detector::{EVENTUAL_STRONG_ACCURACY, EVENTUAL_WEAK_ACCURACY, STRONG_ACCURACY};

use crate::confidence::Mean;

const NONE: [&str; 0] = [];

fn at(ms: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(ms)
}

/// Each operator sees crashes within 10 ms.
fn bench(n: u32, params: &str, horizon_ms: u64) -> Bench {
    let mut bench = Bench::of::<FdOperator>(n).params(params).perfect_detector("0ms..10ms");
    bench.experiment.limits.horizon = at(horizon_ms);
    bench
}

/// Heartbeats take up to 300 ms, and the timeout of 50 ms does not grow: questions never end.
fn slow(n: u32, error_rate: f64) -> Bench {
    let params = format!(r#"{{"increment": "0ms", "error_rate": {error_rate}}}"#);
    let mut bench = bench(n, &params, 5_000);
    let (mean, cap) = (Duration::from_millis(40), Duration::from_millis(300));
    bench.experiment.network.default.delay = Delay::Exponential { mean, cap };
    bench
}

fn answers(run: &Run) -> u64 {
    let is_answer = |what: &TraceEvent| match what {
        TraceEvent::Timer { timer } => timer.starts_with("Answer"),
        _ => false,
    };
    run.trace.entries.iter().filter(|e| is_answer(&e.what)).count() as u64
}

#[test]
fn a_period_costs_n_times_n_minus_1_messages() {
    for n in [1, 2, 5] {
        let run = bench(n, "{}", 159).lockstep().run(1);
        assert_eq!(run.statistics.sent(), 4 * u64::from(n * (n - 1)));
        assert_eq!((answers(&run), run.violated()), (0, vec![]));
    }
}

#[test]
fn an_operator_who_never_errs_makes_it_perfect_however_slow_heartbeats_are() {
    let mut questions = 0;
    for seed in 0..60 {
        let bench = slow(4, 0.0).check(STRONG_ACCURACY).random_crashes(3, "0ms..2s");
        let run = bench.run(seed);
        assert_eq!(run.violated(), NONE, "seed {seed}");
        questions += answers(&run);
    }
    assert!(questions > 1_000, "{questions}");
}

#[test]
fn an_operator_who_errs_leaves_strong_completeness_alone() {
    let bench = slow(4, 0.2).check(EVENTUAL_STRONG_ACCURACY).check(STRONG_ACCURACY);
    let bench = bench.check(EVENTUAL_WEAK_ACCURACY).random_crashes(2, "0ms..1s");
    let mut violated = bench.violated_in(0..100);
    violated.iter_mut().for_each(|v| v.retain(|id| *id != "fd.eventual-weak-accuracy"));
    let inaccurate = ["fd.strong-accuracy", "fd.eventual-strong-accuracy"];
    let count = violated.iter().filter(|v| **v == inaccurate).count();
    assert!(count > 90, "{count}");
    // A run in which all but one crash has no correct process to be wrong about.
    assert!(violated.iter().all(|v| v.iter().all(|id| inaccurate.contains(id))), "{violated:?}");
}

#[test]
fn a_crash_is_confirmed_after_1_over_1_minus_e_questions_in_the_mean() {
    for error_rate in [0.0, 0.25, 0.5] {
        let params = format!(r#"{{"error_rate": {error_rate}}}"#);
        let bench = bench(2, &params, 6_000).crash(0, Trigger::At(at(100)));
        let questions = Mean::of((0..400).map(|seed| {
            let run = bench.run(seed);
            assert_eq!(run.violated(), NONE, "seed {seed}");
            answers(&run) as f64
        }));
        assert!(questions.admits(1.0 / (1.0 - error_rate)), "{questions:?} for {error_rate}");
        assert!(!questions.admits(1.0 / (0.8 - error_rate)), "{questions:?} for {error_rate}");
    }
}

#[test]
fn each_mutant_breaks_what_it_says() {
    let once = bench(8, r#"{"error_rate": 0.3}"#, 3_000).crash(0, Trigger::At(at(100)));
    let violated = once.clone().mutant("ask-once").violated_in(0..20);
    assert!(violated.iter().any(|v| *v == ["fd.strong-completeness"]), "{violated:?}");
    assert!(once.violated_in(0..20).iter().all(Vec::is_empty));
    let unasked = slow(3, 0.0).mutant("does-not-ask").run(1);
    assert_eq!(unasked.violated(), ["fd.strong-accuracy", "fd.eventual-strong-accuracy"]);
}

#[test]
fn an_operator_who_is_always_wrong_or_answers_at_once_is_refused() {
    let refused = |params: &str| bench(2, params, 1).refused().map(|invalid| invalid.key);
    assert_eq!(refused(r#"{"error_rate": 1.0}"#).as_deref(), Some("params.error_rate"));
    assert_eq!(refused(r#"{"error_rate": -0.1}"#).as_deref(), Some("params.error_rate"));
    assert_eq!(refused(r#"{"delay": "0ms"}"#).as_deref(), Some("params.delay"));
    assert_eq!(refused(r#"{"period": "0ms"}"#).as_deref(), Some("params.period"));
}
