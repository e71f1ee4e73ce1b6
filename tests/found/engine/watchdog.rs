//! A handler that does not return, and a run that goes on and on.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration as WallTime;

use ftsim::Catalogue;
use ftsim::run::Repeat;
use ftsim::scenario::Scenario;
use ftsim::sweep;
use ftsim::sweep::{SweepJob, Timeout};
use ftsim_core::NoParams;
use ftsim_core::{Cx, Duration, Model, Process, ProcessId, Protocol, Setting, Verdict};
use ftsim_protocols::spec::broadcast::{Broadcast, Request};
use serde::Serialize;

/// Loops for ever over the first request of p1; the others set one timer after the other.
#[derive(Clone, Debug, Hash)]
struct Endless;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
struct Again;

impl Process for Endless {
    type Spec = Broadcast;
    type Msg = ();
    type Timer = Again;
    type Record = ftsim_core::Never;
    fn on_request(&mut self, _: Request, cx: &mut Cx<Self>) {
        if cx.me() == ProcessId(1) {
            loop {
                std::hint::spin_loop();
            }
        }
        cx.set_timer(Duration::from_nanos(1), Again);
    }
    fn on_message(&mut self, _: ProcessId, (): (), _: &mut Cx<Self>) {}
    fn on_timer(&mut self, again: Again, cx: &mut Cx<Self>) {
        cx.set_timer(Duration::from_nanos(1), again);
    }
}

impl Protocol for Endless {
    const NAME: &'static str = "endless";
    const SUMMARY: &'static str = "never ends";
    const SOURCE: &'static str = "none";
    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS
    }
    type Params = NoParams;
    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self
    }
}

fn text(sender: &str) -> String {
    format!(
        "protocol = \"endless\"\nprocesses = 2\n[workload]\nsenders = [\"{sender}\"]\n\
         [run]\nseeds = 1\nmax_events = 1000000000\nhorizon = \"8000h\"\n"
    )
}

#[test]
fn a_run_that_takes_too_long_is_undecided() {
    let catalogue = Catalogue::builtin().with::<Endless>();
    let scenario = Scenario::parse("x.toml", &text("p0"), &catalogue).expect("a scenario");
    let halt = AtomicBool::new(false);
    let timeout = Some(Timeout { limit: WallTime::from_millis(200), before_exit: &|| {} });
    let (seeds, block, until) = (1..2, 1, None);
    let order = SweepJob {
        scenario: &scenario,
        seeds,
        block,
        jobs: 1,
        repeat: Repeat::Once,
        until,
        halt: &halt,
        timeout,
        strategy: None,
    };
    let (tally, next) = sweep::sweep_until(&order, &|_| {}).expect("ftsim does not fail");
    assert_eq!((tally.seed_count, next), (1, 2));
    let validity = tally.properties.iter().find(|(id, _)| id.0 == "rb.validity");
    let validity = validity.expect("it is checked").1;
    assert_eq!(validity.undecided, 1, "{validity:?}");
    let reason = validity.first_undecided.as_ref().map(|example| example.message.clone());
    let hung = Verdict::Undecided("it hung: the time limit for one run came first".into());
    assert_eq!(reason.map(Verdict::Undecided), Some(hung));
}

/// Tells the test below that it is the child.
const CHILD: &str = "FTSIM_TEST_OF_A_HANDLER_THAT_NEVER_RETURNS";

#[test]
#[expect(clippy::disallowed_methods, reason = "tells the child from its parent")]
fn a_handler_that_never_returns_is_named_and_ends_the_program() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("never-returns");
    std::fs::create_dir_all(&folder).expect("a folder");
    let (fine, file) = (folder.join("fine.toml"), folder.join("x.toml"));
    if std::env::var_os(CHILD).is_some() {
        let catalogue = Catalogue::builtin().with::<Endless>();
        let arguments = ["ftsim".into(), "run".into(), fine.into(), file.into()];
        let limit = ["--timeout-run".into(), "300ms".into()];
        ftsim::main_with(arguments.into_iter().chain(limit), &catalogue);
        unreachable!("the handler never returns");
    }
    std::fs::write(&file, text("p1")).expect("a file");
    let beb = "protocol = \"beb\"\nprocesses = 2\n[run]\nseeds = 3\n";
    std::fs::write(&fine, beb).expect("a file");
    let program = std::env::current_exe().expect("this program");
    let test = "engine::watchdog::a_handler_that_never_returns_is_named_and_ends_the_program";
    let child = Command::new(program).args(["--exact", test]).env(CHILD, "1").output();
    let child = child.expect("it starts");
    let told = String::from_utf8_lossy(&child.stderr).into_owned();
    assert_eq!(child.status.code(), Some(1), "{told}");
    let rows = String::from_utf8_lossy(&child.stdout).into_owned();
    assert!(rows.contains("fine.toml"), "the results so far: {rows}");
    let step = "x.toml, seed 1: endless has been in step 3, at p1, for ";
    assert!(told.contains(step) && told.contains("the run hung"), "{told}");
}
