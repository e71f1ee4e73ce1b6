//! `ftsim classify`: the tolerance of protocols towards classes of faults.

mod output;
mod witnesses;

use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use clap::{Args, ValueEnum};
use ftsim_core::catalogue::RawSettings;
use ftsim_core::{Duration, Entry, ProcessId, Setting};
use ftsim_protocols::Catalogue;
use serde_json::{Map, Value};

use super::assignment::{assignment, no_protocol};
use crate::classify::{
    Class, Detector, Effort, Job, Row, SCHEMA, Subject, Table, Terms, Tolerance, counted_by_bound,
    has, merged, usual_numbers,
};
use crate::cli::progress::Progress;
use crate::cli::{Exit, Failure, Out, complain, interrupt, jobs};
use crate::files::at;
use crate::scenario::diagnostic::did_you_mean;
use crate::stress::small_setting;
use crate::sweep::shard::Shard;
use output::{TableFormat, write};

/// Arguments of `ftsim classify`.
#[derive(Debug, Args)]
pub(crate) struct ClassifyArgs {
    /// Classify these protocols; default: all
    #[arg(value_name = "PROTOCOL")]
    protocols: Vec<String>,
    /// Try these classes of faults; default: all
    #[arg(long, value_name = "CLASS", value_delimiter = ',')]
    faults: Vec<Class>,
    /// Let so many processes be faulty; default: one, the largest minority, half and the smallest
    /// majority
    #[arg(
        long,
        value_name = "K",
        value_delimiter = ',',
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    faulty: Vec<u32>,
    /// Let these be faulty, ids or roles; default: the processes that the protocol's bound counts
    #[arg(long, value_name = "PROCESS", value_delimiter = ',')]
    target: Vec<String>,
    /// Run N worlds for each class and number, each with a seed of its own
    #[arg(
        long,
        value_name = "N",
        default_value_t = 100,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    seeds: u64,
    /// Draw the worlds from seed S
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Set a parameter of the protocol, or with `workload.` before it one of its clients
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Set the number of processes, or of those in a role; default: as in `ftsim new scenario`
    #[arg(long, value_name = "N|ROLE=N", value_delimiter = ',')]
    processes: Vec<String>,
    /// Judge this property too, although the protocol does not claim it
    #[arg(long, value_name = "PROPERTY")]
    check: Vec<String>,
    /// Have this report crashes to protocols that ask a failure detector; default: an oracle, or
    /// heartbeats in classes in which processes that are up can fall silent
    #[arg(long, value_name = "DETECTOR")]
    detector: Option<Detector>,
    /// Explore one small world of each row too, in up to N runs: what none of all its runs violates
    /// is proved for it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    explore: Option<u64>,
    /// Write the table as FORMAT
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: TableFormat,
    /// Use N threads; default: one per processor. The results do not depend on N
    #[arg(long, short, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Make part I of N of the rows; --merge combines the parts
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Make no runs: combine the parts of a table, which were written with --format json
    #[arg(
        long,
        value_name = "FILE",
        num_args = 1..,
        conflicts_with_all = ["protocols", "faults", "faulty", "target", "seeds", "seed", "set",
            "processes", "check", "detector", "explore", "shard", "output", "show"]
    )]
    merge: Vec<PathBuf>,
    /// For each "no" write a scenario that shows it to DIR
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Shrink each scenario of --output for at most this time
    #[arg(long, value_name = "TIME", default_value = "10s")]
    shrink: Duration,
    /// Print world N of each row without running it
    #[arg(long, value_name = "N", conflicts_with = "output")]
    show: Option<u64>,
    /// Hide progress
    #[arg(long, short)]
    quiet: bool,
}

/// Executes `ftsim classify`.
pub fn classify(
    args: &ClassifyArgs,
    catalogue: &Catalogue,
    out: &mut Out,
) -> Result<Exit, Failure> {
    if !args.merge.is_empty() {
        let table = read(&args.merge)?;
        write(out, &table, args.format, args.quiet)?;
        return Ok(exit(&table.rows));
    }
    let subjects = match args.subjects(catalogue) {
        Ok(subjects) => subjects,
        Err(reason) => {
            complain(&reason);
            return Ok(Exit::BadInput);
        }
    };
    let all = args.jobs_of(&subjects);
    let (row_count, mine) = (all.len() as u64, all.into_iter());
    let mine: Vec<Job<'_>> = mine.filter(|job| has(args.shard, job.index)).collect();
    if let Some(world) = args.show {
        return witnesses::show(&mine, world, out);
    }
    if let Some(folder) = &args.output {
        at(folder, fs::create_dir_all(folder))?;
    }
    let progress = Progress::new(args.seeds.saturating_mul(mine.len() as u64), args.quiet);
    let halt = interrupt::listen();
    let effort = Effort { jobs: jobs(args.jobs), halt, done: &|count| progress.done(count) };
    let mut rows = Vec::new();
    for job in &mine {
        progress.begin(&job.name());
        match job.row(&effort)? {
            Some(row) => rows.push(row),
            None => break,
        }
    }
    progress.finish();
    let table_is_whole = rows.len() == mine.len();
    let table = Table { schema: SCHEMA, terms: args.terms(), shard: args.shard, row_count, rows };
    write(out, &table, args.format, args.quiet)?;
    if let Some(folder) = &args.output {
        witnesses::write(&table.rows, &mine, (folder, args.shrink), halt)?;
    }
    if halt.load(Ordering::Relaxed) {
        complain(if table_is_whole {
            "interrupted: some scenarios are missing or not shrunk"
        } else {
            "interrupted: rows that were not finished are missing"
        });
        return Ok(Exit::Interrupted);
    }
    Ok(exit(&table.rows))
}

fn exit(rows: &[Row]) -> Exit {
    let is_open = |row: &Row| row.tolerance == Tolerance::Undecided;
    if rows.iter().any(is_open) { Exit::Undecided } else { Exit::Good }
}

/// The table whose parts are in these files.
fn read(files: &[PathBuf]) -> Result<Table, Failure> {
    let part = |path: &PathBuf| {
        let name = path.display().to_string();
        let text = at(path, fs::read_to_string(path))?;
        let part = serde_json::from_str(&text);
        let part = part.map_err(|error| Failure::BadFile(format!("{name}: {error}")))?;
        Ok((name, part))
    };
    let parts: Vec<(String, Table)> = files.iter().map(part).collect::<Result<_, Failure>>()?;
    merged(parts).map_err(Failure::BadFile)
}

impl ClassifyArgs {
    fn terms(&self) -> Terms {
        Terms {
            engine: env!("CARGO_PKG_VERSION").to_owned(),
            protocols: self.protocols.clone(),
            faults: self.faults.clone(),
            faulty: self.faulty.clone(),
            target: self.target.clone(),
            set: self.set.clone(),
            processes: self.processes.clone(),
            check: self.check.clone(),
            detector: self.detector,
            seeds: self.seeds,
            seed: self.seed,
            explore: self.explore,
        }
    }

    fn subjects<'a>(&self, catalogue: &'a Catalogue) -> Result<Vec<Subject<'a>>, String> {
        let entries: Vec<&Entry> = match self.protocols.is_empty() {
            true => catalogue.entries().iter().collect(),
            false => {
                let find = |name: &&String| {
                    catalogue.get(name).ok_or_else(|| no_protocol(name, catalogue))
                };
                each_once(&self.protocols).iter().map(find).collect::<Result<_, _>>()?
            }
        };
        for name in &self.check {
            let has = |entry: &&Entry| entry.properties.iter().any(|known| known.id.0 == name);
            if !entries.iter().any(has) {
                let known = entries.iter().flat_map(|entry| &entry.properties);
                let help = did_you_mean(name, known.map(|property| property.id.0));
                let help = help.map_or_else(String::new, |help| format!("\nhelp: {help}"));
                return Err(format!("no such protocol has a property `{name}`{help}"));
            }
        }
        entries.into_iter().map(|entry| self.subject(entry)).collect()
    }

    fn subject<'a>(&self, entry: &'a Entry) -> Result<Subject<'a>, String> {
        let setting = self.setting(entry)?;
        let (mut params, mut workload) = (Map::new(), Map::new());
        for text in &self.set {
            let (key, value) = assignment(text).map_err(|reason| format!("--set {reason}"))?;
            let section = match key.split_once('.') {
                Some(("workload", key)) => workload.insert(key.to_owned(), value),
                Some(("params", key)) => params.insert(key.to_owned(), value),
                _ => params.insert(key.to_owned(), value),
            };
            if section.is_some() {
                return Err(format!("--set {text}: `{key}` is set twice"));
            }
        }
        let mut mutated = setting.clone();
        if let Some(mutant) = params.get("mutant") {
            mutated.mutant = entry.mutants.iter().find(|known| mutant.as_str() == Some(known.name));
            if mutated.mutant.is_none() {
                let help = did_you_mean(
                    mutant.as_str().unwrap_or_default(),
                    entry.mutants.iter().map(|mutant| mutant.name),
                );
                let help = help.map_or_else(String::new, |help| format!("\nhelp: {help}"));
                return Err(format!("{}: unknown mutant {mutant}{help}", entry.name));
            }
        }
        let correct: Map<String, Value> =
            params.clone().into_iter().filter(|(key, _)| key != "mutant").collect();
        let [plain, clients] = [&correct, &workload].map(|table| Value::Object(table.clone()));
        let resolve =
            |setting| entry.resolve(RawSettings { params: &plain, workload: &clients, setting });
        // The model is that of the protocol without the mutant, unless it refuses what only the
        // mutant accepts.
        let resolved = resolve(&setting).or_else(|_| resolve(&mutated));
        let resolved = resolved
            .map_err(|error| format!("{}: {}: {}", entry.name, error.key, error.message))?;
        let candidates = self.candidates(entry, &setting)?;
        let candidates = candidates.unwrap_or_else(|| counted_by_bound(&resolved.model, &setting));
        let model = resolved.model;
        Ok(Subject {
            entry,
            setting,
            params,
            workload,
            model,
            candidates,
            check: self.check.clone(),
            detector: self.detector,
        })
    }

    /// The number of processes of each role.
    fn setting(&self, entry: &Entry) -> Result<Setting, String> {
        let mut roles = small_setting(entry).roles;
        for text in &self.processes {
            let wrong = || format!("--processes {text}: expected N or ROLE=N");
            let (role, count) = match (text.split_once('='), entry.roles) {
                (Some((role, count)), _) => (role, count),
                (None, [role]) => (*role, text.as_str()),
                (None, _) => return Err(wrong()),
            };
            let count: u32 = count.parse().map_err(|_| wrong())?;
            let known = roles.iter_mut().find(|(name, _)| name == role);
            known.ok_or_else(|| no_role(entry, role))?.1 = count;
        }
        let n = roles.iter().fold(0u32, |sum, (_, count)| sum.saturating_add(*count));
        if !(1..=entry.process_count_max).contains(&n) {
            return Err(format!("{}: {n} processes are out of range", entry.name));
        }
        Ok(Setting { roles, ..Setting::of(n) })
    }

    /// The processes of --target.
    fn candidates(
        &self,
        entry: &Entry,
        setting: &Setting,
    ) -> Result<Option<Vec<ProcessId>>, String> {
        if self.target.is_empty() {
            return Ok(None);
        }
        let mut found = Vec::new();
        for name in &self.target {
            let is_meant = |p: &ProcessId| {
                name == "all" || *name == p.to_string() || setting.has_role(*p, name)
            };
            let before = found.len();
            found.extend(setting.processes().filter(is_meant));
            if found.len() == before {
                return Err(no_role(entry, name));
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(Some(found))
    }

    /// All rows of the table, those of other shards included.
    fn jobs_of<'a>(&self, subjects: &'a [Subject<'a>]) -> Vec<Job<'a>> {
        let classes: Vec<&Class> = match self.faults.is_empty() {
            true => Class::value_variants().iter().collect(),
            false => each_once(&self.faults),
        };
        let mut jobs = Vec::new();
        for subject in subjects {
            let numbers = match self.faulty.is_empty() {
                true => usual_numbers(&subject.candidates),
                false => each_once(&self.faulty).into_iter().copied().collect(),
            };
            for class in &classes {
                let is_foreign = class.is_foreign_to(subject.entry, &subject.model).is_some();
                let numbers = match class.is_of_processes() {
                    // One row says that there is nothing to measure.
                    true if is_foreign => &numbers[..numbers.len().min(1)],
                    true => &numbers,
                    false => &[0][..],
                };
                for faulty in numbers {
                    jobs.push(Job {
                        index: jobs.len() as u64,
                        subject,
                        class: **class,
                        faulty: *faulty,
                        seed: self.seed,
                        world_count: self.seeds,
                        explore: self.explore,
                    });
                }
            }
        }
        jobs
    }
}

/// The first of each value.
fn each_once<T: PartialEq>(values: &[T]) -> Vec<&T> {
    let mut found: Vec<&T> = Vec::new();
    for value in values {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

fn no_role(entry: &Entry, name: &str) -> String {
    let roles = entry.roles.join(", ");
    format!("`{}` has no processes `{name}`\nhelp: its roles are {roles}", entry.name)
}
