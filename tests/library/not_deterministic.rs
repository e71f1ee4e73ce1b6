//! Guards the check for determinism: a protocol that reads a clock, or remembers an earlier run, is
//! caught, with the event in which two runs of one seed begin to differ.

use std::sync::atomic::{AtomicU64, Ordering};

use ftsim::Catalogue;
use ftsim::run::divergence;
use ftsim::run::divergence::Differs;
use ftsim::run::{Repeat, RunError};
use ftsim::scenario::Scenario;
use ftsim::sweep;
use ftsim_core::NoParams;
use ftsim_core::{Cx, Model, Never, Process, ProcessId, Protocol, Setting};
use ftsim_protocols::spec::broadcast::{Broadcast, Request};

const MODEL: Model = Model::ASYNCHRONOUS;

/// Sends on what it is asked for, and the time of day with it.
#[derive(Clone, Debug, Hash)]
struct ClockReader;

#[expect(clippy::disallowed_types, reason = "this is what the check must catch")]
fn time_of_day() -> u128 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.expect("it is after 1970").as_nanos()
}

impl Process for ClockReader {
    type Spec = Broadcast;
    type Msg = u128;
    type Timer = Never;
    type Record = Never;
    fn on_request(&mut self, _: Request, cx: &mut Cx<Self>) {
        cx.note("asked");
        cx.broadcast(time_of_day());
    }
    fn on_message(&mut self, _: ProcessId, _: u128, _: &mut Cx<Self>) {}
}

impl Protocol for ClockReader {
    const NAME: &'static str = "clock-reader";
    const SUMMARY: &'static str = "reads a wall clock";
    const SOURCE: &'static str = "none";
    fn model(_: &Self::Params, _: &Setting) -> Model {
        MODEL
    }
    type Params = NoParams;
    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self
    }
}

/// Sends one message more in the 1,000th run of the program and in all after it.
#[derive(Clone, Debug, Hash)]
struct Rememberer {
    talks: bool,
}

static MADE: AtomicU64 = AtomicU64::new(0);

impl Process for Rememberer {
    type Spec = Broadcast;
    type Msg = u8;
    type Timer = Never;
    type Record = Never;
    fn on_request(&mut self, _: Request, cx: &mut Cx<Self>) {
        if self.talks {
            cx.broadcast(1);
        }
    }
    fn on_message(&mut self, _: ProcessId, _: u8, _: &mut Cx<Self>) {}
}

impl Protocol for Rememberer {
    const NAME: &'static str = "rememberer";
    const SUMMARY: &'static str = "remembers earlier runs";
    const SOURCE: &'static str = "none";
    fn model(_: &Self::Params, _: &Setting) -> Model {
        MODEL
    }
    type Params = NoParams;
    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self { talks: MADE.fetch_add(1, Ordering::Relaxed) >= 1_001 }
    }
}

fn scenario(protocol: &str) -> Scenario {
    let catalogue = Catalogue::builtin().with::<ClockReader>().with::<Rememberer>();
    let text = format!("protocol = \"{protocol}\"\nprocesses = 2\n");
    Scenario::parse("x.toml", &text, &catalogue).expect("a good scenario")
}

fn diverges(protocol: &str) -> divergence::Divergence {
    let result = sweep::sweep_repeated(&scenario(protocol), 1..5_000, 1, Repeat::Twice, &|_| {});
    match result {
        Err(RunError::Diverged(divergence)) => *divergence,
        other => panic!("nothing was caught: {other:?}"),
    }
}

#[test]
fn a_wall_clock_is_caught_at_the_first_event_that_shows_it() {
    let divergence = diverges("clock-reader");
    assert_eq!((divergence.seed, divergence.crash_point), (1, None));
    let Differs::Event { index, one: Some(one), other: Some(other) } = &divergence.differs else {
        panic!("{divergence}");
    };
    // Two starts, the request and the note are the same.
    assert_eq!(*index, 4);
    assert_ne!(one, other);
    let text = divergence.to_string();
    assert!(text.starts_with("two runs of seed 1 of x.toml are not the same: "), "{text}");
    assert!(text.contains("they differ from event 5 on\n  one:   0003"), "{text}");
    assert_eq!(text.lines().filter(|line| line.contains("p0 -> p")).count(), 2, "{text}");
    // Once is not enough to see it.
    let once = sweep::sweep(&scenario("clock-reader"), 1..10, 1, &|_| {});
    assert!(once.is_ok());
}

#[test]
fn what_a_run_leaves_behind_is_caught() {
    let divergence = diverges("rememberer");
    assert!(matches!(divergence.differs, Differs::Event { .. }), "{divergence}");
    assert!(divergence.seed > 100, "{divergence}");
}

#[test]
fn runs_that_are_the_same_are_counted_as_if_run_once() {
    let text = "protocol = \"eager-rb\"\nprocesses = 4\n\
                [random]\nmax_faulty = 1\ncrash = { count = \"0..1\", between = \"0ms..9ms\" }\n";
    let scenario = Scenario::parse("x.toml", text, &Catalogue::builtin()).expect("a scenario");
    let once = sweep::sweep(&scenario, 1..100, 2, &|_| {}).expect("ftsim does not fail");
    let twice = sweep::sweep_repeated(&scenario, 1..100, 2, Repeat::Twice, &|_| {});
    let twice = twice.expect("the runs are the same");
    assert_eq!((once.digest(), once.seed_count), (twice.digest(), twice.seed_count));
}
