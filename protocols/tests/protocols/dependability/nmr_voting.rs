use ftsim_core::adversary::Behaviour;
use ftsim_core::bench::Bench;
use ftsim_core::environment::delay::Delay;
use ftsim_core::environment::network::Loss;
use ftsim_core::fault::Trigger;
use ftsim_core::rng::Rng;
use ftsim_core::{Duration, Instant, Probability};
use ftsim_protocols::dependability::NmrVoting;

use crate::confidence::Mean;

const NONE: [&str; 0] = [];
const ONE_JOB: &str = r#"{"jobs": 1}"#;

fn system(units: u32, voters: u32, params: &str) -> Bench {
    Bench::with_roles::<NmrVoting>(&[("unit", units), ("voter", voters)]).params(params)
}

/// The share of the jobs of which all voters announced the result.
fn answered(outcome: &ftsim_core::Outcome) -> f64 {
    let judged = outcome.judged.iter().find(|judged| judged.id.0 == "mask.output");
    judged.and_then(|judged| judged.measured).expect("it is measured")
}

#[test]
fn a_job_costs_a_message_for_each_pair_of_neighbours() {
    for (rows, stages, voters) in [(1, 1, 1), (3, 1, 1), (3, 2, 3), (5, 3, 5)] {
        let k = (rows - 1) / 2;
        let params = format!(r#"{{"k": {k}, "stages": {stages}}}"#);
        let bench = system(rows * stages, voters, &params).workload(ONE_JOB).lockstep();
        let run = bench.run(1);
        assert_eq!(run.violated(), NONE);
        assert_eq!(run.statistics.sent(), u64::from(rows * rows * (stages - 1) + rows * voters));
        assert_eq!(run.steps(), u64::from(stages));
    }
    // A single voter hears a stage, and passes its vote on.
    let params = r#"{"stages": 2, "voter": "single"}"#;
    let run = system(6, 1, params).workload(ONE_JOB).lockstep().run(1);
    assert_eq!((run.statistics.sent(), run.violated()), (3 + 2 + 3, vec![]));
}

#[test]
fn up_to_k_of_2k_plus_1_units_are_masked_whichever_they_are() {
    let behaviours = [Behaviour::Mutate, Behaviour::Equivocate, Behaviour::Silent];
    for behaviour in behaviours {
        for wrong in 0..6 {
            let bench = system(6, 3, r#"{"stages": 2}"#).byzantine(wrong, behaviour.clone());
            assert_eq!(bench.violated_in(0..50), vec![NONE.to_vec(); 50], "{wrong}");
        }
        for first in 0..5 {
            for second in 0..first {
                let bench = system(5, 1, r#"{"k": 2}"#)
                    .byzantine(first, behaviour.clone())
                    .byzantine(second, behaviour.clone());
                assert_eq!(bench.violated_in(0..20), vec![NONE.to_vec(); 20]);
            }
        }
    }
}

#[test]
fn each_stage_masks_a_wrong_unit_of_its_own() {
    for first in 0..3 {
        for second in 3..6 {
            let bench = system(6, 3, r#"{"stages": 2}"#)
                .byzantine(first, Behaviour::Mutate)
                .byzantine(second, Behaviour::Mutate);
            assert_eq!(bench.violated_in(0..20), vec![NONE.to_vec(); 20]);
        }
    }
}

#[test]
fn k_plus_1_units_mask_one_that_stops_and_none_that_is_wrong() {
    let stops = system(2, 1, "{}").crash(0, Trigger::At(Instant::ZERO));
    assert_eq!(stops.violated_in(0..50), vec![NONE.to_vec(); 50]);
    let wrong = system(2, 1, "{}").byzantine(0, Behaviour::Mutate).violated_in(0..50);
    let is_believed = |violated: &&Vec<&str>| violated.contains(&"mask.correct-output");
    assert!(wrong.iter().filter(is_believed).count() > 10);
    assert!(wrong.iter().all(|violated| violated.is_empty() || is_believed(&violated)));
}

#[test]
fn a_single_voter_is_a_weak_point() {
    let wrong = |params: &str, unit| {
        let bench = system(6, 1, params).byzantine(unit, Behaviour::Mutate);
        bench.violated_in(0..50).into_iter().any(|violated| !violated.is_empty())
    };
    let single = r#"{"stages": 2, "voter": "single"}"#;
    assert!(wrong(single, 3), "the voter of the second stage");
    for unit in [0, 1, 2, 4, 5] {
        assert!(!wrong(single, unit), "{unit} is no voter");
    }
    assert!(!wrong(r#"{"stages": 2}"#, 3));
}

#[test]
fn a_wrong_program_is_wrong_on_all_units() {
    for violated in system(3, 1, "{}").mutant("common-mode").violated_in(0..20) {
        assert_eq!(violated, ["mask.correct-output", "mask.output"]);
    }
}

/// The probability that `least` or more of `n` units work, each with probability `r`.
fn k_of_n(least: u32, n: u32, r: f64) -> f64 {
    let choose = |i: u32| (1..=i).map(|j| f64::from(n - i + j) / f64::from(j)).product::<f64>();
    let exactly = |i: u32| {
        let (works, fails) = (i32::try_from(i).unwrap(), i32::try_from(n - i).unwrap());
        choose(i) * r.powi(works) * (1.0 - r).powi(fails)
    };
    (least..=n).map(exactly).sum()
}

#[test]
fn the_reliability_of_k_of_n_units_is_that_of_the_formula() {
    for r in [0.9, 0.5, 0.4] {
        assert!((k_of_n(2, 3, r) - (3.0 * r * r - 2.0 * r * r * r)).abs() < 1e-12);
        for (n, k) in [(1, 0), (2, 0), (2, 1), (3, 1), (5, 2), (5, 1)] {
            let mut bench = system(n, 1, &format!(r#"{{"k": {k}}}"#)).workload(ONE_JOB);
            // A unit fails if its only message is lost.
            let loss = Probability::new(1.0 - r).unwrap();
            bench.experiment.network.default.loss = Loss::Independent(loss);
            let mut runner = bench.runner();
            let works = Mean::of((0..3_000).map(|seed| answered(&runner.run(seed))));
            let expected = k_of_n(n - k, n, r);
            assert!(works.admits(expected), "{k} of {n}, R = {r}: {works:?}, not {expected}");
        }
    }
}

#[test]
fn three_units_are_better_than_one_if_and_only_if_one_is_better_than_a_coin() {
    for percent in 1..100_i32 {
        let r = f64::from(percent) / 100.0;
        let gain = k_of_n(2, 3, r) - r;
        let expected = (percent - 50).signum();
        assert!(gain * f64::from(expected) > 0.0 || expected == 0 && gain.abs() < 1e-12, "{r}");
    }
}

/// The mean time until a system fails whose units fail after exponential times with this mean.
fn mean_time_to_failure(units: u32, k: u32, mean: Duration) -> Mean {
    let every = Duration::from_millis(10);
    let job_count = 400;
    let workload = format!(r#"{{"jobs": {job_count}, "every": "10ms"}}"#);
    let lifetime = Delay::Exponential { mean, cap: Duration::from_secs(3_600) };
    let mut rng = Rng::from_bits(17);
    let lives = |seed: u64| {
        let mut bench = system(units, 1, &format!(r#"{{"k": {k}}}"#)).workload(&workload);
        bench = bench.delay(Duration::from_millis(1));
        for unit in 0..units {
            let until = Instant::ZERO + lifetime.draw(&mut rng);
            bench = bench.crash(unit, Trigger::At(until));
        }
        // The voter does nothing but announce results, one every 10 ms while the system works.
        let statistics = bench.runner().run(seed).statistics;
        let result_count = *statistics.effects.last().expect("the voter is the last process");
        result_count as f64 * every.as_nanos() as f64 / mean.as_nanos() as f64
    };
    Mean::of((0..1_000).map(lives))
}

#[test]
fn the_mean_times_to_failure_are_those_of_the_formulas() {
    // Lifetimes are counted in whole jobs: 10 ms of 500.
    let mean = Duration::from_millis(500);
    let cases = [(1, 0, 1.0), (3, 1, 5.0 / 6.0), (2, 1, 3.0 / 2.0), (2, 0, 1.0 / 2.0)];
    for (units, k, expected) in cases {
        let measured = mean_time_to_failure(units, k, mean).allowing(0.02);
        assert!(measured.admits(expected), "{units}, {k}: {measured:?}, not {expected}");
    }
}

#[test]
fn systems_that_make_no_sense_are_refused() {
    let refused = |units, voters, params| system(units, voters, params).refused().is_some();
    assert!(refused(3, 1, r#"{"k": 3}"#));
    assert!(refused(3, 1, r#"{"stages": 2}"#));
    assert!(refused(3, 1, r#"{"stages": 0}"#));
    assert!(refused(3, 0, "{}"));
    assert!(!refused(3, 1, "{}"));
}
