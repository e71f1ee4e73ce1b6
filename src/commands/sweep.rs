//! `ftsim sweep`: many seeds of scenarios, into a folder that says what came of them.

use std::io::Write;
use std::num::{NonZeroU64, NonZeroUsize};
use std::ops::{ControlFlow, Range};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use ftsim_core::Duration;
use ftsim_protocols::Catalogue;
use ftsim_reports::SweepReport;

use crate::cli::clock;
use crate::cli::interrupt;
use crate::cli::page;
use crate::cli::progress::Progress;
use crate::cli::{Exit, Failure, Out, complain, jobs, load_all};
use crate::run::Repeat;
use crate::scenario::Scenario;
use crate::scenario::seeds::{CommitSeed, SEED_MAX, Seeds, are_seeds};
use crate::sweep;
use crate::sweep::ci;
use crate::sweep::regression::Regressions;
use crate::sweep::report;
use crate::sweep::report::NamedText;
use crate::sweep::results::{BLOCK, BlockLine, Folder, Header, SCHEMA, StopRule, SweepState};
use crate::sweep::shard::Shard;
use crate::sweep::{Stop, SweepJob};

/// What `ftsim sweep` is told.
#[derive(Debug, Args)]
pub(crate) struct SweepArgs {
    /// Sweep over these scenario files, and all in these folders
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Run seeds A to B without B, or 1 to N, each at all of its crash points where the scenario
    /// says `crash_points = "every"`; default: as the scenario says
    #[arg(long, value_name = "N | A..B")]
    pub seeds: Option<Seeds>,
    /// Begin with a seed made of this commit instead, and run as many
    #[arg(long, value_name = "HEX")]
    pub seed_from_commit: Option<CommitSeed>,
    /// Write the results to DIR/SCENARIO/
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Run on N threads; default: one for each processor. The results do not depend on it
    #[arg(long, short, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Run the Ith of N parts of the seeds; `ftsim merge` makes one result of all
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// Begin no further seed after this time, such as 10m, shared among the scenarios
    #[arg(long = "for", value_name = "TIME")]
    pub time: Option<Duration>,
    /// End a run that takes longer than TIME, such as 30s: it is undecided if it goes on, and ends
    /// the program if a handler does not return; what was finished can be resumed
    #[arg(long, value_name = "TIME")]
    pub timeout_run: Option<Duration>,
    /// End at the first seed that fails in a way that its scenario does not expect
    #[arg(long, conflicts_with_all = ["until", "max_failures"])]
    pub until_failure: bool,
    /// End at the first seed that violates PROPERTY, expected or not; or panicked
    #[arg(long, value_name = "PROPERTY", conflicts_with = "max_failures")]
    pub until: Option<String>,
    /// End after the 50 seeds in which the Kth failing run is, expected or not
    #[arg(long, value_name = "K")]
    pub max_failures: Option<NonZeroU64>,
    /// Go on where an interrupted sweep ended
    #[arg(long)]
    pub resume: bool,
    /// Execute every run twice, and end at the first that is not the same
    #[arg(long)]
    pub check_determinism: bool,
    /// Add seeds that failed unexpectedly to regressions/ beside the scenario
    #[arg(long)]
    pub save_failures: bool,
    /// Shrink the first three runs of each group of failures and keep the smallest, for at most
    /// this time a scenario; or off
    #[arg(long, value_name = "TIME | off", default_value = "30s")]
    pub shrink: ShrinkBudget,
    /// Write the failures as JUnit XML to FILE
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Show no progress, and only what is not as expected
    #[arg(long, short)]
    pub quiet: bool,
}

/// How long a sweep may shrink what it found; not at all, if `None`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShrinkBudget(pub Option<Duration>);

impl FromStr for ShrinkBudget {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self(None)),
            time => time
                .parse()
                .map(|time| Self(Some(time)))
                .map_err(|error| format!("{error}, or off")),
        }
    }
}

impl SweepArgs {
    /// All seeds of the sweep over this scenario, those of other shards too.
    pub(crate) fn seeds_of(&self, scenario: &Scenario) -> Range<u64> {
        let seeds = self.seeds.as_ref().map_or_else(|| scenario.own_seeds(), |s| s.0.clone());
        match self.seed_from_commit {
            None => seeds,
            Some(CommitSeed(first)) => first..first.saturating_add(seeds.end - seeds.start),
        }
    }
}

/// Carries `ftsim sweep` out.
pub fn sweep(args: &SweepArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    let (scenarios, bad_input) = load_all(&args.files, catalogue);
    if bad_input {
        return Ok(Exit::BadInput);
    }
    if let Some(name) = doubled(&scenarios) {
        complain(&format!("two scenarios are called {name}: their results would be in one folder"));
        return Ok(Exit::BadInput);
    }
    // Nothing is run, and nothing is written, before all is found to have a place.
    for scenario in &scenarios {
        Folder::check(&args.out, &scenario.name())?;
    }
    if let Some(scenario) = scenarios.iter().find(|scenario| !are_seeds(&args.seeds_of(scenario))) {
        let count = count(&args.seeds_of(scenario));
        complain(&format!(
            "{}: {count} seeds from this commit on end beyond {SEED_MAX}, the last seed",
            scenario.path
        ));
        return Ok(Exit::BadInput);
    }
    if let Some(property) = &args.until
        && let Some(scenario) = scenarios.iter().find(|scenario| !scenario.can_violate(property))
    {
        complain(&scenario.checks_no(property));
        return Ok(Exit::BadInput);
    }
    let total = scenarios.iter().map(|scenario| count(&header(scenario, args).part())).sum();
    let progress = Progress::with_lines(total, args.quiet);
    let halt = interrupt::listen();
    let end = args.time.map(|time| clock() + std::time::Duration::from_nanos(time.as_nanos()));
    let mut reports = Vec::new();
    for (left, scenario) in (1..=scenarios.len()).rev().zip(&scenarios) {
        if halt.load(Ordering::Relaxed) {
            break;
        }
        progress.begin(&scenario.path);
        // The time that is left is shared among the scenarios that are left.
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        let until = end.map(|end| clock() + end.saturating_sub(clock()) / left);
        let one = ScenarioSweep { args, scenario, progress: &progress, halt, until };
        reports.push(one.sweep()?);
    }
    progress.finish();
    let results = args.out.display().to_string();
    ftsim_reports::write_sweep_text(out, &reports, &results, page(args.quiet))?;
    ci::write(args.junit.as_deref(), out, &reports, &results)?;
    if halt.load(Ordering::Relaxed) {
        out.flush()?;
        complain("interrupted; the same command with --resume goes on from here");
        return Ok(Exit::Interrupted);
    }
    Ok(report::exit(&reports))
}

const fn count(seeds: &Range<u64>) -> u64 {
    seeds.end.saturating_sub(seeds.start)
}

/// The name of two scenarios.
fn doubled(scenarios: &[Scenario]) -> Option<String> {
    let names: Vec<String> = scenarios.iter().map(Scenario::name).collect();
    (1..names.len()).find(|i| names[..*i].contains(&names[*i])).map(|i| names[i].clone())
}

/// A sweep over one scenario.
struct ScenarioSweep<'a> {
    args: &'a SweepArgs,
    scenario: &'a Scenario,
    progress: &'a Progress,
    halt: &'a AtomicBool,
    /// When its time is up, on the progress's clock.
    until: Option<std::time::Duration>,
}

impl ScenarioSweep<'_> {
    fn sweep(&self) -> Result<SweepReport, Failure> {
        let header = header(self.scenario, self.args);
        let seeds = header.part();
        let mut account = SweepState::new(seeds.start);
        let mut folder = self.open(&header, &mut account)?;
        let is_first = header.shard.is_none_or(|shard| shard.index == 1);
        let regressions = Regressions::of(self.scenario)?;
        if account.next == seeds.start && is_first {
            account.regressions = regressions.run(self.scenario, self.repeat())?;
            folder.append_regressions(&account.regressions)?;
        }
        self.run(&header, &seeds, &mut account, &mut folder)?;
        let over = account.next == seeds.end || account.is_over(header.stop.as_ref());
        let interrupted = !over && self.halt.load(Ordering::Relaxed);
        let repros = report::repros(self.scenario, &header, &account)?;
        let shrunk = self.shrink(&account)?;
        let report = report::report(self.scenario, &header, &account, &shrunk);
        let mut summary = Vec::new();
        ftsim_reports::write_sweep_json(&mut summary, &report)?;
        folder.conclude(&summary, &repros, &shrunk)?;
        if !interrupted {
            folder.publish()?;
            if self.args.save_failures {
                regressions.save(&account)?;
            }
        }
        Ok(report)
    }

    /// What the failures shrink to, unless there is no time for that.
    fn shrink(&self, account: &SweepState) -> Result<Vec<NamedText>, Failure> {
        let budget = self.args.shrink.0.filter(|_| !self.halt.load(Ordering::Relaxed));
        let Some(budget) = budget else { return Ok(Vec::new()) };
        let budget = std::time::Duration::from_nanos(budget.as_nanos());
        Ok(report::shrunk(self.scenario, account, (budget, self.halt))?)
    }

    fn open(&self, header: &Header, account: &mut SweepState) -> Result<Folder, Failure> {
        let (out, scenario) = (&self.args.out, self.scenario);
        if !self.args.resume {
            return Ok(Folder::begin(out, header, &scenario.text)?);
        }
        let known = &scenario.entry.properties;
        let (folder, regressions) = Folder::resume(out, header, scenario, |written| {
            account.take(&written.failing, &written.block, known);
        })?;
        account.regressions = regressions;
        Ok(folder)
    }

    /// Runs what is left, block by block.
    fn run(
        &self,
        header: &Header,
        seeds: &Range<u64>,
        account: &mut SweepState,
        folder: &mut Folder,
    ) -> Result<(), Failure> {
        self.progress.done(account.next - seeds.start);
        if account.is_over(header.stop.as_ref()) {
            return Ok(());
        }
        let halt = AtomicBool::new(false);
        let order = SweepJob {
            scenario: self.scenario,
            seeds: account.next..seeds.end,
            block: BLOCK,
            jobs: jobs(self.args.jobs),
            repeat: self.repeat(),
            until: header.stop.as_ref(),
            halt: &halt,
            timeout: self
                .args
                .timeout_run
                .map(|limit| std::time::Duration::from_nanos(limit.as_nanos())),
        };
        let scripted = self.scenario.experiment.plan.faults.len();
        let known = &self.scenario.entry.properties;
        let done = |count| {
            self.progress.done(count);
            let up = self.until.is_some_and(|until| clock() >= until);
            if up || self.halt.load(Ordering::Relaxed) {
                halt.store(true, Ordering::Relaxed);
            }
        };
        let gathered = sweep::blocks(&order, &done, |block| {
            let line = BlockLine::of(&block, scripted);
            account.take(&block.failing, &line, known);
            self.progress.failing(&self.scenario.path, account.failing);
            folder.append_block(block.failing, line).map_err(Stop::Take)?;
            Ok(if account.is_over(header.stop.as_ref()) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            })
        });
        match gathered {
            Ok(()) => Ok(()),
            Err(Stop::Run(error)) => Err(error.into()),
            Err(Stop::Take(error)) => Err(error.into()),
        }
    }

    const fn repeat(&self) -> Repeat {
        if self.args.check_determinism { Repeat::Twice } else { Repeat::Once }
    }
}

/// What this sweep is asked for.
fn header(scenario: &Scenario, args: &SweepArgs) -> Header {
    let first = args.until_failure.then_some(StopRule::FirstUnexpected);
    let violates = args.until.clone().map(StopRule::Violates);
    let failures = args.max_failures.map(|count| StopRule::Failures(count.get()));
    Header {
        schema: SCHEMA,
        ftsim: env!("CARGO_PKG_VERSION").to_owned(),
        scenario: scenario.name(),
        file: scenario.path.clone(),
        digest: Header::digest_of(&scenario.text),
        seeds: args.seeds_of(scenario).into(),
        block: BLOCK,
        shard: args.shard,
        stop: first.or(violates).or(failures),
    }
}
