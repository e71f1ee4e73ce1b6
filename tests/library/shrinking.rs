//! Shrinking: for every scenario that fails, those of all mutants among them, the shrunk one fails
//! in the same way, holds nothing that could be left out, and is no larger than the catalogue says
//! that it has to be.
//!
//! `UPDATE_EXPECT=1 cargo test --test library shrinking` writes the table in `docs/shrinking.md`
//! anew.

use crate::shipped;
use std::fmt::Write as _;
use std::fs;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use expect_test::expect_file;
use ftsim::Catalogue;
use ftsim::run;
use ftsim::run::Repeat;
use ftsim::scenario::Scenario;
use ftsim::scenario::crash_point::CrashPoint;
use ftsim::shrink::{Case, Effort, Shrunk, Target, control, processes, shrink};
use ftsim::sweep;
use ftsim::sweep::judge;
use ftsim_core::{Mask, Outcome, PropertyId};
use ftsim_reports::SeedRange;
use toml::{Table, Value};

const ENOUGH: Duration = Duration::from_secs(600);
static RUNNING: AtomicBool = AtomicBool::new(false);

fn parse(path: &str, text: &str) -> Scenario {
    let shown = |diagnostics: Vec<ftsim::scenario::diagnostic::Diagnostic>| -> String {
        diagnostics.iter().map(|d| format!("{}\n", d.message)).collect()
    };
    Scenario::parse(path, text, &Catalogue::builtin())
        .map_err(shown)
        .unwrap_or_else(|e| panic!("{path}: {e}\n{text}"))
}

/// The first run of the scenario's own that violates something, and by what.
fn first_failure(scenario: &Scenario, wanted: &[PropertyId]) -> Option<(Outcome, Target)> {
    for seed in scenario.seeds.clone() {
        let points: Vec<Option<CrashPoint>> = match scenario.crash_points {
            None => vec![None],
            Some(every) => {
                let points = run::crash_points(scenario, seed, every).expect("a profile run");
                points.into_iter().map(|(point, _)| Some(point)).collect()
            }
        };
        for point in points {
            let outcome = run::run_one(scenario, seed, point, Repeat::Once).expect("a run");
            if let Some(target) = Target::of(&outcome, wanted) {
                return Some((outcome, target));
            }
        }
    }
    None
}

fn shrunk(scenario: &Scenario, wanted: &[PropertyId]) -> (Outcome, Shrunk) {
    let (outcome, target) = first_failure(scenario, wanted).expect("a run that fails");
    let effort = Effort { budget: ENOUGH, halt: &RUNNING, progress: &|_, _| {} };
    let shrunk = shrink(scenario, &outcome, &target, &effort);
    (outcome, shrunk.unwrap_or_else(|error| panic!("{}: {error}", scenario.path)))
}

/// `ftsim run` on the file: as expected, and its only run shows the same failure.
fn runs_as_expected(path: &str, shrunk: &Shrunk) -> Result<(), String> {
    let scenario = parse(path, &shrunk.text);
    let seeds = scenario.seeds.clone();
    assert_eq!(seeds.end - seeds.start, 1);
    let tally = sweep::sweep(&scenario, seeds.clone(), 1, &|_| {}).expect("a run");
    let range = SeedRange::from(seeds.clone());
    let report = judge::report(&scenario, range, &tally);
    if !report.as_expected {
        let surprises: Vec<_> = report.surprises.iter().map(|s| &s.message).collect();
        return Err(format!("not as expected: {surprises:?}"));
    }
    let outcome = run::run(&scenario, seeds.start).expect("a run");
    let shows = shrunk.target.is_shown_by(&outcome);
    shows.then_some(()).ok_or_else(|| "the file fails in another way".to_owned())
}

/// Every scenario with one thing less.
fn with_one_thing_less(shrunk: &Shrunk) -> Vec<(String, Case)> {
    let catalogue = Catalogue::builtin();
    let case = &shrunk.case;
    let scenario = case.scenario(&catalogue).expect("it was run");
    let mut less = Vec::new();
    for key in ["fault", "request", "mask"] {
        let list = case.list(key);
        // A mask less is a request more.
        for index in (0..list.len()).filter(|_| key == "fault") {
            let mut rest = list.clone();
            rest.remove(index);
            less.push((format!("{key} {index}"), case.with_list(key, &rest)));
        }
    }
    for index in 0..case.messages.len() {
        let mut rest = case.messages.clone();
        rest.remove(index);
        less.push((format!("message {index}"), case.with_messages(&rest)));
    }
    let outcome = run::run(&scenario, case.seed).expect("a run");
    for (p, count) in outcome.statistics.requests.iter().enumerate() {
        for request in 1..=*count {
            let process = scenario.experiment.setting.processes().nth(p).expect("a process");
            let mask = Mask { process, request };
            if scenario.experiment.masks.contains(&mask) {
                continue;
            }
            let mut table = Table::new();
            table.insert("process".to_owned(), process.to_string().into());
            table.insert("request".to_owned(), i64::try_from(request).expect("few").into());
            let mut masks = case.list("mask");
            masks.push(Value::Table(table));
            less.push((mask.to_string(), case.with_list("mask", &masks)));
        }
    }
    for process in scenario.experiment.setting.processes() {
        let mut roles = scenario.experiment.setting.roles.clone();
        let without = processes::without(case, &mut roles, process);
        less.extend(without.map(|case| (process.to_string(), case)));
    }
    less
}

/// Whether a case shows the failure, and shows it for the same reason: the controls hold that held
/// before.
fn fails_alike(case: &Case, shrunk: &Shrunk) -> bool {
    let catalogue = Catalogue::builtin();
    let outcome_of = |case: &Case| {
        case.scenario(&catalogue).map(|scenario| run::run(&scenario, case.seed).expect("a run"))
    };
    let is_well = |case: &Case| {
        outcome_of(case).is_some_and(|outcome| !shrunk.target.is_violated_by(&outcome))
    };
    let Some(outcome) = outcome_of(case) else { return false };
    // With a request less it may go on for ever, which is no simplification.
    if outcome.statistics.events > 2 * shrunk.before.events + 1_000 {
        return false;
    }
    let entry = shrunk.case.scenario(&catalogue).expect("it was run").entry;
    let controls = |case: &Case| {
        let mutant = control::without_mutant(case, &entry);
        let bound = case.scenario(&catalogue).is_some_and(|s| control::is_within_bound(&s));
        [
            is_well(&control::without_faults(case, &entry)),
            mutant.as_ref().is_none_or(is_well),
            mutant.is_some() || bound,
            control::only_liars_lie(case),
            control::only_omitters_omit(case),
        ]
    };
    let kept = controls(&shrunk.case).into_iter().zip(controls(case)).all(|(was, is)| is || !was);
    shrunk.target.is_shown_by(&outcome) && kept
}

/// What the catalogue says that it takes: processes, and what goes wrong: faults and messages that
/// are late or lost. Of protocols and mutants for which it says so.
const MINIMA: [(&str, &str, u32, usize); 27] = [
    ("reliable-link", "no-dedup", 2, 1),
    ("reliable-link", "no-retransmit", 2, 1),
    ("reliable-link", "volatile-dedup", 2, 2),
    ("reliable-link", "forget-before-ack", 2, 1),
    ("reliable-link", "reuse-seq", 2, 1),
    ("fifo-link", "deliver-on-arrival", 2, 1),
    ("fifo-link", "skip-gap", 2, 1),
    ("eager-rb", "no-delivered-set", 3, 0),
    ("eager-rb", "deliver-without-relay", 3, 1),
    ("eager-rb", "as-urb", 2, 1),
    ("lazy-rb", "incomplete-fd", 3, 1),
    ("lazy-rb", "no-late-relay", 3, 1),
    ("uniform-rb", "imperfect-fd", 2, 1),
    // The catalogue's is of five, two of which crash: half of three is the sender alone.
    ("uniform-rb", "half", 3, 3),
    ("primary-backup", "timeout-no-quorum", 4, 1),
    ("primary-backup", "two-successors", 3, 1),
    ("flooding-consensus", "decide-early", 3, 1),
    ("flooding-consensus", "imperfect-fd", 2, 0),
    ("floodset", "f-rounds", 3, 1),
    ("hierarchical-consensus", "as-uniform", 3, 1),
    ("hierarchical-consensus", "imperfect-fd", 2, 0),
    ("oral-messages", "n-3", 3, 1),
    ("oral-messages", "om0", 4, 1),
    ("oral-messages", "n-3m", 6, 2),
    ("oral-messages", "no-default", 4, 1),
    ("phase-king", "n-4f", 4, 1),
    ("phase-king", "f-phases", 5, 1),
];

/// A shrunk failure: its row of the table if a mutant caused it, and what is wrong with it.
struct Judged {
    row: Option<String>,
    has_minimum: bool,
    wrong: String,
}

fn judged(path: &str, scenario: &Scenario, expected: PropertyId) -> Judged {
    let mut judged = Judged { row: None, has_minimum: false, wrong: String::new() };
    let wrong = &mut judged.wrong;
    let known = scenario.experiment.setting.mutant;
    let wanted = known.map_or(expected, |mutant| mutant.violates);
    let (_, shrunk) = shrunk(scenario, &[wanted]);
    let (before, after) = (shrunk.before, shrunk.after);
    if let Err(why) = runs_as_expected(path, &shrunk) {
        let _ = writeln!(wrong, "{path}: {why}\n{}", shrunk.text);
    }
    for (what, less) in with_one_thing_less(&shrunk) {
        if fails_alike(&less, &shrunk) {
            let _ = writeln!(wrong, "{path}: {what} could be left out of\n{}", shrunk.text);
        }
    }
    let Some(mutant) = known.map(|mutant| mutant.name) else { return judged };
    let name = scenario.entry.name;
    let minimum = MINIMA.iter().find(|(p, m, ..)| (*p, *m) == (name, mutant));
    let shown = minimum.map_or(String::new(), |(_, _, n, faults)| format!("{n}, {faults}"));
    if let Some((_, _, n, faults)) = minimum {
        judged.has_minimum = true;
        // What a liar says is part of its fault.
        let lies = shrunk.case.messages.iter().filter(|m| m.fate.changed().is_some()).count();
        if after.processes > *n || after.faults + after.messages - lies > *faults {
            let _ = writeln!(wrong, "{path}: larger than the catalogue's {shown}: {after:?}");
        }
    }
    let change = |before: u64, after: u64| format!("{before} → {after}");
    judged.row = Some(format!(
        "| `{path}` | `{mutant}` | {} | {} | {} | {} | {} | {} | {shown} | {} |\n",
        shrunk.target.name(),
        change(before.processes.into(), after.processes.into()),
        change(before.requests, after.requests),
        change(before.faults as u64, after.faults as u64),
        after.messages,
        change(before.events, after.events),
        shrunk.runs,
    ));
    judged
}

#[test]
fn every_failure_shrinks_to_what_cannot_be_left_out() {
    let scenarios = shipped::scenarios();
    let judged = shipped::in_parallel(&scenarios, |(path, scenario)| {
        let expected = scenario.expect.violated.first();
        expected.map(|expected| judged(path, scenario, *expected))
    });
    let judged: Vec<Judged> = judged.into_iter().flatten().collect();
    let wrong: String = judged.iter().map(|judged| judged.wrong.as_str()).collect();
    assert!(wrong.is_empty(), "{wrong}");
    let rows: Vec<&str> = judged.iter().filter_map(|judged| judged.row.as_deref()).collect();
    assert!(judged.len() >= 150 && rows.len() >= 98, "{} of {}", rows.len(), judged.len());
    assert!(judged.iter().filter(|judged| judged.has_minimum).count() >= MINIMA.len());
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/shrinking.md"));
    let page = page.expect("the page is there");
    let (text, _) = page.split_once(HEAD).expect("the page has the table");
    let page = format!("{text}{HEAD}{}", rows.concat());
    expect_file!["../../docs/shrinking.md"].assert_eq(&page);
}

const HEAD: &str = "\
| scenario | mutant | violates | processes | requests | faults | messages | events | least | runs |
|---|---|---|---|---|---|---|---|---|---|
";

/// A broadcast among nine processes with a lot of noise, in which one crash matters.
const NOISE: &str = r#"
protocol = "eager-rb"
processes = 9
[params]
mutant = "deliver-without-relay"
[network]
delay = "1ms..10ms"
[workload]
broadcasts = 4
every = "20ms"
[[fault]]
when = { process = "p3", sends = "Data", nth = 6 }
crash = "p3"
"#;

#[test]
fn of_twenty_faults_the_one_that_matters_is_left() {
    let mut text = NOISE.to_owned();
    for noise in 0..19 {
        let (at, p) = (5 + 4 * noise, noise % 3);
        let what = match noise % 5 {
            0 => format!("pause = \"p{p}\"\nresume_after = \"3ms\""),
            1 => format!("delay = {{ by = \"1ms..4ms\", from = [\"p{p}\"] }}\nduration = \"9ms\""),
            2 => format!("slow = {{ process = \"p{p}\", factor = 3 }}\nduration = \"8ms\""),
            3 => "reorder = { probability = 0.3, within = \"5ms\" }\nduration = \"7ms\"".to_owned(),
            _ => format!("late = {{ by = \"2ms\", to = [\"p{p}\"] }}\nduration = \"6ms\""),
        };
        let _ = write!(text, "[[fault]]\nat = \"{at}ms\"\n{what}\n");
    }
    let scenario = parse("noise.toml", &text);
    assert_eq!(scenario.experiment.plan.faults.len(), 20);
    for seed in 1..=10 {
        let outcome = run::run(&scenario, seed).expect("a run");
        let wanted = [PropertyId("rb.agreement")];
        let target = Target::of(&outcome, &wanted).expect("agreement is violated");
        assert_eq!(target.name(), "rb.agreement");
        let effort = Effort { budget: ENOUGH, halt: &RUNNING, progress: &|_, _| {} };
        let shrunk = shrink(&scenario, &outcome, &target, &effort);
        let shrunk = shrunk.expect("it shrinks");
        assert_eq!((shrunk.before.faults, shrunk.after.faults), (20, 1), "{}", shrunk.text);
        assert_eq!(shrunk.after.messages, 0, "{}", shrunk.text);
        assert_eq!(shrunk.after.processes, 3, "{}", shrunk.text);
        assert!(shrunk.text.contains("crash"), "{}", shrunk.text);
        runs_as_expected("noise.toml", &shrunk).expect("as expected");
    }
}

#[test]
fn shrinking_stays_with_the_failure_that_was_asked_for() {
    let mut drifts = 0;
    for (path, scenario) in shipped::scenarios() {
        if scenario.experiment.setting.mutant.is_none() {
            continue;
        }
        let (outcome, _) = first_failure(&scenario, &[]).expect("a run that fails");
        let violated = outcome
            .judged
            .iter()
            .filter(|judged| matches!(judged.verdict, ftsim_core::Verdict::Violated(_)));
        let violated: Vec<PropertyId> = violated.map(|judged| judged.id).collect();
        if violated.len() < 2 {
            continue;
        }
        for wanted in violated {
            drifts += 1;
            let (_, shrunk) = shrunk(&scenario, &[wanted]);
            assert_eq!(shrunk.target.name(), wanted.0);
            runs_as_expected(&path, &shrunk).unwrap_or_else(|why| panic!("{path}: {why}"));
        }
    }
    assert!(drifts >= 20, "{drifts} violations beside others");
}

#[test]
fn the_result_is_the_same_each_time_and_when_cut_short_it_is_still_a_scenario() {
    let mut shipped = shipped::scenarios().into_iter();
    let (path, scenario) =
        shipped.find(|(path, _)| path == "reliable-link-random-loss").expect("it is shipped");
    let (outcome, whole) = shrunk(&scenario, &[]);
    assert_eq!(shrunk(&scenario, &[]).1.text, whole.text);
    for runs_at_most in 0..whole.runs {
        let halt = AtomicBool::new(false);
        let progress = |runs: u64, _: &Case| {
            halt.store(runs >= runs_at_most, std::sync::atomic::Ordering::Relaxed);
        };
        let effort = Effort { budget: ENOUGH, halt: &halt, progress: &progress };
        let target = Target::of(&outcome, &[]).expect("it fails");
        let cut = shrink(&scenario, &outcome, &target, &effort);
        let cut = cut.expect("it shrinks");
        runs_as_expected(&path, &cut).unwrap_or_else(|why| panic!("{runs_at_most}: {why}"));
    }
}

#[test]
fn what_is_within_the_bound_stays_within_it() {
    // Majorities that are none, as a protocol's author might have them: n = 5, two crashes.
    let text = "protocol = \"phase-king\"\nprocesses = 7\n[params]\nf = 2\n";
    let scenario = parse("bound.toml", text);
    assert!(control::is_within_bound(&scenario));
    let beyond = parse("bound.toml", &text.replace('7', "6"));
    assert!(!control::is_within_bound(&beyond));
    // A process that recovers is not faulty where all may recover; one that stays down is.
    let text = "protocol = \"two-phase-commit\"\nprocesses = { coordinator = 1, participant = 2 }\n\
                [[fault]]\nat = \"5ms\"\ncrash = \"p1\"\nrecover_after = \"9ms\"\n";
    assert!(control::is_within_bound(&parse("bound.toml", text)));
    let stays_down = parse("bound.toml", &text.replace("recover_after = \"9ms\"\n", ""));
    assert!(!control::is_within_bound(&stays_down));
}
