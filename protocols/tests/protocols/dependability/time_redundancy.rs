use ftsim_core::bench::{Bench, sends};
use ftsim_core::environment::message_rule::{Fate, MessageRule};
use ftsim_core::environment::network::Loss;
use ftsim_core::fault::Trigger;
use ftsim_core::{Duration, Instant, Probability, ProcessId, PropertyId};
use ftsim_protocols::dependability::TimeRedundancy;

use crate::confidence::Mean;

const NONE: [&str; 0] = [];
const OUTPUT: PropertyId = PropertyId("mask.output");
const DRIVER: ProcessId = ProcessId(0);
const UNIT: ProcessId = ProcessId(1);

fn system(params: &str) -> Bench {
    let mut bench = Bench::with_roles::<TimeRedundancy>(&[("driver", 1), ("unit", 1)])
        .params(params)
        .workload(r#"{"jobs": 1}"#)
        .check(OUTPUT)
        .lockstep();
    bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(5);
    bench
}

/// The same, but the first results of this number are lost.
fn losing_results(bench: &Bench, count: u64) -> Bench {
    let mut bench = bench.clone();
    let rule = |nth| MessageRule { from: UNIT, to: DRIVER, kind: None, nth, fate: Fate::DROP };
    bench.experiment.overrides = (1..=count).map(rule).collect();
    bench
}

#[test]
fn each_attempt_takes_a_round_trip() {
    for failures in 0..=3 {
        let run = losing_results(&system("{}"), failures).run(1);
        assert_eq!(run.violated(), NONE);
        assert_eq!(run.statistics.sent(), 2 * (failures + 1));
        assert_eq!(run.indication_steps().last(), Some(&(2 * failures + 2)));
    }
}

#[test]
fn after_r_retries_the_job_is_given_up() {
    for retries in 0..=4 {
        let bench = system(&format!(r#"{{"retries": {retries}}}"#));
        assert_eq!(losing_results(&bench, retries).run(1).violated(), NONE);
        let run = losing_results(&bench, retries + 1).run(1);
        assert_eq!(run.violated(), ["mask.output"]);
        assert!(run.reached.contains(&"gave up"));
    }
}

#[test]
fn a_job_that_is_done_again_without_rollback_counts_twice() {
    let bench = losing_results(&system(r#"{"rollback": false}"#), 1);
    assert_eq!(bench.run(1).violated(), ["lnk.exactly-once-effect"]);
    assert_eq!(losing_results(&system("{}"), 1).run(1).violated(), NONE);
    // A job that never reached the unit has done nothing that must be undone.
    let mut bench = system(r#"{"rollback": false}"#);
    let rule = MessageRule { from: DRIVER, to: UNIT, kind: None, nth: 1, fate: Fate::DROP };
    bench.experiment.overrides = vec![rule];
    assert_eq!(bench.run(1).violated(), NONE);
}

#[test]
fn a_crash_is_a_permanent_fault() {
    let crash = |bench: Bench| bench.crash(1, Trigger::At(Instant::ZERO)).run(1).violated();
    assert_eq!(crash(system("{}")), ["mask.output"]);
    let for_ever = system("{}").mutant("retry-for-ever");
    assert_eq!(crash(for_ever.clone()), ["mask.output", "smr.liveness"]);
    assert_eq!(losing_results(&for_ever, 7).run(1).violated(), NONE);
    // It has done the job, and crashes before it can say so.
    let silent = system("{}").crash(1, sends(1, "Done", 1)).run(1);
    assert_eq!(silent.violated(), NONE);
}

#[test]
fn a_job_succeeds_with_probability_1_minus_q_to_the_r_plus_1() {
    for q in [0.2, 0.5, 0.8] {
        for retries in 0..=3 {
            let mut bench = system(&format!(r#"{{"retries": {retries}}}"#));
            let mut link = bench.experiment.network.default.clone();
            link.loss = Loss::Independent(Probability::new(q).unwrap());
            bench.experiment.network.overrides.push(((UNIT, DRIVER), link));
            let runs = bench.violated_in(0..3_000);
            let succeeded = runs.iter().filter(|violated| violated.is_empty()).count();
            let share = Mean::of_share(succeeded as u64, 3_000);
            let expected = 1.0 - q.powi(retries + 1);
            assert!(share.admits(expected), "q = {q}, r = {retries}: {share:?}, not {expected}");
        }
    }
}

#[test]
fn there_is_one_driver_and_one_unit() {
    for (drivers, units) in [(2, 1), (1, 2), (0, 1), (1, 0)] {
        let roles = [("driver", drivers), ("unit", units)];
        assert!(Bench::with_roles::<TimeRedundancy>(&roles).refused().is_some());
    }
}
