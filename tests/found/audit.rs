//! The auditor: it finds nothing in any shipped scenario, and refuses each forged trace.

mod forged;

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::shipped;
use ftsim::Catalogue;
use ftsim::audit::Rule;
use ftsim::run::audited::{Audit, WrongRun, audit_seeds};
use ftsim::scenario::Scenario;

/// Seeds of each shipped scenario that are audited.
const SEED_COUNT: u64 = 3;

fn read(folder: &str, file: &str) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(file);
    let text = fs::read_to_string(path).expect("a readable scenario");
    parse(file, &text)
}

fn parse(name: &str, text: &str) -> Scenario {
    Scenario::parse(name, text, &Catalogue::builtin()).unwrap_or_else(|problems| {
        let renderer = annotate_snippets::Renderer::plain();
        let problems: Vec<String> = problems.iter().map(|p| p.render(&renderer)).collect();
        panic!("{name}: {}", problems.join("\n"))
    })
}

/// What was found, a line for each.
fn told(name: &str, audit: &Audit) -> Vec<String> {
    let of_run = |run: &WrongRun| {
        let (seed, point) = (run.seed, run.point);
        let point = point.map(|point| format!(", crash point {point}")).unwrap_or_default();
        let tell = move |finding| format!("{name}, seed {seed}{point}: {finding}");
        run.findings.iter().map(tell).collect::<Vec<_>>()
    };
    audit.wrong.iter().flat_map(of_run).collect()
}

#[test]
fn no_shipped_scenario_shows_a_defect_of_the_engine() {
    let told = shipped::in_parallel(&shipped::scenarios(), |(name, scenario)| {
        let seeds = scenario.seeds.clone();
        let seeds = seeds.start..seeds.end.min(seeds.start + SEED_COUNT);
        told(name, &audit_seeds(scenario, seeds, 1).expect("the runs are made"))
    });
    let wrong = told.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Audits some seeds of a case.
fn audited(file: &str, seeds: std::ops::Range<u64>) -> Vec<String> {
    let scenario = read("tests/found/cases", file);
    told(file, &audit_seeds(&scenario, seeds, 1).expect("the runs are made"))
}

/// The sync of its disk may end, and what it does then waits.
#[test]
fn a_process_that_is_paused_in_a_sync_does_nothing_when_the_sync_ends() {
    let text = r#"
        protocol = "two-phase-commit"
        processes = { coordinator = 1, participant = 2 }
        network = { delay = "1ms..10ms" }
        storage = { sync_latency = "20ms" }
        fault = [{ at = "25ms", pause = ["p0", "p1", "p2"], resume_after = "50ms" }]
        run = { seeds = 10, horizon = "2s" }
    "#;
    let scenario = parse("paused-in-a-sync.toml", text);
    let audit = audit_seeds(&scenario, 1..11, 1).expect("the runs are made");
    assert_eq!(told("paused-in-a-sync.toml", &audit), [""; 0]);
}

/// What waits for a process is neither handled nor lost, if the run ends before its turn comes.
#[test]
fn a_limit_ends_a_run_while_a_process_handles_what_has_waited_for_a_sync() {
    for limit in 540..570 {
        let text = format!(
            r#"
            protocol = "raft"
            processes = {{ server = 5, client = 4 }}
            params = {{ retry = "5ms" }}
            network = {{ delay = "1ms..10ms", duplicate = 0.3 }}
            storage = {{ sync_latency = "10ms..40ms" }}
            workload = {{ operations = 20, think = "0ms..1ms" }}
            run = {{ max_events = {limit} }}
            "#
        );
        let scenario = parse("limit-behind-a-sync.toml", &text);
        let audit = audit_seeds(&scenario, 1..2, 1).expect("the runs are made");
        assert_eq!(told("limit-behind-a-sync.toml", &audit), [""; 0], "{limit} events");
    }
}

/// What it has held back is sent later, between its handlers. If that is lost at once, the trace
/// has nothing else to show that it did something.
#[test]
fn a_liar_crashes_after_an_effect_that_nobody_sees() {
    let text = r#"
        protocol = "fd-heartbeat"
        processes = 3
        network = { loss = 0.5 }
        fault = [
            { at = "0ms", byzantine = "p0" },
            { after_effect = { process = "p0", nth = 12 }, crash = "p0" },
        ]
        run = { seeds = 100, horizon = "500ms" }
    "#;
    let scenario = parse("liar.toml", text);
    let audit = audit_seeds(&scenario, 1..101, 1).expect("the runs are made");
    assert_eq!(told("liar.toml", &audit), [""; 0]);
}

#[test]
fn a_process_that_crashes_in_a_batch_of_messages_takes_no_further_step() {
    assert_eq!(audited("steps-after-crash.toml", 1..51), [""; 0]);
    assert_eq!(audited("ckpt-step-after-crash-seed-254.toml", 254..255), [""; 0]);
}

#[test]
fn a_process_that_crashes_in_a_batch_of_suspicions_takes_no_further_step() {
    assert_eq!(audited("steps-after-crash-detector.toml", 1..31), [""; 0]);
}

#[test]
fn a_reliable_link_gets_through_after_its_receiver_has_restarted() {
    assert_eq!(audited("fifo-gap-after-restart.toml", 1..101), [""; 0]);
}

/// The crash was said to be none of the plan: the process does nothing else at that time. Found by
/// `ftsim stress lamport-clock --beyond`.
#[test]
fn a_liar_crashes_after_an_effect_that_is_a_late_message_and_is_lost() {
    let text = r#"
        protocol = "lamport-clock"
        processes = 2
        workload = { actors = ["p0"], sends = 1.0 }
        network = { loss = 0.5, bound = "10ms" }
        fault = [
            { at = "0ms", byzantine = "p0", behaviour = { delay = "30ms" } },
            { after_effect = { process = "p0", nth = 6 }, crash = "p0" },
        ]
        run = { seeds = 100, horizon = "2s" }
    "#;
    let scenario = parse("late-and-lost.toml", text);
    let audit = audit_seeds(&scenario, 1..101, 1).expect("the runs are made");
    assert_eq!(told("late-and-lost.toml", &audit), [""; 0]);
}

#[test]
fn every_rule_is_in_the_documentation() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/audit.md");
    let page = fs::read_to_string(path).expect("a readable page");
    let rows = page.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, Rule::ALL.len());
    for rule in Rule::ALL {
        assert!(page.contains(&format!("\n| `{}` | ", rule.name())), "{} is not", rule.name());
    }
}

/// What the auditor may know of: the trace, and plain data.
const PLAIN: [&str; 9] = [
    "ProcessSet",
    "environment",
    "experiment",
    "fault",
    "id",
    "model",
    "outcome::trace",
    "rng",
    "time",
];

#[test]
fn the_auditor_knows_the_trace_and_plain_data_and_nothing_of_the_engine() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/audit");
    for file in fs::read_dir(folder).expect("a readable folder") {
        let path = file.expect("a readable entry").path();
        let text = fs::read_to_string(&path).expect("a readable file");
        let name = path.display();
        assert!(!text.contains("crate::"), "{name} imports from the rest of ftsim");
        for used in text.split("ftsim_core::").skip(1) {
            let is_plain = PLAIN.iter().any(|plain| used.starts_with(plain));
            assert!(is_plain, "{name} imports ftsim_core::{used:.20}");
        }
        for used in text.split("ftsim_").skip(1) {
            assert!(used.starts_with("core::"), "{name} imports ftsim_{used:.9}");
        }
        for engine in ["Simulation", "Runner", "Rng::"] {
            assert!(!text.contains(engine), "{name} knows of {engine}");
        }
    }
}

#[test]
fn the_command_line_audits_and_says_nothing_where_nothing_is_wrong() {
    for args in [
        &["run", "--audit", "--seeds", "3", "scenarios/beb-crashes.toml"][..],
        &["run", "--audit", "scenarios/2pc-every-crash-point.toml"],
        &["replay", "--audit", "--seed", "1", "scenarios/beb-crashes.toml"],
    ] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_ftsim"));
        let program = program.current_dir(env!("CARGO_MANIFEST_DIR")).args(args);
        let output = program.output().expect("ftsim starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && errors.is_empty(), "{args:?}: {errors}");
    }
}
