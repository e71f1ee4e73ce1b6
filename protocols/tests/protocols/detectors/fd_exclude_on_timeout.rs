use ftsim_core::Instant;
use ftsim_core::bench::{Bench, Run, STEP, sends};
use ftsim_core::fault::Trigger;
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::prelude::*;
use ftsim_protocols::detectors::FdExcludeOnTimeout;

const NONE: [&str; 0] = [];
/// T = 2δ under [`Bench::lockstep`].
const PERIOD: Duration = Duration::from_nanos(2 * STEP.as_nanos());

/// Ends one nanosecond before `periods` periods are over.
fn lockstep(n: u32, periods: u64) -> Bench {
    let mut bench = Bench::of::<FdExcludeOnTimeout>(n).lockstep();
    let nanos = PERIOD.times(periods).as_nanos();
    bench.experiment.limits.horizon = Instant::from_nanos(nanos - 1);
    bench
}

fn suspicions(run: &Run) -> Vec<Instant> {
    let entries = run.trace.entries.iter();
    let suspects = entries.filter(
        |e| matches!(&e.what, TraceEvent::Indicate { what, .. } if what.starts_with("Suspect")),
    );
    suspects.map(|e| e.at).collect()
}

#[test]
fn a_period_costs_2_n_times_n_minus_1_messages() {
    for n in [1, 2, 3, 5, 9] {
        // The first of five periods sends no requests.
        let run = lockstep(n, 5).run(1);
        let expected = 4 * u64::from(n * (n - 1));
        assert_eq!(run.statistics.sent_of("Request"), expected);
        assert_eq!(run.statistics.sent_of("Reply"), expected);
        assert_eq!(run.violated(), NONE);
    }
}

#[test]
fn detection_takes_two_periods_less_the_delay_after_the_last_reply() {
    for n in [2, 4, 7] {
        for period in [20, 25, 70].map(Duration::from_millis) {
            let params = format!(r#"{{"period": "{period}"}}"#);
            // The first requests are sent at T, and p0 dies with its replies sent, at T + δ.
            let bench = lockstep(n, 12).params(&params);
            let run = bench.crash(0, sends(0, "Reply", u64::from(n) - 1)).run(1);
            assert_eq!(run.violated(), NONE);
            let crash = Instant::ZERO + period + STEP;
            let detected = crash + (period.times(2) - STEP);
            assert_eq!(suspicions(&run), vec![detected; n as usize - 1]);
        }
    }
}

#[test]
fn a_crash_at_the_start_is_detected_after_two_periods() {
    let run = lockstep(4, 6).crash(0, Trigger::At(Instant::ZERO)).run(1);
    assert_eq!(suspicions(&run), [Instant::ZERO + PERIOD.times(2); 3]);
    assert_eq!(run.violated(), NONE);
}

#[test]
fn a_period_of_one_nanosecond_less_than_a_round_trip_is_too_short() {
    let bench = lockstep(3, 6).params(r#"{"period": "20ms"}"#);
    assert_eq!(bench.run(1).violated(), NONE);
    let bench = lockstep(3, 6).params(r#"{"period": "19.999999ms"}"#);
    assert_eq!(bench.run(1).violated(), ["fd.strong-accuracy"]);
}

#[test]
fn any_crashes_below_n_are_detected_in_time_and_none_else() {
    for seed in 0..300 {
        let mut bench = Bench::of::<FdExcludeOnTimeout>(5);
        bench.experiment.limits.horizon = Instant::ZERO + Duration::from_millis(300);
        let run = bench.random_crashes(4, "0ms..200ms").run(seed);
        assert_eq!(run.violated(), NONE, "seed {seed}");
    }
}
