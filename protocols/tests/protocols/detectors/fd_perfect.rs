use ftsim_core::Instant;
use ftsim_core::bench::{Bench, after_effect};
use ftsim_core::environment::detector::Mistake;
use ftsim_core::fault::Trigger;
use ftsim_core::prelude::*;
use ftsim_protocols::detectors::FdPerfect;
use ftsim_spec::detector::{EVENTUAL_STRONG_ACCURACY, EVENTUAL_WEAK_ACCURACY, WEAK_ACCURACY};

const NONE: [&str; 0] = [];

fn at(ms: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(ms)
}

/// p0 crashes at 10 ms.
fn one_crash(n: u32) -> Bench {
    Bench::of::<FdPerfect>(n).perfect_detector("5ms..20ms").crash(0, Trigger::At(at(10)))
}

#[test]
fn it_costs_no_message_and_each_hears_once() {
    for n in [2, 3, 7] {
        let run = one_crash(n).run(1);
        assert_eq!(run.violated(), NONE);
        assert_eq!(run.statistics.sent(), 0);
        assert_eq!(run.indication_steps().len(), n as usize - 1);
    }
}

#[test]
fn it_detects_within_what_the_oracle_takes_and_not_always_sooner() {
    let mut late = 0;
    for seed in 0..100 {
        let promises = |json: &str| one_crash(4).params(json).run(seed).violated();
        assert_eq!(promises(r#"{"detect_within": "20ms"}"#), NONE, "seed {seed}");
        late += promises(r#"{"detect_within": "15ms"}"#).len();
    }
    assert!(late > 0);
}

#[test]
fn an_oracle_that_hides_a_crash_is_incomplete() {
    let mut bench = one_crash(3).mutant("incomplete");
    bench.experiment.detector.blind.push((ProcessId(2), ProcessId(0)));
    assert_eq!(bench.run(1).violated(), ["fd.strong-completeness"]);
}

#[test]
fn an_oracle_that_errs_for_a_while_is_eventually_accurate() {
    let mut bench = one_crash(3).check(EVENTUAL_STRONG_ACCURACY).check(EVENTUAL_WEAK_ACCURACY);
    let (observer, suspects) = (ProcessId(1), ProcessId(2));
    let mistake = Mistake { observer, suspects, at: at(1), until: Some(at(2)) };
    bench.experiment.detector.mistakes.push(mistake);
    assert_eq!(bench.check(WEAK_ACCURACY).run(1).violated(), ["fd.strong-accuracy"]);
}

#[test]
fn any_crashes_below_n_are_detected() {
    for seed in 0..400 {
        let bench = Bench::of::<FdPerfect>(5).params(r#"{"detect_within": "20ms"}"#);
        let bench = bench.perfect_detector("0ms..20ms").crash(0, after_effect(0, 1));
        let crashes = [1, 2, 3].map(|p| (p, (seed * 7 + u64::from(p) * 13) % 40));
        let strike = |bench: Bench, (p, ms)| bench.crash(p, Trigger::At(at(ms)));
        let run = crashes.into_iter().fold(bench, strike).run(seed);
        assert_eq!(run.violated(), NONE, "seed {seed}");
    }
}
