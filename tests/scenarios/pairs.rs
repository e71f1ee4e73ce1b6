//! Guards what docs/faults.md says of each kind of fault: what breaks under it alone, and what
//! survives the very same.

use crate::shipped;
use std::fs;
use std::path::Path;

use ftsim::scenario::Scenario;
use ftsim::sweep::judge;
use ftsim::{Catalogue, sweep};
use toml::{Table, Value};

/// The first breaks, the second survives the same faults.
const PAIRS: &[(&str, &str)] = &[
    ("primary-backup-isolate-timeout", "primary-backup-isolate-quorum"),
    ("primary-backup-groups-timeout", "primary-backup-groups-quorum"),
    ("primary-backup-bandwidth-timeout", "primary-backup-bandwidth-quorum"),
    ("split-brain-one-way", "primary-backup-one-way-quorum"),
    ("primary-backup-random-isolate-timeout", "primary-backup-random-isolate-quorum"),
    ("primary-backup-random-one-way-timeout", "primary-backup-random-one-way-quorum"),
    ("primary-backup-random-bandwidth-timeout", "primary-backup-random-bandwidth-quorum"),
    ("floodset-random-late", "flooding-consensus-random-late"),
    ("reliable-link-ignore-failed-sync", "reliable-link-failed-sync"),
    ("uniform-rb-ring-all-ack", "uniform-rb-ring-majority"),
    ("uniform-rb-mistakes-all-ack", "uniform-rb-mistakes-majority"),
    ("floodset-late", "flooding-consensus-late"),
    ("floodset-late-process", "floodset-late-process-long-round"),
    ("floodset-random-clog", "flooding-consensus-random-clog"),
    ("chandy-lamport-random-reorder-markers", "chandy-lamport-random-reorder-lai-yang"),
    ("beb-random-replay", "eager-rb-random-replay"),
    ("phase-king-corrupt-n-3f", "phase-king-corrupt"),
    ("oral-messages-garbled-order-n-3", "oral-messages-garbled-order-n-4"),
    ("oral-messages-replaced-order-n-3", "oral-messages-replaced-order-n-4"),
    ("2pc-every-crash-point-vote-before-log", "2pc-every-crash-point"),
    ("eager-rb-as-urb", "uniform-rb-after-effect"),
    ("lazy-rb-incomplete-fd", "eager-rb-blind"),
    ("flooding-consensus-eventually-perfect", "lazy-rb-eventually-perfect"),
];

/// Each breaks through a mutant of the code, and survives without it.
const BROKEN_BY_A_MUTANT: &[&str] = &[
    "2pc-halves",
    "2pc-loss-in-bursts",
    "2pc-random-crash",
    "2pc-vote-before-log",
    "all-to-all-consensus-random-delay",
    "eager-rb-bridge",
    "eager-rb-deliver-without-relay",
    "fd-heartbeat-intermittent-clog",
    "fifo-link-deliver-on-arrival",
    "floodset-links",
    "reliable-link-heal",
    "reliable-link-message-duplicate",
    "reliable-link-no-retransmit",
    "reliable-link-random-duplicate",
    "reliable-link-random-loss",
    "uniform-rb-half",
];

fn table(name: &str) -> Table {
    let text = fs::read_to_string(shipped::file(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    text.parse().unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// What of a scenario goes wrong in it.
fn faults(scenario: &Table) -> Vec<Option<&Value>> {
    let detector = scenario.get("detector");
    let wrong = ["mistakes", "mistakes_per_process", "mistake_duration", "blind"];
    let of_detector = wrong.map(|key| detector.and_then(|detector| detector.get(key)));
    let whole = ["fault", "message", "random"].map(|key| scenario.get(key));
    whole.into_iter().chain(of_detector).collect()
}

fn expected_violations(scenario: &Table) -> usize {
    let expect = scenario.get("expect").and_then(|expect| expect.get("violated"));
    expect.and_then(Value::as_array).map_or(0, Vec::len)
}

#[test]
fn what_survives_has_the_same_faults_as_what_breaks() {
    for (breaks, survives) in PAIRS {
        let (broken, whole) = (table(breaks), table(survives));
        assert!(faults(&broken).iter().any(Option::is_some), "{breaks} has no fault");
        assert_eq!(faults(&broken), faults(&whole), "{breaks}, {survives}");
        assert!(expected_violations(&broken) > 0, "{breaks} expects no violation");
        assert_eq!(expected_violations(&whole), 0, "{survives} expects a violation");
    }
}

/// Every property holds and is put to the test, but for those that the scenario calls vacuous.
#[test]
fn without_its_mutant_all_holds_under_the_same_faults() {
    for name in BROKEN_BY_A_MUTANT {
        let mut file = table(name);
        let without = |file: &mut Table, section: &str, key: &str| {
            let table = file.get_mut(section).and_then(Value::as_table_mut);
            table.and_then(|table| table.remove(key)).is_some()
        };
        assert!(without(&mut file, "params", "mutant"), "{name} has no mutant");
        assert!(without(&mut file, "expect", "violated"), "{name} expects no violation");
        without(&mut file, "expect", "reached");
        let scenario = Scenario::parse(name, &file.to_string(), &Catalogue::builtin())
            .unwrap_or_else(|diagnostics| panic!("{name}: {}", diagnostics[0].message));
        let tally = sweep::sweep(&scenario, scenario.seeds.clone(), 2, &|_| {})
            .expect("no failure of ftsim");
        let report = judge::report(&scenario, scenario.seeds.clone().into(), &tally);
        let surprises = report.surprises.iter().map(|s| format!("{} {}", s.subject, s.message));
        assert_eq!(surprises.collect::<Vec<_>>(), [""; 0], "{name}");
    }
}

/// Each scenario that docs/faults.md names exists, and each of the above is named there.
#[test]
fn the_table_of_faults_names_them() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/faults.md");
    let page = fs::read_to_string(page).expect("a readable page");
    let cell = |name: &str| page.contains(&format!("`{name}`"));
    for name in PAIRS.iter().flat_map(|(a, b)| [a, b]).chain(BROKEN_BY_A_MUTANT) {
        assert!(cell(name), "docs/faults.md does not name {name}");
    }
    let shipped = shipped::scenarios();
    let rows = page.lines().filter(|line| line.starts_with("| "));
    // The scenarios are in the columns after the kind, its parameters and where it can be written.
    let cells = rows.flat_map(|row| row.split(" | ").skip(3));
    let names = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    // `-n-3f` is the end of a name.
    for name in names.filter(|name| !name.starts_with('-')) {
        let is_scenario = shipped.iter().any(|(known, _)| known == name);
        assert!(is_scenario || name.contains('.'), "docs/faults.md names no scenario `{name}`");
    }
}
