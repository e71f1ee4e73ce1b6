//! Defects of the engine.

mod every_value;
mod watchdog;

use std::collections::BTreeSet;

use ftsim::Catalogue;
use ftsim::run;
use ftsim::scenario::Scenario;
use ftsim_core::NoParams;
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::{
    Cx, EndCause, Model, Never, Process, ProcessId, Protocol, Setting, Trace, Verdict,
};
use ftsim_protocols::spec::broadcast::{Broadcast, Indication, Request};

fn scenario(text: &str) -> Scenario {
    let catalogue = Catalogue::builtin().with::<Careless>();
    match Scenario::parse("case.toml", text, &catalogue) {
        Ok(scenario) => scenario,
        Err(diagnostics) => panic!("{diagnostics:?}"),
    }
}

/// The entries that tell of a step that a process took while it was down.
fn steps_while_down(trace: &Trace) -> Vec<String> {
    let mut down = BTreeSet::new();
    let mut found = Vec::new();
    for entry in &trace.entries {
        let Some(p) = entry.process else { continue };
        match &entry.what {
            TraceEvent::Crash { .. } => drop(down.insert(p)),
            TraceEvent::Recover { .. } => drop(down.remove(&p)),
            TraceEvent::Deliver { .. }
            | TraceEvent::Request { .. }
            | TraceEvent::Timer { .. }
            | TraceEvent::Suspect { .. }
            | TraceEvent::Trust { .. }
            | TraceEvent::Indicate { .. }
            | TraceEvent::Append { .. }
            | TraceEvent::SetTimer { .. }
            | TraceEvent::Carry { .. }
                if down.contains(&p) =>
            {
                found.push(format!("step {}: {p} {:?}", entry.step, entry.what));
            }
            _ => {}
        }
    }
    found
}

#[test]
fn a_process_that_crashes_over_the_first_of_several_messages_gets_no_other() {
    let scenario = scenario(include_str!("cases/steps-after-crash.toml"));
    let mut crashed = 0;
    for seed in 1..=50 {
        let (outcome, trace) = run::record(&scenario, seed).expect("ftsim does not fail");
        crashed += outcome.statistics.crashes;
        assert_eq!(steps_while_down(&trace), [] as [String; 0], "seed {seed}");
    }
    assert_eq!(crashed, 50);
}

#[test]
fn a_process_that_crashes_over_the_first_of_several_suspicions_hears_of_no_other() {
    let scenario = scenario(include_str!("cases/steps-after-crash-detector.toml"));
    for seed in 1..=30 {
        let (outcome, trace) = run::record(&scenario, seed).expect("ftsim does not fail");
        assert_eq!(outcome.statistics.crashes, 3, "seed {seed}");
        assert_eq!(steps_while_down(&trace), [] as [String; 0], "seed {seed}");
    }
}

/// No property is violated in these seeds.
fn holds(scenario: &Scenario, seeds: impl IntoIterator<Item = u64>) {
    for seed in seeds {
        let outcome = run::run(scenario, seed).expect("ftsim does not fail");
        for judged in &outcome.judged {
            let violated = matches!(judged.verdict, Verdict::Violated(_));
            assert!(!violated, "seed {seed}: {:?}", judged.verdict);
        }
    }
}

#[test]
fn a_checkpoint_protocol_holds_where_its_processes_crash_over_a_batch_of_messages() {
    holds(&scenario(include_str!("cases/ckpt-step-after-crash-seed-254.toml")), [254]);
}

#[test]
fn a_fifo_link_goes_on_after_its_receiver_restarted_with_messages_held_back() {
    holds(&scenario(include_str!("cases/fifo-gap-after-restart.toml")), 1..=200);
    holds(&scenario(include_str!("cases/ckpt-fifo-gap-seed-138.toml")), [138]);
}

#[test]
fn many_heartbeat_detectors_end_at_the_limit_of_messages_under_way() {
    let text = include_str!("cases/fd-heartbeat-10000.toml");
    let scenario = scenario(&text.replace("processes=10000", "processes=3000"));
    let outcome = run::run(&scenario, 1).expect("ftsim does not fail");
    assert_eq!(outcome.cause, EndCause::EventLimit);
    let most = scenario.experiment.limits.pending_count_max as u64 + 10_000;
    assert!(outcome.statistics.sent() <= most, "{} were sent", outcome.statistics.sent());
}

#[test]
fn heartbeats_of_the_transport_count_as_events() {
    let text = "protocol = \"eager-rb\"\nprocesses = 3\n[network]\nlinks = \"reliable\"\n\
                [detector]\nkind = \"heartbeat\"\nperiod = \"1us\"\ntimeout = \"1s\"\n\
                [run]\nhorizon = \"8760h\"\nmax_events = 100000\n";
    let outcome = run::run(&scenario(text), 1).expect("ftsim does not fail");
    assert_eq!(outcome.cause, EndCause::EventLimit);
}

/// Reliable in nothing: what it does wrong depends on the number that it is asked to broadcast.
#[derive(Clone, Debug, Hash)]
struct Careless;

const FAT: usize = 1 << 14;

impl Process for Careless {
    type Spec = Broadcast;
    type Msg = Vec<u8>;
    type Timer = Never;
    type Record = Never;
    fn on_request(&mut self, _: Request, cx: &mut Cx<Self>) {
        match cx.setting().n {
            2 => cx.send_to_others(vec![7; FAT]),
            3 => drop(cx.rng().between(9, 3)),
            n => {
                let number = [0, 1][n as usize];
                cx.indicate(Indication::Deliver { sender: cx.me(), number });
            }
        }
    }
    fn on_message(&mut self, from: ProcessId, msg: Vec<u8>, cx: &mut Cx<Self>) {
        cx.send(from, msg.clone());
        cx.send(from, msg);
    }
}

impl Protocol for Careless {
    const NAME: &'static str = "careless";
    const SUMMARY: &'static str = "does all kinds of things wrong";
    const SOURCE: &'static str = "none";
    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS
    }
    type Params = NoParams;
    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self
    }
}

#[test]
fn messages_that_fill_the_memory_end_the_run() {
    // Each message is answered by two, and its JSON has 32 kB.
    let text = "protocol = \"careless\"\nprocesses = 2\n";
    let mut scenario = scenario(text);
    scenario.experiment.limits.byte_count_max = 1 << 25;
    let outcome = run::run(&scenario, 1).expect("ftsim does not fail");
    assert_eq!(outcome.cause, EndCause::MemoryLimit);
    assert!(outcome.statistics.sent() < 4_000, "{} were sent", outcome.statistics.sent());
}

/// The panic of the run among this many processes.
fn panic_of(processes: u32) -> (String, Vec<Verdict>) {
    let text = format!("protocol = \"careless\"\nprocesses = {processes}\n");
    let outcome = run::run(&scenario(&text), 1).expect("ftsim does not fail");
    let message = outcome.panicked.expect("it panicked").message;
    (message, outcome.judged.into_iter().map(|judged| judged.verdict).collect())
}

#[test]
fn a_panic_names_the_line_of_the_protocol() {
    let here = file!();
    let (message, _) = panic_of(4);
    assert!(message.starts_with("index out of bounds"), "{message}");
    assert!(message.contains(&format!("(at {here}:")), "{message}");
    // The engine refused; the line is the one that asked for the impossible.
    let (message, _) = panic_of(3);
    assert!(message.starts_with("no number is from 9 to 3"), "{message}");
    assert!(message.contains(&format!("(at {here}:")), "{message}");
}

#[test]
fn after_a_panic_no_property_is_said_to_have_held_vacuously() {
    let (_, verdicts) = panic_of(3);
    let undecided = Verdict::Undecided("a panic ended the run".into());
    assert!(verdicts.contains(&undecided), "{verdicts:?}");
    assert!(!verdicts.contains(&Verdict::HeldVacuously), "{verdicts:?}");
}
