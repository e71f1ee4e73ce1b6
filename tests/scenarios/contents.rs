//! Guards the table of contents of the scenarios.

use std::fmt::Write as _;
use std::path::Path;

use crate::shipped;
use expect_test::expect_file;
use ftsim::scenario::file::ScenarioFile;

const HEAD: &str = "\
# Scenarios

`ftsim run scenarios` runs all of them, `ftsim run scenarios/*.toml` those of this folder, which are
the ones to read first. The folders have the rest: mutants, bounds, kinds of faults.

Made from their summaries by `UPDATE_EXPECT=1 cargo test --test scenarios contents`.
";

const EXPLORED: &str = "
## explored

Small worlds for `ftsim explore`, which sees all that can happen in them
([the table](../docs/explore.md#what-has-been-explored)).

| explored/ | what happens |
|---|---|";

/// The chapters, in the order of a course, with the protocols of each.
const CHAPTERS: [(&str, &[&str]); 14] = [
    ("links", &["reliable-link", "fifo-link"]),
    ("detectors", &["fd-perfect", "fd-exclude-on-timeout", "fd-heartbeat", "fd-operator", "swim"]),
    (
        "broadcast",
        &[
            "beb",
            "eager-rb",
            "lazy-rb",
            "uniform-rb",
            "fifo-broadcast",
            "causal-broadcast",
            "gossip",
        ],
    ),
    (
        "order",
        &[
            "lamport-clock",
            "vector-clock",
            "lamport-tom",
            "lamport-tom-ft",
            "skeen-tom",
            "tob-sequencer",
            "tob-consensus",
        ],
    ),
    (
        "exclusion",
        &[
            "lock-server",
            "lamport-mutex",
            "ricart-agrawala",
            "maekawa",
            "suzuki-kasami",
            "token-ring",
        ],
    ),
    ("election", &["chang-roberts", "ring-election", "bully", "omega", "omega-lower-epoch"]),
    ("groups", &["flat-group", "hierarchical-group", "membership", "view-synchrony"]),
    (
        "consensus",
        &[
            "all-to-all-consensus",
            "flooding-consensus",
            "floodset",
            "hierarchical-consensus",
            "flooding-uniform",
            "hierarchical-uniform",
            "chandra-toueg",
            "ben-or",
            "paxos",
        ],
    ),
    (
        "byzantine",
        &[
            "oral-messages",
            "phase-king",
            "dolev-strong",
            "consistent-broadcast",
            "bracha-rb",
            "byzantine-ben-or",
            "pbft",
        ],
    ),
    ("commit", &["two-phase-commit", "three-phase-commit", "paxos-commit", "storage-server"]),
    (
        "replication",
        &[
            "naive-replication",
            "smr",
            "primary-backup",
            "state-transfer",
            "ha-nfs",
            "abd",
            "weighted-voting",
            "multi-paxos",
            "raft",
            "vr",
            "chain-replication",
        ],
    ),
    (
        "dependability",
        &[
            "dijkstra-ring",
            "two-generals",
            "nmr-voting",
            "time-redundancy",
            "info-redundancy",
            "dependability",
            "flp-bivalence",
        ],
    ),
    ("logging", &["log-pessimistic", "log-sender", "log-optimistic", "log-causal"]),
    ("checkpoint", &["chandy-lamport", "ckpt-blocking", "koo-toueg", "uncoordinated-ckpt", "cic"]),
];

#[test]
fn the_table_of_contents_has_every_scenario() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let files = shipped::files();
    let scenarios: Vec<_> = files.iter().zip(shipped::scenarios()).collect();
    let mut text = HEAD.to_owned();
    let mut row_count = 0;
    for (chapter, protocols) in CHAPTERS {
        let _ = writeln!(text, "\n## {chapter}");
        for folder in [root.clone(), root.join(chapter)] {
            let below = folder.strip_prefix(&root).expect("below").display().to_string();
            let heading = if below.is_empty() { "to read first".to_owned() } else { below + "/" };
            let _ = writeln!(text, "\n| {heading} | what happens |\n|---|---|");
            for (file, (name, scenario)) in &scenarios {
                let is_here = file.parent() == Some(&folder);
                if is_here && protocols.contains(&scenario.entry.name) {
                    let link = file.strip_prefix(&root).expect("below").display();
                    let summary = scenario.summary.as_deref().unwrap_or_default();
                    assert!(!summary.is_empty(), "{name} does not say what happens in it");
                    let _ =
                        writeln!(text, "| [{name}]({link}) | {} |", summary.replace('|', "\\|"));
                    row_count += 1;
                }
            }
        }
    }
    let _ = writeln!(text, "{EXPLORED}");
    for (file, (name, scenario)) in &scenarios {
        if file.parent() == Some(&root.join("explored")) {
            let summary = scenario.summary.as_deref().unwrap_or_default();
            assert!(!summary.is_empty(), "{name} does not say what happens in it");
            let summary = summary.replace('|', "\\|");
            let _ = writeln!(text, "| [{name}](explored/{name}.toml) | {summary} |");
            row_count += 1;
        }
    }
    assert_eq!(row_count, scenarios.len(), "a scenario is in the folder of another chapter");
    expect_file![root.join("README.md")].assert_eq(&text);
}

#[test]
fn no_two_scenarios_have_one_name() {
    let mut names: Vec<String> = shipped::scenarios().into_iter().map(|(name, _)| name).collect();
    names.sort();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
}

#[test]
fn every_scenario_is_read_again_as_it_was_written() {
    for (name, scenario) in shipped::scenarios() {
        let read = |text: &str| toml::from_str::<ScenarioFile>(text).expect("a scenario");
        let file = read(&scenario.text);
        let text = file.text(&[]).expect("TOML");
        assert_eq!(read(&text), file, "{name}:\n{text}");
    }
}
