//! Defects of the checkers of properties.

use ftsim::Catalogue;
use ftsim::run;
use ftsim::scenario::Scenario;
use ftsim_core::Outcome;
use ftsim_core::model::property::Verdict;

fn scenario(text: &str) -> Scenario {
    Scenario::parse("x.toml", text, &Catalogue::builtin())
        .unwrap_or_else(|diagnostics| panic!("{}", diagnostics[0].message))
}

fn outcome(scenario: &Scenario, seed: u64) -> Outcome {
    run::run(scenario, seed).expect("ftsim does not fail")
}

fn violated(outcome: &Outcome) -> Vec<&'static str> {
    let violated = outcome.judged.iter().filter(|j| matches!(j.verdict, Verdict::Violated(_)));
    violated.map(|judged| judged.id.0).collect()
}

/// Heartbeats that come every millisecond and take up to ten: for a timeout of five to be too short
/// several must be slow in a row, which is rare, and for one of eight it is rarer.
const RARE_MISTAKES: &str = r#"
protocol  = "fd-heartbeat"
processes = 2
[params]
period    = "1ms"
timeout   = "5ms"
increment = "3ms"
[network]
delay = "1ms..10ms"
[random]
max_faulty = 1
crash      = { count = "0..1", between = "0ms..600ms" }
[run]
horizon = "3s"
"#;

#[test]
fn a_late_mistake_that_is_taken_back_does_not_refute_eventual_accuracy() {
    let short = scenario(RARE_MISTAKES);
    for seed in 1..=200 {
        assert_eq!(violated(&outcome(&short, seed)), [""; 0], "seed {seed}");
    }
    // The longer a run is, the more often its last quarter holds a mistake.
    let long = scenario(&RARE_MISTAKES.replace("3s", "30s"));
    for seed in 20..=30 {
        assert_eq!(violated(&outcome(&long, seed)), [""; 0], "seed {seed}");
    }
}

#[test]
fn a_detector_that_goes_on_making_mistakes_is_refused_however_long_it_runs() {
    let shipped = include_str!("../../scenarios/detectors/fd-heartbeat-fixed-timeout.toml");
    for horizon in ["4s", "6s", "12s", "30s"] {
        let scenario =
            scenario(&shipped.replace("horizon = \"6s\"", &format!("horizon = \"{horizon}\"")));
        for seed in 1..=20 {
            let violated = violated(&outcome(&scenario, seed));
            assert_eq!(violated, ["fd.eventual-strong-accuracy"], "{horizon}, seed {seed}");
        }
    }
}

/// Fifteen or a hundred clients on one key, and a takeover during which all of them wait.
const SLOW: &str = r#"
protocol = "primary-backup"
[processes]
server = 3
client = 15
[params]
takeover = "quorum"
ack_wait = "majority"
timeout  = "90ms"
[network]
delay = "1ms..10ms"
[workload]
operations = 40
keys       = 1
[[fault]]
at           = "120ms"
pause        = "p0"
resume_after = "300ms"
[run]
horizon = "4s"
"#;

const HUNDRED_CLIENTS: &str = r#"
protocol = "primary-backup"
[processes]
server = 3
client = 100
[params]
takeover = "quorum"
ack_wait = "majority"
timeout  = "90ms"
[network]
delay = "1ms..10ms"
[workload]
operations = 20
keys       = 1
[[fault]]
at        = "211ms"
bandwidth = { from = "p0", rate = "500B/s" }
[run]
horizon = "8s"
"#;

fn linearizable(text: &str, seed: u64) -> Verdict {
    let outcome = outcome(&scenario(text), seed);
    let judged = outcome.judged.into_iter().find(|judged| judged.id.0 == "reg.linearizable");
    judged.expect("it is a property of the service").verdict
}

#[test]
fn fifteen_clients_on_one_key_are_judged() {
    for seed in 1..=10 {
        assert_eq!(linearizable(SLOW, seed), Verdict::Held, "seed {seed}");
    }
}

#[test]
fn a_search_among_a_hundred_clients_ends_at_its_limit_and_says_so() {
    for seed in 1..=2 {
        match linearizable(HUNDRED_CLIENTS, seed) {
            Verdict::Held => {}
            Verdict::Undecided(reason) => assert!(reason.contains("was cut off"), "{reason}"),
            other => panic!("seed {seed}: {other:?}"),
        }
    }
}
