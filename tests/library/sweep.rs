//! Guards what becomes of a panic: a protocol's is a verdict, ftsim's own is an error, neither is
//! noise.

use std::sync::atomic::{AtomicBool, Ordering};

use ftsim::run;
use ftsim::scenario::Scenario;
use ftsim::sweep::judge;
use ftsim::{Catalogue, sweep};
use ftsim_core::NoParams;
use ftsim_core::{Cx, Model, Never, Process, ProcessId, PropertyId, Protocol, Setting};
use ftsim_protocols::spec::broadcast::{Broadcast, Request};
use ftsim_reports::{SeedRange, SurpriseKind};

const MODEL: Model = Model::ASYNCHRONOUS;

/// Panics when it is asked for something.
#[derive(Clone, Debug, Hash)]
struct Nervous;

impl Process for Nervous {
    type Spec = Broadcast;
    type Msg = ();
    type Timer = Never;
    type Record = Never;
    fn on_request(&mut self, _: Request, _: &mut Cx<Self>) {
        panic!("asked for too much");
    }
    fn on_message(&mut self, _: ProcessId, (): (), _: &mut Cx<Self>) {}
}

impl Protocol for Nervous {
    const NAME: &'static str = "nervous";
    const SUMMARY: &'static str = "panics";
    const SOURCE: &'static str = "none";
    fn model(_: &Self::Params, _: &Setting) -> Model {
        MODEL
    }
    type Params = NoParams;
    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self
    }
}

/// Cannot even be made.
#[derive(Clone, Debug, Hash)]
struct Impossible;

impl Process for Impossible {
    type Spec = Broadcast;
    type Msg = ();
    type Timer = Never;
    type Record = Never;
    fn on_request(&mut self, _: Request, _: &mut Cx<Self>) {}
    fn on_message(&mut self, _: ProcessId, (): (), _: &mut Cx<Self>) {}
}

impl Protocol for Impossible {
    const NAME: &'static str = "impossible";
    const SUMMARY: &'static str = "cannot be made";
    const SOURCE: &'static str = "none";
    fn model(_: &Self::Params, _: &Setting) -> Model {
        MODEL
    }
    type Params = NoParams;
    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        panic!("there is no such process")
    }
}

/// Breaks when it is put into its world, though not when the scenario is read: as ftsim itself
/// might.
#[derive(Clone, Debug, Hash)]
struct Fragile;

static CLAIMS_READ: AtomicBool = AtomicBool::new(false);

impl Process for Fragile {
    type Spec = Broadcast;
    type Msg = ();
    type Timer = Never;
    type Record = Never;
    fn on_request(&mut self, _: Request, _: &mut Cx<Self>) {}
    fn on_message(&mut self, _: ProcessId, (): (), _: &mut Cx<Self>) {}
}

impl Protocol for Fragile {
    const NAME: &'static str = "fragile";
    const SUMMARY: &'static str = "breaks outside of a run";
    const SOURCE: &'static str = "none";
    fn model(_: &Self::Params, _: &Setting) -> Model {
        MODEL
    }
    type Params = NoParams;
    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self
    }
    fn claims(_: &NoParams, _: &Setting) -> Vec<PropertyId> {
        assert!(!CLAIMS_READ.swap(true, Ordering::Relaxed), "handle with care");
        Vec::new()
    }
}

fn scenario(protocol: &str) -> Scenario {
    let catalogue = Catalogue::builtin().with::<Nervous>().with::<Impossible>().with::<Fragile>();
    let text = format!("protocol = \"{protocol}\"\nprocesses = 2\n");
    Scenario::parse("x.toml", &text, &catalogue).expect("a good scenario")
}

#[test]
fn a_panic_of_a_handler_is_a_surprise_that_can_be_replayed() {
    let scenario = scenario("nervous");
    let tally = sweep::sweep(&scenario, 1..50, 3, &|_| {}).expect("no failure of ftsim");
    assert_eq!(tally.panicked, 49);
    let report = judge::report(&scenario, SeedRange { from: 1, until: 50 }, &tally);
    let first = &report.surprises[0];
    assert_eq!((first.kind, first.seed), (SurpriseKind::Panicked, Some(1)));
    assert!(first.message.contains("p0 panicked: asked for too much"), "{}", first.message);
    let (outcome, _) = run::record(&scenario, 1).expect("no failure of ftsim");
    assert!(outcome.panicked.is_some());
}

#[test]
fn a_process_that_cannot_be_made_is_a_verdict_too() {
    let tally = sweep::sweep(&scenario("impossible"), 1..50, 3, &|_| {}).expect("no failure");
    let message = tally.first_panic.expect("it panicked").message;
    assert!(message.contains("p0 panicked: there is no such process"), "{message}");
}

#[test]
fn a_failure_of_ftsim_names_scenario_and_seed() {
    let scenario = scenario("fragile");
    let is_told = |message: &str| {
        let parts = ["handle with care (at tests/library/sweep.rs:", "(in x.toml, seed "];
        parts.iter().all(|part| message.contains(part))
    };
    for jobs in [1, 4] {
        let error = sweep::sweep(&scenario, 1..1_000, jobs, &|_| {}).err();
        let message = error.expect("a failure").to_string();
        assert!(is_told(&message), "{message}");
    }
}
