//! `docs/notes.md`: the course, topic by topic. Each topic has a command, and each command shows
//! what the page says.

use std::collections::BTreeSet;
use std::process::Command;

const PAGE: &str = include_str!("../../docs/notes.md");

/// The rows of the tables: their topics and their commands.
fn topics() -> Vec<(&'static str, Vec<&'static str>)> {
    let rows = PAGE.lines().filter(|line| line.starts_with("| ") && !line.contains("| topic |"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let [topic, _, commands] = cells[..] else { panic!("not three cells: {row}") };
        let commands = commands.split('`').skip(1).step_by(2).collect();
        (topic.trim(), commands)
    })
    .collect()
}

#[test]
fn every_topic_of_the_notes_has_its_place() {
    let topics = topics();
    assert!(topics.len() >= 100, "{} topics", topics.len());
    for (topic, commands) in &topics {
        assert!(!commands.is_empty(), "nothing shows: {topic}");
        for command in commands {
            assert!(command.starts_with("ftsim "), "{topic}: {command}");
        }
    }
    let notes = PAGE.lines().filter(|line| line.starts_with("## ")).count();
    assert_eq!(notes, 5);
}

#[test]
fn every_command_of_the_notes_shows_what_they_say() {
    let commands: BTreeSet<&str> =
        topics().into_iter().flat_map(|(_, commands)| commands).collect();
    // Scenarios are run together, and each once.
    let (runs, others): (Vec<&str>, Vec<&str>) =
        commands.into_iter().partition(|command| command.starts_with("ftsim run "));
    let files: BTreeSet<&str> = runs.iter().flat_map(|run| run.split(' ').skip(2)).collect();
    let all_runs = ["run", "--quiet"].into_iter().chain(files).collect();
    let others = others.iter().map(|command| command.split(' ').skip(1).collect());
    for arguments in others.chain([all_runs]) {
        let arguments: Vec<&str> = arguments;
        let mut ftsim = Command::new(env!("CARGO_BIN_EXE_ftsim"));
        let ftsim = ftsim.current_dir(env!("CARGO_MANIFEST_DIR")).args(&arguments);
        let done = ftsim.output().expect("ftsim starts");
        assert!(done.status.success(), "{arguments:?}: {done:?}");
    }
}
