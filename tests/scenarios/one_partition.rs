//! One story under many services: the scenarios `one-partition-*` have one world, and
//! `docs/one-partition.md` says what the two clients see in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ftsim::run::operations;
use ftsim_core::outcome::operations::OperationChange;
use ftsim_core::{Duration, Instant, ProcessId};

use crate::shipped;

fn scenarios() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/replication");
    let paths = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    let mut all = Vec::new();
    for path in paths {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        if name.starts_with("one-partition-") {
            all.push((name, fs::read_to_string(&path).expect("a scenario")));
        }
    }
    all.sort();
    all
}

#[test]
fn they_differ_in_nothing_but_the_protocol_and_what_becomes_of_it() {
    let worlds = scenarios().into_iter().map(|(name, text)| {
        let mut world: toml::Table = text.parse().expect("TOML");
        for key in ["protocol", "summary", "reference", "params", "detector", "expect"] {
            world.remove(key);
        }
        (name, world)
    });
    let worlds: Vec<(String, toml::Table)> = worlds.collect();
    assert!(worlds.len() >= 12, "{worlds:?}");
    for (name, world) in &worlds {
        assert_eq!(*world, worlds[0].1, "{name} and {}", worlds[0].0);
    }
}

/// The answers that each client got while the network was cut, and how long it waited at most, in
/// the run of seed 1.
fn seen(name: &str) -> [(u64, Duration); 2] {
    let [begin, end] = [200, 1_200].map(|ms| Instant::ZERO + Duration::from_millis(ms));
    let shipped = shipped::scenarios();
    let scenario = shipped.iter().find(|(known, _)| known == name);
    let (_, events) = operations(&scenario.expect("a shipped scenario").1, 1).expect("a run");
    [ProcessId(3), ProcessId(4)].map(|client| {
        let mut asked = BTreeMap::new();
        let (mut answers, mut longest) = (0, Duration::ZERO);
        for event in events.iter().filter(|event| event.name.asked == client) {
            match event.what {
                OperationChange::Begins(_) => drop(asked.insert(event.name, event.at)),
                OperationChange::Ends(_) => {
                    let began = asked.remove(&event.name).expect("it began");
                    longest = longest.max(event.at.since(began));
                    answers += u64::from(begin <= event.at && event.at < end);
                }
                OperationChange::Lost => {}
            }
        }
        assert!(asked.is_empty(), "all is answered in the end");
        (answers, longest)
    })
}

#[test]
fn the_page_says_what_the_clients_see() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/one-partition.md");
    let page = fs::read_to_string(page).expect("the page");
    let rows = scenarios().into_iter().map(|(name, _)| {
        let cells = seen(&name).map(|(answers, longest)| {
            let noun = if answers == 1 { "answer" } else { "answers" };
            format!("{answers} {noun}, {} ms at most", longest.as_nanos() / 1_000_000)
        });
        format!("| `{name}` | {} |", cells.join(" | "))
    });
    let missing: Vec<String> = rows.filter(|row| !page.contains(row)).collect();
    assert!(missing.is_empty(), "docs/one-partition.md lacks these rows:\n{}", missing.join("\n"));
}
