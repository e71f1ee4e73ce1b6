//! `ftsim compare`: the same world under several protocols, beside each other.

use std::fs;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use clap::Args;
use ftsim_core::{Duration, Entry};
use ftsim_protocols::Catalogue;
use ftsim_reports::{Rate, TableRow, counted, four_digits, line};
use serde_json::{Map, Value, json};

use super::assignment::{assignment, no_protocol};
use crate::cli::progress::Progress;
use crate::cli::{Exit, Failure, Format, Out, complain, interrupt, jobs, page, tell};
use crate::compare::{Effort, Mean, Row, row, under};
use crate::files::at;
use crate::scenario::Scenario;
use crate::scenario::seeds::Seeds;

/// Arguments of `ftsim compare`.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Compare these protocols, each perhaps with parameters: "raft pre_vote=true"
    #[arg(required = true, value_name = "PROTOCOL [KEY=VALUE]…")]
    contenders: Vec<String>,
    /// Run them in the world of this scenario: its processes, network, faults and clients. Its
    /// `[params]` are for its own protocol alone
    #[arg(long, value_name = "FILE")]
    scenario: PathBuf,
    /// Run seeds 1 to N, or A to B excluding B; default: those of the scenario
    #[arg(long, value_name = "N | A..B")]
    seeds: Option<Seeds>,
    /// Write the table as FORMAT
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Use N threads; default: one per processor. The results do not depend on N
    #[arg(long, short, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Hide progress
    #[arg(long, short)]
    quiet: bool,
}

/// Executes `ftsim compare`.
pub(crate) fn compare(
    args: &CompareArgs,
    catalogue: &Catalogue,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let Some(worlds) = args.worlds(catalogue)? else { return Ok(Exit::BadInput) };
    let seeds = |scenario: &Scenario| match &args.seeds {
        Some(seeds) => seeds.0.clone(),
        None => scenario.seeds.clone(),
    };
    let total = worlds.iter().map(|world| seeds(world).end - seeds(world).start).sum();
    let progress = Progress::new(total, args.quiet);
    let halt = interrupt::listen();
    let effort = Effort { jobs: jobs(args.jobs), halt, done: &|| progress.done(1) };
    let mut rows = Vec::new();
    for (contender, world) in args.contenders.iter().zip(&worlds) {
        progress.begin(contender);
        match row(contender, world, seeds(world), &effort)? {
            Some(row) => rows.push(row),
            None => break,
        }
    }
    progress.finish();
    out.begin(args.format.form())?;
    match args.format {
        Format::Text => args.write(&rows, out)?,
        Format::Json => {
            let scenario = args.scenario.display().to_string();
            writeln!(out, "{:#}", json!({ "scenario": scenario, "rows": rows }))?;
        }
    }
    out.flush()?;
    if halt.load(Ordering::Relaxed) {
        complain("interrupted: protocols that were not finished are missing");
        return Ok(Exit::Interrupted);
    }
    Ok(Exit::Good)
}

impl CompareArgs {
    /// The scenario under each protocol; `None`, after messages, if some world is none.
    fn worlds(&self, catalogue: &Catalogue) -> Result<Option<Vec<Scenario>>, Failure> {
        let path = line(&self.scenario.display().to_string()).into_owned();
        let text = at(&self.scenario, fs::read_to_string(&self.scenario))?;
        // What is wrong with the file itself is told of its own lines.
        if let Err(problems) = Scenario::parse(&path, &text, catalogue) {
            tell(&problems);
            return Ok(None);
        }
        let file: toml::Table =
            text.parse().map_err(|error| Failure::BadFile(format!("{path}: {error}")))?;
        let mut worlds = Vec::new();
        for contender in &self.contenders {
            let (entry, params) = match named(contender, catalogue) {
                Ok(known) => known,
                Err(reason) => {
                    complain(&reason);
                    return Ok(None);
                }
            };
            match under(entry, &file, &path, &params) {
                Ok(world) => worlds.push(world),
                Err(problems) => {
                    tell(&problems);
                    return Ok(None);
                }
            }
        }
        Ok(Some(worlds))
    }

    fn write(&self, rows: &[Row], out: &mut Out) -> std::io::Result<()> {
        let head = [
            "contender",
            "answered",
            "messages",
            "steps",
            "half in",
            "99 % in",
            "outage",
            "violated",
        ];
        let mut table = vec![TableRow::from(head.map(str::to_owned))];
        table.extend(rows.iter().map(|row| TableRow::from(cells(row))));
        page(self.quiet).write_table(out, &table)?;
        let runs = rows.iter().map(|row| row.runs).max().unwrap_or(0);
        writeln!(
            out,
            "\n{} of each, in the world of {}. Messages and steps are those for each answer. Means \
             of runs, with intervals of a confidence of 0.95. Outage: the longest time of a run in \
             which some operation waited and none was answered.",
            counted(runs, "run"),
            line(&self.scenario.display().to_string()),
        )
    }
}

/// The protocol of a contender, and its parameters.
fn named<'a>(
    contender: &str,
    catalogue: &'a Catalogue,
) -> Result<(&'a Entry, Map<String, Value>), String> {
    let mut words = contender.split_whitespace();
    let name = words.next().unwrap_or_default();
    let entry = catalogue.get(name).ok_or_else(|| no_protocol(name, catalogue))?;
    let mut params = Map::new();
    for word in words {
        let (key, value) = assignment(word).map_err(|reason| format!("{contender}: {reason}"))?;
        params.insert(key.to_owned(), value);
    }
    Ok((entry, params))
}

fn cells(row: &Row) -> [String; 8] {
    let answered = match row.asked {
        0 => "nothing asked".to_owned(),
        asked => Rate::new(row.answered, asked).to_string(),
    };
    let violated = row.violated.iter().map(|(name, runs)| format!("{name} in {runs}"));
    let undecided = (row.undecided > 0).then(|| format!("{} undecided", row.undecided));
    let violated: Vec<String> = violated.chain(undecided).collect();
    let violated = if violated.is_empty() { "nothing".to_owned() } else { violated.join(", ") };
    [
        line(&row.contender).into_owned(),
        answered,
        mean(row.messages, |number| format!("{number:.2}")),
        mean(row.steps, |number| format!("{number:.2}")),
        mean(row.latency_p50_ns, time),
        mean(row.latency_p99_ns, time),
        mean(row.outage_ns, time),
        violated,
    ]
}

/// `12.5 ± 0.4`.
fn mean(mean: Option<Mean>, text: impl Fn(f64) -> String) -> String {
    let Some(Mean { mean, interval, .. }) = mean else { return "none".to_owned() };
    match interval {
        Some(interval) => format!("{} ± {}", text(mean), text(interval.high - mean)),
        None => text(mean),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
fn time(ns: f64) -> String {
    four_digits(Duration::from_nanos(ns.round() as u64))
}
