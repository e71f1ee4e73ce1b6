//! The linearizability checker beside Porcupine, on the same histories, in one run.
//!
//!     ftsim-linearizability-bench FOLDER [PORCUPINE]
//!
//! draws histories of each model, writes those of each row to a file in FOLDER, judges them, has
//! PORCUPINE (the driver in `porcupine/`) judge the same files, and prints a table for Markdown. It
//! fails if a verdict differs.

mod draw;

use std::fmt::Write as _;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};
use std::{env, fs};

use draw::{Draw, Flat, Row, drawn};
use ftsim_spec::linearizability::models::{Cell, Content, Lock, Members, Queue, Set};
use ftsim_spec::linearizability::sequence::Waiting;
use ftsim_spec::linearizability::value::Value;
use ftsim_spec::linearizability::{Budget, Linearizability, Model, check};

/// The kinds of histories. Of `crashes` operations one crashes; of 0, none.
const ROWS: &[Row] = &[
    Row { model: "register", count: 4_000, operations: 20, clients: 4, crashes: 10 },
    Row { model: "set", count: 4_000, operations: 20, clients: 4, crashes: 10 },
    Row { model: "queue", count: 4_000, operations: 20, clients: 4, crashes: 10 },
    Row { model: "lock", count: 4_000, operations: 20, clients: 4, crashes: 10 },
    Row { model: "register", count: 200, operations: 1_000, clients: 4, crashes: 0 },
    Row { model: "register", count: 200, operations: 1_000, clients: 10, crashes: 0 },
    Row { model: "set", count: 100, operations: 1_000, clients: 10, crashes: 0 },
    Row { model: "queue", count: 400, operations: 60, clients: 3, crashes: 0 },
    Row { model: "register", count: 2, operations: 16_000, clients: 4, crashes: 0 },
    Row { model: "register", count: 2, operations: 16_000, clients: 4, crashes: 1_000 },
];

/// What a checker said of each history, `1` if it is linearizable, and how long it took.
type Told = (String, Duration);

fn judge<M: Flat>(initial: &M::State, row: &Row, seed: u64, text: &mut String) -> Told
where
    M: Model,
{
    let mut draw = Draw(seed);
    let mut told = (String::new(), Duration::ZERO);
    for _ in 0..row.count {
        let history = drawn::<M>(initial, row, &mut draw);
        writeln!(text, "{}", draw::flat::<M>(row.model, &history)).expect("a string");
        let start = Instant::now();
        let mut budget = Budget { steps: 10_000_000_000, bytes: 8 << 30 };
        let judged = check::<M>(initial.clone(), &history, &mut budget);
        told.1 += start.elapsed();
        told.0.push(match judged {
            Linearizability::Linearizable => '1',
            Linearizability::NotLinearizable { .. } => '0',
            Linearizability::Undecided(_) => '?',
        });
    }
    told
}

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let Some(folder) = arguments.next() else {
        eprintln!("usage: ftsim-linearizability-bench FOLDER [PORCUPINE]");
        return ExitCode::from(2);
    };
    let porcupine = arguments.next();
    fs::create_dir_all(&folder).expect("a folder");
    let numbers = "histories | operations | clients | crashed | linearizable";
    println!("| model | {numbers} | ftsim | Porcupine |");
    println!("|---|---|---|---|---|---|---|---|");
    let mut differ = 0;
    for (seed, row) in (1..).zip(ROWS) {
        let mut text = String::new();
        let seed = seed * 7_919;
        let (verdicts, time) = match row.model {
            "register" => judge::<Cell>(&Content::One(Value::Nil), row, seed, &mut text),
            "set" => judge::<Set>(&Members::default(), row, seed, &mut text),
            "queue" => judge::<Queue>(&Waiting::default(), row, seed, &mut text),
            _ => judge::<Lock>(&None, row, seed, &mut text),
        };
        let file = format!("{folder}/{seed}-{}.txt", row.model);
        fs::write(&file, text).expect("a file");
        let other = porcupine.as_ref().map(|porcupine| {
            let output = Command::new(porcupine).arg(&file).output().expect("Porcupine starts");
            assert!(output.status.success(), "{output:?}");
            let text = String::from_utf8(output.stdout).expect("text");
            let mut words = text.split_whitespace().map(str::to_owned);
            (words.next().unwrap_or_default(), words.next().unwrap_or_default())
        });
        if let Some((theirs, _)) = &other {
            let pairs = verdicts.chars().zip(theirs.chars());
            differ += pairs.filter(|(one, two)| one != two).count();
            differ += usize::from(theirs.len() != verdicts.len());
        }
        let good = verdicts.matches('1').count();
        let crashed =
            if row.crashes == 0 { "none".into() } else { format!("1 of {}", row.crashes) };
        println!(
            "| {} | {} | {} | {} | {crashed} | {good} | {:.1} ms | {} |",
            row.model,
            row.count,
            row.operations,
            row.clients,
            time.as_secs_f64() * 1e3,
            other.map_or("not run".to_owned(), |(_, time)| format!("{time} ms"))
        );
    }
    println!("\n{differ} verdicts differ");
    ExitCode::from(u8::from(differ > 0))
}
