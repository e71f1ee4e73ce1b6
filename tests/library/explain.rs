//! Guards `ftsim explain` and `ftsim diff`: the stories in docs/explain.md are what the program
//! tells, sequence diagrams are what Mermaid reads, and two runs differ where they do.

use crate::shipped;
use std::path::Path;
use std::process::{Command, Output};

use expect_test::expect_file;
use ftsim::Catalogue;
use ftsim::run;
use ftsim::run::failure::failure;
use ftsim::run::necessity::{AblationResult, needs};
use ftsim::scenario::Scenario;
use ftsim_core::RunRequest;
use ftsim_reports::Causality;

/// Runs ftsim in the folder that holds `scenarios/`.
fn ftsim(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    let root = env!("CARGO_MANIFEST_DIR");
    command.current_dir(root).args(args).output().expect("ftsim starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn scenario(name: &str) -> Scenario {
    let text = std::fs::read_to_string(shipped::file(name)).expect("a readable scenario");
    Scenario::parse(name, &text, &Catalogue::builtin()).unwrap_or_else(|_| panic!("{name}"))
}

/// `UPDATE_EXPECT=1 cargo test --test library explain` writes the stories into the page anew.
#[test]
fn the_page_tells_what_the_program_tells() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/explain.md");
    let page = std::fs::read_to_string(&path).expect("a readable page");
    let mut told = String::new();
    let mut rest = page.as_str();
    let mut count = 0;
    while let Some(at) = rest.find("\n    $ ftsim ") {
        let (before, from) = rest.split_at(at + 1);
        let line = from.lines().next().expect("the line that was found");
        let args: Vec<&str> = line.trim_start_matches("    $ ftsim ").split(' ').collect();
        let output = stdout(&ftsim(&args));
        told.push_str(&format!("{before}{line}\n"));
        for line in output.lines() {
            told.push_str(format!("    {line}").trim_end());
            told.push('\n');
        }
        // The output reaches as far as lines are indented or empty.
        let is_shown = |line: &str| line.starts_with("    ") || line.trim().is_empty();
        let shown: usize =
            from.split_inclusive('\n').take_while(|l| is_shown(l)).map(str::len).sum();
        rest = &from[shown..];
        told.push('\n');
        count += 1;
    }
    assert!(count >= 3, "the page shows {count} stories");
    told.push_str(rest);
    expect_file![path].assert_eq(&told);
}

#[test]
fn a_seed_that_violates_nothing_has_no_story() {
    let output = ftsim(&["explain", "scenarios/2pc-commit.toml", "--seed", "1"]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(message, "error: seed 1 of scenarios/2pc-commit.toml violates nothing\n");
    let file = "scenarios/2pc-blocked.toml";
    let codes = [
        (vec!["explain", file], 2),
        (vec!["explain", file, "--seed", "1", "--property", "no.such"], 2),
        (vec!["explain", file, "--seed", "1", "--property", "ac.agreement"], 1),
        (vec!["explain", file, "--seed", "1", "--property", "ac.nonblocking"], 0),
    ];
    for (args, code) in codes {
        assert_eq!(ftsim(&args).status.code(), Some(code), "{args:?}");
    }
}

/// Whether a line of a diagram is one that Mermaid reads, with these participants.
fn is_drawn(line: &str, participants: &[&str]) -> bool {
    let known = |name: &str| participants.contains(&name);
    let is_plain = |text: &str| !text.is_empty() && !text.contains([';', '#']);
    if let Some(note) = line.strip_prefix("Note over ") {
        let parts = note.split_once(": ");
        return parts.is_some_and(|(over, text)| over.split(',').all(known) && is_plain(text));
    }
    ["->>", "-x"].iter().any(|arrow| {
        let parts =
            line.split_once(arrow).and_then(|(from, rest)| Some((from, rest.split_once(": ")?)));
        parts.is_some_and(|(from, (to, text))| known(from) && known(to) && is_plain(text))
    })
}

#[test]
fn every_line_of_a_diagram_is_one_of_mermaid() {
    let (mut lost, mut heard) = (0, 0);
    for name in [
        "split-brain-one-way",
        "2pc-coordinator-crash",
        "flooding-consensus-own-view",
        "fd-perfect-mistakes",
        "oral-messages-two-faced-n-3",
        "reliable-link-lose-disk",
        "uniform-rb-ring-all-ack",
    ] {
        let file = shipped::file(name).display().to_string();
        let output = ftsim(&["explain", &file, "--seed", "1", "--format", "mermaid"]);
        assert_eq!(output.status.code(), Some(0), "{name}");
        let text = stdout(&output);
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("sequenceDiagram"), "{name}");
        let lines: Vec<&str> = lines.map(str::trim).collect();
        let declared = lines.iter().filter_map(|line| line.strip_prefix("participant "));
        let participants: Vec<&str> = declared.collect();
        assert!(!participants.is_empty(), "{name}");
        for line in &lines[participants.len()..] {
            assert!(is_drawn(line, &participants), "{name}: {line}");
        }
        lost += text.matches("-x").count();
        heard += text.matches("->>").count();
    }
    assert!(lost > 0 && heard > 0, "{lost} lost, {heard} heard");
}

/// Without a fault that is called necessary the property is not violated; without one that is
/// called irrelevant it is.
#[test]
fn what_is_needed_is_told_apart_from_what_is_not() {
    let needs_of = |name: &str, property: &str| {
        let scenario = scenario(name);
        let (outcome, _) = run::record(&scenario, 1).expect("ftsim does not fail");
        let sought = failure(&outcome, property).expect("a violation");
        needs(&scenario, &outcome, &sought.id).expect("ftsim does not fail")
    };
    let own_view = needs_of("flooding-consensus-own-view", "cons.agreement");
    let held = AblationResult::Gone("held".to_owned());
    let instead: Vec<&AblationResult> =
        own_view.faults.iter().map(|trial| &trial.instead).collect();
    assert_eq!(instead, [&held, &held]);
    assert_eq!(own_view.mutant.map(|trial| trial.instead), Some(held.clone()));
    let fixed = needs_of("fd-heartbeat-fixed-timeout", "fd.eventual-strong-accuracy");
    assert!(fixed.faults.iter().all(|trial| trial.instead == AblationResult::Same));
    assert_eq!(fixed.all_faults, Some(AblationResult::Same));
    assert_eq!(fixed.mutant.map(|trial| trial.instead), Some(held));
    let mistaken = needs_of("flooding-consensus-imperfect-fd", "cons.agreement");
    let instead: Vec<bool> =
        mistaken.mistakes.iter().map(|trial| trial.instead == AblationResult::Same).collect();
    assert_eq!(instead, [true, false], "only one of the two mistakes is needed");
}

/// In every shipped scenario: causes come first, and every message that is heard was sent.
#[test]
fn causes_come_before_what_they_bring_about() {
    let mut caused = 0;
    for (path, scenario) in shipped::scenarios() {
        let (_, trace) = run::record(&scenario, 1).expect("ftsim does not fail");
        let causality = Causality::of(&trace);
        for (index, step) in causality.steps.iter().enumerate() {
            let earlier = step.cause.into_iter().chain(step.before);
            for before in earlier {
                assert!(before < index, "{}: step {}", path, step.number);
                assert!(causality.steps[before].at <= step.at, "{}", path);
            }
            caused += usize::from(step.cause.is_some());
        }
        let heard = causality.voyages.values().filter(|voyage| voyage.heard.is_some());
        for voyage in heard {
            assert!(voyage.sent < voyage.heard && voyage.lost.is_none(), "{}", path);
        }
    }
    assert!(caused > 10_000, "{caused} steps with a cause");
}

#[test]
fn a_run_does_not_differ_from_itself_and_differs_from_another_seed() {
    let file = "scenarios/2pc-coordinator-crash.toml";
    let same = ftsim(&["diff", file, file, "--seed", "1"]);
    assert_eq!(same.status.code(), Some(0));
    assert!(
        stdout(&same).ends_with("the two runs are identical: 270 events\n"),
        "{}",
        stdout(&same)
    );
    let other = ftsim(&["diff", file, file, "--seed", "1", "--other-seed", "2"]);
    assert_eq!(other.status.code(), Some(1));
    let text = stdout(&other);
    for part in [
        "they differ from event 18 on\n",
        "A  0008  0s  p0 -> p1  Prepare(1)  [m0 arrives 8.66721ms]\n",
        "B  0008  0s  p0 -> p1  Prepare(1)  [m0 arrives 1.866692ms]\n",
        "p0 in both, after step 8: Coordinator(",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert_eq!(ftsim(&["diff", file, file]).status.code(), Some(2));
    assert_eq!(ftsim(&["diff", file, "none.toml", "--seed", "1"]).status.code(), Some(2));
}

#[test]
fn crash_points_are_compared_where_there_are_any() {
    let [every, mutant] = ["2pc-every-crash-point", "2pc-every-crash-point-vote-before-log"]
        .map(|name| shipped::file(name).display().to_string());
    let diff = |point: &str| ftsim(&["diff", &every, &mutant, "--seed=1", "--crash-point", point]);
    let text = stdout(&diff("p0:3"));
    for part in [
        "p0        CRASHES\n",
        "they differ from event 18 on\n",
        "B  0007  1.45822ms  p2  VOTES Yes on transaction 1",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert_eq!(diff("p9:1").status.code(), Some(2));
    let file = "scenarios/2pc-commit.toml";
    let none = ftsim(&["diff", file, file, "--seed=1", "--crash-point=p0:3"]);
    assert_eq!(none.status.code(), Some(2));
}

/// Two scenarios that differ in a fault: the states of the process that it strikes differ.
#[test]
fn states_are_those_after_the_event() {
    let scenario = scenario("2pc-coordinator-crash");
    let mut runner = scenario.prepare().expect("an accepted scenario");
    let (outcome, trace) = runner.record(1);
    let plan = outcome.plan.as_ref().clone();
    let before = runner.states(RunRequest::under(1, plan.clone()), 8);
    let after = runner.states(RunRequest::under(1, plan), 9);
    let differing: Vec<usize> = (0..4).filter(|p| before[*p] != after[*p]).collect();
    let entry = trace.entries.iter().find(|entry| entry.step == 9).expect("a ninth step");
    assert_eq!(differing, [entry.process.expect("a process").index()]);
    assert_eq!(runner.run(1).digest, outcome.digest, "what was looked at runs as before");
}
