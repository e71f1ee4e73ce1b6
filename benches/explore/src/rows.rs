//! The searches of the table: each a tool, a protocol, a size, and a number of threads.

use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::judge::Property;
use crate::machine::{Machine, Setup};
use crate::protocols::abd::Abd;
use crate::protocols::paxos::Paxos;
use crate::protocols::quorum_abd::QuorumAbd;
use crate::protocols::register::Node;
use crate::protocols::two_phase::TwoPhase;
use crate::report::{Report, Verdict};
use crate::tools::abstract_commit::AbstractCommit;
use crate::tools::{Task, classes, ftsim, stateright, traceforge};

/// Protocols and their sizes, as `search` takes them: servers, then the scripts of clients.
const ROWS: &[(&str, &[&str])] = &[
    ("2pc-abstract", &["3", "5", "7"]),
    ("2pc", &["3", "4", "5", "6", "7"]),
    ("2pc-broken", &["5"]),
    ("paxos", &["3,w", "3,wr", "3,w,w"]),
    ("paxos-broken", &["3,w,w"]),
    ("paxos-register", &["3,wr,wr"]),
    ("abd", &["2,wr,wr", "3,w,r"]),
    ("quorum-abd", &["3,w", "3,w,r", "3,w,w,r"]),
    ("quorum-abd-broken", &["3,w,rr"]),
];

const TOOLS: &[&str] = &["ftsim", "ftsim-states", "stateright", "traceforge"];

/// The seconds of processor time after which a search is given up.
const LIMIT: &str = "10";

/// Makes one search, and reports.
pub fn search(tool: &str, protocol: &str, size: &str, threads: &str, seconds: &str) -> ExitCode {
    let mut words = size.split(',');
    let servers = words.next().and_then(|word| word.parse().ok());
    let (Some(servers), Ok(threads), Ok(seconds)) = (servers, threads.parse(), seconds.parse())
    else {
        eprintln!("a size is `3` or `3,wr,wr`; threads and seconds are numbers");
        return ExitCode::from(2);
    };
    let clients = words.map(str::to_owned).collect();
    let (name, is_broken) = match protocol.strip_suffix("-broken") {
        Some(name) => (name, true),
        None => (protocol, false),
    };
    let property = match name {
        "2pc" | "2pc-abstract" => Property::Commit,
        "paxos" => Property::Agreement,
        _ => Property::Linearizability,
    };
    let setup = Setup { servers, clients, votes: None, is_broken };
    let task = Task { setup, property, threads, limit: Duration::from_secs(seconds) };
    let report = match (name, tool) {
        ("2pc-abstract", "stateright") => stateright::check(AbstractCommit(servers), &task),
        ("2pc", _) => with::<TwoPhase>(tool, &task),
        ("paxos" | "paxos-register", _) => with::<Node<Paxos>>(tool, &task),
        ("abd", _) => with::<Node<Abd>>(tool, &task),
        ("quorum-abd", _) => with::<QuorumAbd>(tool, &task),
        _ => {
            eprintln!("{tool} has no {protocol}");
            return ExitCode::from(2);
        }
    };
    report.tell()
}

fn with<M: Machine>(tool: &str, task: &Task) -> Report {
    match tool {
        "ftsim" => ftsim::search::<M>(task),
        "ftsim-states" => ftsim::search_states::<M>(task),
        "stateright" => stateright::search::<M>(task),
        "traceforge" => traceforge::search::<M>(task),
        _ => classes::search::<M>(task),
    }
}

/// Makes all searches whose protocol, tool and size contain all these words, one after the other,
/// and prints a table.
pub fn table(words: &[&str]) -> ExitCode {
    let (seconds, words) = match words {
        ["--seconds", seconds, rest @ ..] => (*seconds, rest),
        _ => (LIMIT, words),
    };
    println!(
        "| protocol | size | tool | threads | verdict | states | runs | steps | s | CPU s \
         | steps / CPU s | MiB |"
    );
    println!("|---|---|---|--:|---|--:|--:|--:|--:|--:|--:|--:|");
    let mut is_complete = true;
    for (protocol, sizes) in ROWS {
        for size in *sizes {
            for tool in TOOLS {
                for threads in ["1", "2"] {
                    let row = format!("{protocol} {size} {tool} {threads}");
                    let is_wanted = words.iter().all(|word| row.contains(word));
                    if is_wanted && can(tool, protocol, threads) {
                        is_complete &= line([tool, protocol, size, threads, seconds]);
                    }
                }
            }
        }
    }
    if is_complete { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether the tool has this, and two threads are worth a row: a violation is found too soon, and
/// the search through states has one thread.
fn can(tool: &str, protocol: &str, threads: &str) -> bool {
    (tool == "stateright" || protocol != "2pc-abstract")
        && (threads == "1" || !(protocol.ends_with("-broken") || tool == "ftsim-states"))
}

/// Makes one search in a process of its own. False if it did not come to a report.
fn line(arguments: [&str; 5]) -> bool {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program).arg("search").args(arguments).output();
    let [tool, protocol, size, threads, _] = arguments;
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let Some(report) = said.ok().as_deref().and_then(Report::read) else {
        println!("| {protocol} | {size} | {tool} | {threads} | ended without a report |||||||");
        return false;
    };
    let count = |count: u64| if count == 0 { String::new() } else { grouped(count) };
    let verdict = match report.verdict {
        Verdict::Held => "held",
        Verdict::Violated => "violated",
        Verdict::Unfinished => "not finished",
    };
    let runs = match report.given_up {
        0 => count(report.runs),
        given_up => format!("{} + {}", count(report.runs), grouped(given_up)),
    };
    println!(
        "| {protocol} | {size} | {tool} | {threads} | {verdict} | {} | {runs} | {} | {:.3} | {:.2} \
         | {} | {} |",
        count(report.states),
        count(report.steps),
        report.seconds,
        report.cpu_seconds,
        count(report.speed() as u64),
        report.peak_kib / 1024,
    );
    true
}

/// 1234567 as 1,234,567.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).expect("digits"))
        .collect();
    groups.join(",")
}
