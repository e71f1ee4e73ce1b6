//! `ftsim stress`: draws scenarios within the model of a protocol, or just beyond it.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use ftsim_core::{Duration, Entry, Setting};
use ftsim_protocols::Catalogue;
use ftsim_reports::{TableRow, counted, line, program};
use serde_json::{Value, json};

use crate::cli::progress::Progress;
use crate::cli::screen::Form;
use crate::cli::{Exit, Failure, Format, Out, clock, complain, interrupt, jobs, page, say};
use crate::files::{at, write_whole};
use crate::run;
use crate::scenario::diagnostic::did_you_mean;
use crate::shrink::{self, Target};
use crate::stress::{AUDIT, Assumption, Effort, Fallen, Stress, Summary, breakable};

/// Arguments of `ftsim stress`.
#[derive(Debug, Args)]
pub(crate) struct StressArgs {
    /// Draw scenarios for these protocols; default: all
    #[arg(value_name = "PROTOCOL")]
    protocols: Vec<String>,
    /// Draw N scenarios per protocol; with --beyond, per assumption
    #[arg(long, value_name = "N", default_value_t = 100)]
    scenarios: u64,
    /// Run N seeds of each scenario
    #[arg(long, value_name = "N", default_value_t = 10)]
    seeds: u64,
    /// Draw the scenarios from seed S
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Start no scenario after this wall-clock time, such as 60s, divided among the protocols
    #[arg(long = "for", value_name = "TIME")]
    time: Option<Duration>,
    /// Break one assumption of the model at a time; some property should then fall
    #[arg(long)]
    beyond: bool,
    /// For each property that fell, write a scenario that violates it to DIR
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Shrink each scenario of --output for at most this time
    #[arg(long, value_name = "TIME", default_value = "10s")]
    shrink: Duration,
    /// Print scenario N of a protocol without running it
    #[arg(long, value_name = "N", conflicts_with_all = ["beyond", "output"])]
    show: Option<u64>,
    /// Write the results as FORMAT
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Use N threads; default: one per processor. The results do not depend on N
    #[arg(long, short, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Hide progress
    #[arg(long, short)]
    quiet: bool,
}

/// The result for a protocol, or for one of its assumptions.
struct Row<'a> {
    entry: &'a Entry,
    broken: Option<Assumption>,
    summary: Summary,
}

impl Row<'_> {
    fn world(&self) -> String {
        self.broken.map_or_else(|| "its model".to_owned(), |broken| broken.to_string())
    }
}

pub fn stress(args: &StressArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    let Some(entries) = entries(args, catalogue) else { return Ok(Exit::BadInput) };
    if let Some(number) = args.show {
        out.begin(Form::Data)?;
        for entry in entries {
            let (scenario, _) = args.stress(entry, None).scenario(number);
            let text = scenario.map(|scenario| scenario.text);
            let text = text.unwrap_or_else(|| "# every drawn scenario was refused\n".into());
            write!(out, "{text}")?;
        }
        return Ok(Exit::Good);
    }
    let parts: Vec<(&Entry, Option<Assumption>)> =
        entries.iter().flat_map(|entry| args.parts(entry)).collect();
    let total = args.scenarios.saturating_mul(parts.len() as u64);
    let progress = Progress::new(total, args.quiet);
    let halt = interrupt::listen();
    let mut rows = Vec::new();
    let started = clock();
    for (index, (entry, broken)) in (1..).zip(&parts) {
        if halt.load(Ordering::Relaxed) {
            break;
        }
        progress.begin(entry.name);
        let share = |time: Duration| {
            let whole = std::time::Duration::from_nanos(time.as_nanos());
            started + whole.mul_f64(f64::from(index) / parts.len() as f64)
        };
        let effort = Effort {
            jobs: jobs(args.jobs),
            until: args.time.map(share),
            halt,
            done: &|| progress.done(1),
        };
        let summary = args.stress(entry, *broken).run(&effort)?;
        rows.push(Row { entry, broken: *broken, summary });
    }
    progress.finish();
    out.begin(args.format.form())?;
    match args.format {
        Format::Text => write_rows(out, args, &rows)?,
        Format::Json => {
            let rows: Vec<Value> = rows.iter().map(row_json).collect();
            let whole =
                json!({ "schema": 1, "seed": args.seed, "beyond": args.beyond, "rows": rows });
            serde_json::to_writer_pretty(&mut *out, &whole).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
    }
    out.flush()?;
    if let Some(folder) = &args.output {
        write_scenarios(args, &rows, folder, halt)?;
    }
    if halt.load(Ordering::Relaxed) {
        complain("interrupted: scenarios that were not started are missing");
        return Ok(Exit::Interrupted);
    }
    Ok(args.exit(&rows))
}

/// The selected protocols; `None`, after an error message, if one does not exist.
fn entries<'a>(args: &StressArgs, catalogue: &'a Catalogue) -> Option<Vec<&'a Entry>> {
    if args.protocols.is_empty() {
        return Some(catalogue.entries().iter().collect());
    }
    let find = |name: &String| {
        let found = catalogue.get(name);
        if found.is_none() {
            let names = catalogue.entries().iter().map(|entry| entry.name);
            let help = did_you_mean(name, names);
            let help = help.unwrap_or_else(|| format!("`{} list` shows them all", program()));
            complain(&format!("unknown protocol `{name}`\nhelp: {help}"));
        }
        found
    };
    args.protocols.iter().map(find).collect()
}

impl StressArgs {
    const fn stress<'a>(&self, entry: &'a Entry, broken: Option<Assumption>) -> Stress<'a> {
        Stress {
            entry,
            broken,
            seed: self.seed,
            scenario_count: self.scenarios,
            seed_count: self.seeds,
        }
    }

    /// The protocol with its model intact, or with each of its assumptions broken in turn.
    fn parts<'a>(&self, entry: &'a Entry) -> Vec<(&'a Entry, Option<Assumption>)> {
        if !self.beyond {
            return vec![(entry, None)];
        }
        let [small, large] = [4, 6].map(|each| Setting::with_roles(entry.roles, each));
        let is_small_enough = entry.model.bound.max(&small).is_some();
        let setting = if is_small_enough { small } else { large };
        breakable(&entry.model, &setting).map(|broken| (entry, Some(broken))).collect()
    }

    fn exit(&self, rows: &[Row<'_>]) -> Exit {
        let fell = |row: &Row<'_>| !row.summary.fallen.is_empty();
        if rows.iter().any(|row| row.summary.fallen.contains_key(AUDIT)) {
            return Exit::Internal;
        }
        let is_good = if self.beyond {
            rows.iter().all(|row| rows.iter().any(|r| r.entry.name == row.entry.name && fell(r)))
        } else {
            !rows.iter().any(fell)
        };
        if is_good { Exit::Good } else { Exit::Unexpected }
    }
}

fn write_rows(out: &mut Out, args: &StressArgs, rows: &[Row<'_>]) -> Result<(), Failure> {
    let head = [
        "protocol",
        "world",
        "scenarios",
        "runs",
        "events",
        "faults",
        "undecided",
        "refused",
        "fell",
    ];
    let mut table = vec![head.map(str::to_owned)];
    for row in rows {
        let Summary { scenarios, runs, events, faults, undecided, refused, fallen } = &row.summary;
        let names: Vec<&str> = fallen.keys().map(String::as_str).collect();
        let fell = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
        let [scenarios, runs, events] = [scenarios, runs, events].map(ToString::to_string);
        let [faults, undecided, refused] = [faults, undecided, refused].map(ToString::to_string);
        let name = row.entry.name.to_owned();
        let cells = [name, row.world(), scenarios, runs, events, faults, undecided, refused, fell];
        table.push(cells);
    }
    let page = page(args.quiet);
    page.write_table(out, &table.into_iter().map(TableRow::from).collect::<Vec<_>>())?;
    for row in rows {
        for (what, fallen) in &row.summary.fallen {
            writeln!(out)?;
            let Fallen { scenarios, runs, first, seed, message } = fallen;
            let head = format!("{}, {}, {what}: ", row.entry.name, row.world());
            let text = format!(
                "fell in {} ({}); first in scenario {first}, seed {seed}: {}",
                counted(*scenarios, "scenario"),
                counted(*runs, "run"),
                line(message),
            );
            page.write_line(out, (anstyle::Style::new(), &head), &text)?;
        }
    }
    Ok(())
}

fn row_json(row: &Row<'_>) -> Value {
    let Row { entry, broken, summary } = row;
    let fallen = summary.fallen.iter().map(|(what, fallen)| {
        json!({
            "property": what,
            "scenarios": fallen.scenarios,
            "runs": fallen.runs,
            "first_scenario": fallen.first,
            "seed": fallen.seed,
            "message": fallen.message,
        })
    });
    json!({
        "protocol": entry.name,
        "broken": broken.map(|broken| broken.to_string()),
        "scenarios": summary.scenarios,
        "runs": summary.runs,
        "events": summary.events,
        "faults": summary.faults,
        "undecided": summary.undecided,
        "refused": summary.refused,
        "fell": fallen.collect::<Vec<_>>(),
    })
}

/// Writes a scenario for each property that fell, shrunk as far as time allows.
fn write_scenarios(
    args: &StressArgs,
    rows: &[Row<'_>],
    folder: &Path,
    halt: &AtomicBool,
) -> Result<(), Failure> {
    at(folder, std::fs::create_dir_all(folder))?;
    for row in rows {
        for (what, fallen) in &row.summary.fallen {
            let stress = args.stress(row.entry, row.broken);
            let (Some(scenario), _) = stress.scenario(fallen.first) else { continue };
            let outcome = run::run(&scenario, fallen.seed)?;
            let wanted = scenario.checked.iter().map(|known| known.id).find(|id| id.0 == *what);
            let target = Target::of(&outcome, wanted.as_slice());
            let text = match target {
                Some(target) if what != AUDIT => {
                    let budget = std::time::Duration::from_nanos(args.shrink.as_nanos());
                    let effort = shrink::Effort { budget, halt, progress: &|_, _| {} };
                    shrink::shrink(&scenario, &outcome, &target, &effort)?.text
                }
                _ => format!("# seed {}\n{}", fallen.seed, scenario.text),
            };
            let broken =
                row.broken.map(|broken| format!("-{}", broken.to_string().replace(' ', "-")));
            let name = format!("{}{}-{what}.toml", row.entry.name, broken.unwrap_or_default());
            let path = folder.join(name);
            write_whole(&path, text.as_bytes())?;
            say(&format!("{}\n", path.display()));
        }
    }
    Ok(())
}
