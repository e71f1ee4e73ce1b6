//! Guards repros: whatever a seed draws, its repro draws nothing and is the same run, event for
//! event.

use crate::shipped;
use ftsim::Catalogue;
use ftsim::run;
use ftsim::run::repro;
use ftsim::scenario::Scenario;
use ftsim::scenario::crash_point::CrashPoint;

/// Writes the repro of a run, reads it, runs it, and compares.
fn reproduce(name: &str, scenario: &Scenario, seed: u64, point: Option<CrashPoint>) {
    let recorded = run::record_either(scenario, seed, point).expect("ftsim does not fail");
    let text = repro::text(scenario, "a test", &recorded).expect("a repro");
    let repro = Scenario::parse("repro.toml", &text, &Catalogue::builtin());
    let repro = repro.unwrap_or_else(|wrong| panic!("{name}, seed {seed}: {wrong:?}\n{text}"));
    assert!(repro.experiment.random.is_none() && repro.crash_points.is_none(), "{name}");
    assert_eq!(repro.seeds, seed..seed + 1);
    let again = run::record(&repro, seed).expect("ftsim does not fail");
    assert_eq!(again.0.plan, recorded.0.plan, "{name}, seed {seed}\n{text}");
    assert_eq!(again.0.digest, recorded.0.digest, "{name}, seed {seed}\n{text}");
    assert!(again.1 == recorded.1, "{name}, seed {seed}\n{text}");
    assert_eq!(again.0.judged, recorded.0.judged);
    let marks = &repro.repro.as_ref().expect("a repro").marks;
    let differs = marks.as_ref().expect("marks").first_difference(&again.1);
    assert_eq!(differs, None);
}

#[test]
fn every_scenario_has_repros() {
    let mut points = 0;
    for (name, scenario) in shipped::scenarios() {
        if scenario.crash_points.is_some() {
            let first = CrashPoint { process: ftsim_core::ProcessId(0), nth: 2 };
            reproduce(&name, &scenario, 1, Some(first));
            points += 1;
            continue;
        }
        for seed in 1..4 {
            reproduce(&name, &scenario, seed, None);
        }
    }
    assert!(points > 0);
}

#[test]
fn whatever_can_be_drawn_has_repros() {
    let lasting = [
        "freeze = { F, duration = D }",
        "sync_fails = { F, duration = D }",
        "full = { F, duration = D }",
        "clog = { F, duration = D }",
        "pause = { F, duration = D }",
        "send_omission = { F, duration = D, probability = 0.3 }",
        "receive_omission = { F, duration = D }",
        "slow = { F, duration = D, factor = 3 }",
        "slow_sync = { F, duration = D, by = \"1ms..9ms\" }",
        "late = { F, duration = D, by = \"1ms..9ms\" }",
        "delay = { F, duration = D, by = \"1ms..9ms\" }",
        "skew = { F, duration = D, by = \"1ms..9ms\" }",
        "drift = { F, duration = D, by = \"3ppm\" }",
        "loss = { F, duration = D, probability = 0.3 }",
        "duplicate = { F, duration = D, probability = 0.3 }",
        "replay = { F, duration = D, probability = 0.3 }",
        "corrupt = { F, duration = D, probability = 0.3 }",
        "reorder = { F, duration = D, within = \"9ms\" }",
        "bandwidth = { F, duration = D, rate = \"10kB/s\" }",
        "partition = { F, duration = D, shape = \"halves\" }",
        "partition = { F, duration = D, shape = \"isolate\" }",
        "partition = { F, duration = D, shape = \"one-way\" }",
        "partition = { F, duration = D, shape = \"bridge\" }",
        "partition = { F, duration = D, shape = \"ring-of-majorities\" }",
    ];
    let at_once = [
        "crash = { F, recover_after = D }",
        "crash = { F }",
        "exception = { F, recover_after = D }",
        "start = { F }",
        "corrupt_record = { F }",
        "lose_disk = { F }",
        "rollback = { F, records = 2 }",
        "byzantine = { F, behaviour = \"equivocate\" }",
        "jump = { F, by = \"1ms..9ms\" }",
    ];
    let two_phase = "protocol = \"two-phase-commit\"\nworkload = { transactions = 3 }\n\
                     processes = { coordinator = 1, participant = 4 }\n";
    let king = "protocol = \"phase-king\"\nprocesses = 5\n";
    let kinds = lasting.into_iter().chain(at_once).map(|kind| (two_phase, kind));
    for (world, kind) in kinds.chain([(king, "state_corruption = { F }")]) {
        let kind = kind
            .replace('F', "count = \"1..3\", between = \"0ms..80ms\"")
            .replace("= D", "= \"1ms..60ms\"");
        let text = format!(
            "{world}[run]\nhorizon = \"2s\"\n[[fault]]\nat = \"50ms\"\npause = \"any\"\n\
             resume_after = \"3ms\"\n[random]\nmax_faulty = 3\n{kind}\n"
        );
        let scenario = Scenario::parse("x.toml", &text, &Catalogue::builtin());
        let scenario = scenario.unwrap_or_else(|wrong| panic!("{wrong:?}\n{text}"));
        (1..30).for_each(|seed| reproduce(&kind, &scenario, seed, None));
    }
}
