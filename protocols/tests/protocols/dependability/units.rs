//! The numbers of units in series and in parallel, and the law of their lives.

use ftsim_core::bench::Bench;
use ftsim_core::model::property::Judged;
use ftsim_protocols::dependability::Units;

use crate::confidence::Mean;

const NONE: [&str; 0] = [];

fn service(unit_count: u32, params: &str) -> Bench {
    Bench::with_roles::<Units>(&[("unit", unit_count), ("monitor", 1)]).params(params)
}

/// What a property measures in the runs of these seeds.
fn measured(bench: &Bench, id: &str, run_count: u64) -> Vec<f64> {
    let mut runner = bench.runner();
    let measured = |seed| {
        let outcome = runner.run(seed);
        outcome.judged.iter().find(|judged| judged.id.0 == id).and_then(|judged| judged.measured)
    };
    (1..=run_count).filter_map(measured).collect()
}

/// The first three moments of the exponential law with mean 1: 1, 2, 6.
#[test]
fn lifetimes_are_exponential() {
    let bench = service(
        1,
        r#"{"arrangement": "single", "uptime": "1s", "repairs": false, "mission": "50s"}"#,
    );
    let lives = measured(&bench, "dep.mttf", 20_000);
    assert_eq!(lives.len(), 20_000);
    for (power, moment) in [(1, 1.0), (2, 2.0), (3, 6.0)] {
        let mean = Mean::of(lives.iter().map(|life| life.powi(power)));
        assert!(mean.admits(moment), "moment {power}: {mean:?}");
    }
    // Constant rates: whoever has lived for a while has as long to live as a new one.
    for age in [0.5, 1.0, 2.0] {
        let rest = Mean::of(lives.iter().filter(|life| **life > age).map(|life| life - age));
        assert!(rest.admits(1.0), "after {age}: {rest:?}");
        let survivors = lives.iter().filter(|life| **life > age).count() as u64;
        assert!(Mean::of_share(survivors, 20_000).admits((-age).exp()), "after {age}");
    }
}

/// MTBF = MTTF + MTTR, each measured on its own.
#[test]
fn the_time_between_failures_is_that_to_failure_and_that_to_repair() {
    let params = r#"{"arrangement": "single", "uptime": "7s", "downtime": "3s", "mission": "50s",
                     "law": "periodic"}"#;
    let of = |id| measured(&service(1, params), id, 1);
    // It fails at 7 s, 17 s, …, 47 s, and is up again at 10 s, …, 40 s and at the end.
    assert_eq!(of("dep.report"), [10.0]);
    assert_eq!(of("dep.mttf"), [7.0]);
    assert_eq!(of("dep.mttr"), [3.75]);
    assert_eq!(of("dep.availability"), [0.7]);
}

#[test]
fn mutants_change_what_they_say() {
    let judged = |bench: &Bench| -> Vec<Judged> { bench.runner().run(1).judged };
    let bench = service(2, r#"{"law": "periodic"}"#);
    assert_eq!(bench.run(1).violated(), NONE);
    assert!(judged(&bench).iter().any(|judged| judged.id.0 == "dep.reliability"));
    assert_eq!(bench.mutant("common-mode").run(1).violated(), ["dep.reliability"]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (unit_count, params) in [
        (2, r#"{"arrangement": "single"}"#),
        (2, r#"{"arrangement": "k-of-n", "k": 3}"#),
        (2, r#"{"arrangement": "k-of-n", "k": 0}"#),
        (1, r#"{"coverage": 101}"#),
        (1, r#"{"uptime": "0ms"}"#),
        (1, r#"{"downtime": "0ms"}"#),
        (1, r#"{"mission": "0ms"}"#),
        (1, r#"{"uptime": "1ns", "downtime": "1ns"}"#),
    ] {
        assert!(service(unit_count, params).refused().is_some(), "{params}");
    }
}
