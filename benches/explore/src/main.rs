//! `ftsim explore` beside stateright and TraceForge: the same protocols, properties and sizes, each
//! search in a process of its own.

mod history;
mod judge;
mod machine;
mod protocols;
mod report;
mod rows;
mod tools;

use std::process::ExitCode;

/// Without arguments, all searches and a table of them; see `rows`.
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["search", tool, protocol, size, threads, seconds] => {
            rows::search(tool, protocol, size, threads, seconds)
        }
        ["table", rest @ ..] => rows::table(rest),
        _ => {
            eprintln!("table [--seconds N] [WORD…] | search TOOL PROTOCOL SIZE THREADS SECONDS");
            ExitCode::from(2)
        }
    }
}
