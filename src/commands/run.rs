//! `ftsim run`: runs scenarios over their seeds and compares the results with the expectations.

use std::io;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use clap::Args;
use ftsim_core::Duration;
use ftsim_protocols::Catalogue;
use ftsim_reports::{
    ScenarioReport, SeedRange, counted, write_json, write_scenario_figures, write_text,
};

use crate::cli::interrupt;
use crate::cli::page;
use crate::cli::progress::Progress;
use crate::cli::{Exit, Failure, Format, Out, complain, jobs, load_all, scenario_files};
use crate::run::Repeat;
use crate::run::audited;
use crate::scenario::Scenario;
use crate::scenario::seeds;
use crate::scenario::seeds::Seeds;
use crate::sweep;
use crate::sweep::judge;
use crate::sweep::regression;
use crate::sweep::regression::Regressions;
use crate::sweep::{SweepJob, Timeout};

/// Arguments of `ftsim run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Run these scenario files, and all scenario files in these folders
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Run seeds 1 to N, or A to B excluding B; default: the scenario's own. If the scenario says
    /// `crash_points = "every"`, each seed runs at all of its crash points
    #[arg(long, value_name = "N | A..B")]
    pub seeds: Option<Seeds>,
    /// Run only seed S
    #[arg(long, value_name = "S", value_parser = seeds::seed, conflicts_with = "seeds")]
    pub seed: Option<u64>,
    /// Write the results as FORMAT
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
    /// Report dependability figures (MTTF, MTTR, availability, latency) and the cost of runs:
    /// messages, steps, and bytes, which only this option counts
    #[arg(long)]
    pub figures: bool,
    /// Use N threads; default: one per processor. The results do not depend on N
    #[arg(long, short, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Execute every run twice, and end at the first one that differs
    #[arg(long)]
    pub check_determinism: bool,
    /// Audit the trace of every run; a finding is a defect of ftsim (status 70)
    #[arg(long)]
    pub audit: bool,
    /// End a run that takes longer than TIME, such as 30s: it is undecided if it goes on without
    /// end, and ends the program if a handler does not return
    #[arg(long, value_name = "TIME")]
    pub timeout_run: Option<Duration>,
    /// Hide progress and all results that are as expected
    #[arg(long, short)]
    pub quiet: bool,
}

pub fn run(args: &RunArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    let (mut scenarios, bad_input) = load_all(&args.files, catalogue);
    for scenario in &mut scenarios {
        scenario.experiment.counts_bytes = args.figures;
    }
    let total = scenarios.iter().map(|scenario| args.seeds_of(scenario).count_u64()).sum();
    let progress = Progress::new(total, args.quiet);
    let halt = interrupt::listen();
    // A handler that does not return ends the program from another thread.
    let results = Mutex::new(Results { args, scenarios: &scenarios, reports: Vec::new(), out });
    let before_exit = || drop(lock(&results).write());
    let mut is_sound = true;
    for scenario in &scenarios {
        if halt.load(Ordering::Relaxed) {
            break;
        }
        progress.begin(&scenario.path);
        let done = |count| progress.done(count);
        let report = run_one(args, scenario, (halt, &before_exit), &done)?;
        lock(&results).reports.push(report);
        if args.audit && !halt.load(Ordering::Relaxed) {
            let seeds = args.seeds_of(scenario);
            let audit = audited::audit_seeds(scenario, seeds, jobs(args.jobs))?;
            is_sound &= audited::tell(&scenario.path, &audit);
        }
    }
    progress.finish();
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.write()?;
    let Results { reports, out, .. } = results;
    if halt.load(Ordering::Relaxed) {
        out.flush()?;
        complain(&interrupted(&scenarios, &reports));
        return Ok(Exit::Interrupted);
    }
    if !is_sound {
        out.flush()?;
        return Ok(Exit::Internal);
    }
    let reports: Vec<&ScenarioReport> = reports.iter().collect();
    Ok(if bad_input { Exit::BadInput } else { judge::exit(&reports) })
}

/// The results of a command, and where they go.
struct Results<'a> {
    args: &'a RunArgs,
    scenarios: &'a [Scenario],
    reports: Vec<ScenarioReport>,
    out: &'a mut Out,
}

impl Results<'_> {
    fn write(&mut self) -> io::Result<()> {
        let Self { args, scenarios, reports, out } = self;
        out.begin(args.format.form())?;
        match args.format {
            Format::Text => {
                write_text(out, reports, &unusable(args, scenarios), page(args.quiet))?;
                if args.figures {
                    write_scenario_figures(out, reports)?;
                }
            }
            Format::Json => write_json(out, reports)?,
        }
        out.flush()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RunArgs {
    fn seeds_of(&self, scenario: &Scenario) -> Range<u64> {
        match (self.seed, &self.seeds) {
            (Some(seed), _) => seed..seed.saturating_add(1),
            (None, Some(seeds)) => seeds.0.clone(),
            (None, None) => scenario.seeds.clone(),
        }
    }
}

/// Runs one scenario until it is done or interrupted.
fn run_one(
    args: &RunArgs,
    scenario: &Scenario,
    (halt, before_exit): (&AtomicBool, &(dyn Fn() + Sync)),
    done: &(dyn Fn(u64) + Sync),
) -> Result<ScenarioReport, Failure> {
    let seeds = args.seeds_of(scenario);
    let repeat = if args.check_determinism { Repeat::Twice } else { Repeat::Once };
    let regressions = Regressions::of(scenario)?.run(scenario, repeat)?;
    let jobs = jobs(args.jobs);
    let timeout = args.timeout_run.map(|limit| Timeout {
        limit: std::time::Duration::from_nanos(limit.as_nanos()),
        before_exit,
    });
    let order = SweepJob {
        scenario,
        seeds: seeds.clone(),
        block: sweep::BLOCK,
        jobs,
        repeat,
        until: None,
        halt,
        timeout,
        strategy: None,
    };
    let (tally, next) = sweep::sweep_until(&order, done)?;
    let range = SeedRange::from(seeds.start..next);
    let mut report = judge::report(scenario, range, &tally);
    if next < seeds.end {
        report.keep_what_stands();
    }
    regression::add(&mut report, scenario, &regressions);
    Ok(report)
}

/// The files that are not usable scenarios.
fn unusable(args: &RunArgs, scenarios: &[Scenario]) -> Vec<String> {
    let files = scenario_files(&args.files);
    let names = files.iter().map(|file| file.display().to_string());
    names.filter(|name| !scenarios.iter().any(|scenario| scenario.path == *name)).collect()
}

/// The message after an interruption, with the number of scenarios that were not started.
fn interrupted(scenarios: &[Scenario], reports: &[ScenarioReport]) -> String {
    let left = scenarios.len() - reports.len();
    match left {
        0 => "interrupted".to_owned(),
        _ => format!("interrupted; {} not started", counted(left as u64, "scenario")),
    }
}

trait CountU64 {
    fn count_u64(&self) -> u64;
}

impl CountU64 for Range<u64> {
    fn count_u64(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}
