//! Fault, error, failure: a bit flips, a copy is wrong, a client sees it. The trace tells them
//! apart (Avizienis, Laprie, Randell and Landwehr 2004).

use ftsim::Catalogue;
use ftsim::run;
use ftsim::scenario::Scenario;
use ftsim_core::Trace;
use ftsim_core::outcome::trace::TraceEvent;

const SEEDS: std::ops::Range<u64> = 1..101;

fn text() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/fault-error-failure.toml");
    std::fs::read_to_string(path).expect("a readable scenario")
}

fn traces(text: &str) -> Vec<Trace> {
    let scenario = Scenario::parse("x.toml", text, &Catalogue::builtin());
    let Ok(scenario) = scenario else { panic!("the scenario is refused") };
    let record = |seed| run::record(&scenario, seed).expect("ftsim does not fail").1;
    SEEDS.map(record).collect()
}

const ERROR: &str = "a successor in error";
const FAILURE: &str = "reg.linearizable";

/// Where in the trace the fault, the error that a successor finds, and the failure are.
fn marks(trace: &Trace) -> [Option<usize>; 3] {
    let first = |is: fn(&TraceEvent) -> bool| trace.entries.iter().position(|e| is(&e.what));
    [
        first(|what| *what == TraceEvent::StateCorrupted),
        first(|what| matches!(what, TraceEvent::Reach { label } if label == ERROR)),
        first(|what| matches!(what, TraceEvent::Violation { property, .. } if property == FAILURE)),
    ]
}

#[test]
fn a_failure_comes_of_an_error_and_an_error_of_a_fault() {
    let (mut errors, mut failures) = (0, 0);
    for trace in traces(&text()) {
        let [fault, error, failure] = marks(&trace);
        assert!(fault.is_some());
        errors += u64::from(error.is_some());
        failures += u64::from(failure.is_some());
        assert!(error.is_none_or(|at| Some(at) > fault));
        assert!(failure.is_none_or(|at| error.is_some_and(|error| error < at)));
    }
    // An update writes some errors over, before the takeover or before anybody reads them.
    assert!(0 < failures && failures < errors && errors < SEEDS.end - SEEDS.start);
}

#[test]
fn an_error_that_nobody_is_served_from_is_no_failure() {
    let without_crash = text().replace("crash = \"p0\"", "heal  = true");
    for trace in traces(&without_crash) {
        let [fault, error, failure] = marks(&trace);
        assert!(fault.is_some());
        assert_eq!([error, failure], [None, None]);
    }
}

#[test]
fn without_the_fault_there_is_neither() {
    let without_fault = text().replace("state_corruption = \"p1\"", "heal = true");
    for trace in traces(&without_fault) {
        assert_eq!(marks(&trace), [None; 3]);
    }
}
