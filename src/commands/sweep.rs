//! `ftsim sweep`: runs many seeds of scenarios and writes the results to a folder.

use std::io::Write;
use std::num::{NonZeroU64, NonZeroUsize};
use std::ops::{ControlFlow, Range};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use ftsim_core::Duration;
use ftsim_core::explore::sample::Strategy;
use ftsim_protocols::Catalogue;
use ftsim_reports::SweepReport;

use crate::cli::clock;
use crate::cli::interrupt;
use crate::cli::page;
use crate::cli::progress::Progress;
use crate::cli::{Exit, Failure, Out, complain, jobs, load_all};
use crate::explore::{self, Seeded};
use crate::journal::digest_of;
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
use crate::sweep::{Stop, SweepJob, Timeout};

/// Arguments of `ftsim sweep`.
#[derive(Debug, Args)]
pub(crate) struct SweepArgs {
    /// Sweep over these scenario files, and all scenario files in these folders
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Run seeds 1 to N, or A to B excluding B; default: the scenario's own. If the scenario says
    /// `crash_points = "every"`, each seed runs at all of its crash points
    #[arg(long, value_name = "N | A..B")]
    pub seeds: Option<Seeds>,
    /// Run the same number of seeds, starting at a seed made from this commit
    #[arg(long, value_name = "HEX")]
    pub seed_from_commit: Option<CommitSeed>,
    /// Write the results to DIR/SCENARIO/
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Have the steps of each run chosen by a strategy of `ftsim explore` in place of drawn times
    /// and faults: random, pos, or pct:D for bugs of depth D
    #[arg(long, value_name = "STRATEGY", value_parser = by_seed,
          conflicts_with_all = ["timeout_run", "save_failures"])]
    pub strategy: Option<Strategy>,
    /// Use N threads; default: one per processor. The results do not depend on N
    #[arg(long, short, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Run part I of N of the seeds; `ftsim merge` combines the results of the parts
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// Start no further block of 50 seeds after this time, such as 10m, which the scenarios share
    #[arg(long = "for", value_name = "TIME")]
    pub time: Option<Duration>,
    /// End a run that takes longer than TIME, such as 30s: it is undecided if it goes on without
    /// end, and ends the program if a handler does not return; --resume continues there
    #[arg(long, value_name = "TIME")]
    pub timeout_run: Option<Duration>,
    /// End at the smallest seed that fails in a way that its scenario does not expect
    #[arg(long, conflicts_with_all = ["until", "max_failures"])]
    pub until_failure: bool,
    /// End at the smallest seed that violates PROPERTY, expected or not, or that `panicked`
    #[arg(long, value_name = "PROPERTY", conflicts_with = "max_failures")]
    pub until: Option<String>,
    /// End after the block of 50 seeds that contains the Kth failing run, expected or not
    #[arg(long, value_name = "K")]
    pub max_failures: Option<NonZeroU64>,
    /// Continue an interrupted sweep
    #[arg(long)]
    pub resume: bool,
    /// Execute every run twice, and end at the first one that differs
    #[arg(long)]
    pub check_determinism: bool,
    /// Add seeds that failed unexpectedly to regressions/, beside the scenario
    #[arg(long)]
    pub save_failures: bool,
    /// Shrink the first three runs of each group of failures, for at most this time per scenario;
    /// or off
    #[arg(long, value_name = "TIME | off", default_value = "30s")]
    pub shrink: ShrinkBudget,
    /// Write the failures as JUnit XML to FILE
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Count bytes too, as `ftsim run --figures` does, which takes longer than messages and steps.
    /// Runs that an interrupted sweep made without this option are left out
    #[arg(long)]
    pub bytes: bool,
    /// Hide progress and all results that are as expected
    #[arg(long, short)]
    pub quiet: bool,
}

/// The time for shrinking failures; `None`: they are not shrunk.
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

/// A strategy that draws each run from its own seed.
fn by_seed(text: &str) -> Result<Strategy, String> {
    let parsed = text.parse();
    parsed.map_err(|()| match text.parse::<explore::Strategy>() {
        Ok(explore::Strategy::Guided) => {
            "guided runs depend on the runs before them, not on a seed alone; use ftsim explore \
             --strategy guided"
                .to_owned()
        }
        Ok(other) => format!("{other} does not draw runs from seeds; use ftsim explore"),
        Err(_) => {
            "a sweep has the strategies random, pos, and pct:D with a depth D from 1 on".to_owned()
        }
    })
}

impl SweepArgs {
    /// All seeds of the sweep over this scenario, including those of other shards.
    pub(crate) fn seeds_of(&self, scenario: &Scenario) -> Range<u64> {
        let seeds = self.seeds.as_ref().map_or_else(|| scenario.seeds.clone(), |s| s.0.clone());
        match self.seed_from_commit {
            None => seeds,
            Some(CommitSeed(first)) => first..first.saturating_add(seeds.end - seeds.start),
        }
    }
}

/// Executes `ftsim sweep`.
pub fn sweep(args: &SweepArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    let (mut scenarios, bad_input) = load_all(&args.files, catalogue);
    if bad_input {
        return Ok(Exit::BadInput);
    }
    for scenario in &mut scenarios {
        scenario.experiment.counts_bytes = args.bytes;
    }
    if let Some(name) = doubled(&scenarios) {
        complain(&format!("two scenarios are called {name}: their results would share a folder"));
        return Ok(Exit::BadInput);
    }
    // Check that all results can be written before the first run.
    for scenario in &scenarios {
        Folder::check(&args.out, &scenario.name())?;
    }
    if let Some(scenario) = scenarios.iter().find(|scenario| !are_seeds(&args.seeds_of(scenario))) {
        let count = count(&args.seeds_of(scenario));
        complain(&format!(
            "{}: {count} seeds starting at this commit end beyond the last seed, {SEED_MAX}",
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
    let Some(strategies) = strategies(&scenarios, args.strategy) else {
        return Ok(Exit::BadInput);
    };
    let total = scenarios.iter().map(|scenario| count(&header(scenario, args).part())).sum();
    let progress = Progress::with_lines(total, args.quiet);
    let halt = interrupt::listen();
    let end = args.time.map(|time| clock() + std::time::Duration::from_nanos(time.as_nanos()));
    let mut reports = Vec::new();
    let numbered = (1..=scenarios.len()).rev().zip(&scenarios);
    for ((left, scenario), strategy) in numbered.zip(&strategies) {
        if halt.load(Ordering::Relaxed) {
            break;
        }
        progress.begin(&scenario.path);
        // The remaining time is shared among the remaining scenarios.
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        let until = end.map(|end| clock() + end.saturating_sub(clock()) / left);
        let strategy = strategy.as_ref();
        let one = ScenarioSweep { args, scenario, strategy, progress: &progress, halt, until };
        reports.push(one.sweep()?);
    }
    progress.finish();
    let results = args.out.display().to_string();
    ftsim_reports::write_sweep_text(out, &reports, &results, page(args.quiet))?;
    ci::write(args.junit.as_deref(), out, &reports, &results)?;
    if halt.load(Ordering::Relaxed) {
        out.flush()?;
        complain("interrupted; run the same command with --resume to continue");
        return Ok(Exit::Interrupted);
    }
    Ok(report::exit(&reports))
}

/// The strategy for each scenario, if there is one; `None`, after a message, if one has no use for
/// it.
fn strategies(scenarios: &[Scenario], strategy: Option<Strategy>) -> Option<Vec<Option<Seeded>>> {
    let of = |scenario: &Scenario| {
        let Some(strategy) = strategy else { return Ok(None) };
        if scenario.crash_points.is_some() {
            return Err("crash points are those of drawn runs; a strategy chooses its own".into());
        }
        Seeded::of(scenario, strategy).map(Some)
    };
    let mut all = Vec::new();
    for scenario in scenarios {
        match of(scenario) {
            Ok(one) => all.push(one),
            Err(reason) => {
                complain(&format!("{}: {reason}", scenario.path));
                return None;
            }
        }
    }
    Some(all)
}

const fn count(seeds: &Range<u64>) -> u64 {
    seeds.end.saturating_sub(seeds.start)
}

/// A name that two scenarios have.
fn doubled(scenarios: &[Scenario]) -> Option<String> {
    let names: Vec<String> = scenarios.iter().map(Scenario::name).collect();
    (1..names.len()).find(|i| names[..*i].contains(&names[*i])).map(|i| names[i].clone())
}

/// A sweep over one scenario.
struct ScenarioSweep<'a> {
    args: &'a SweepArgs,
    scenario: &'a Scenario,
    /// What chooses the steps of its runs in place of drawn times, if anything does.
    strategy: Option<&'a Seeded>,
    progress: &'a Progress,
    halt: &'a AtomicBool,
    /// The end of its time, on the progress's clock.
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
        // The regression seeds are those of drawn runs.
        if account.next == seeds.start && is_first && self.strategy.is_none() {
            account.regressions = regressions.run(self.scenario, self.repeat())?;
            folder.append_regressions(&account.regressions)?;
        }
        self.run(&header, &seeds, &mut account, &mut folder)?;
        let over = account.next == seeds.end || account.is_over(header.stop.as_ref());
        let interrupted = !over && self.halt.load(Ordering::Relaxed);
        let repros = match self.strategy {
            None => report::repros(self.scenario, &header, &account)?,
            Some(strategy) => report::explored_repros(self.scenario, strategy, &account)?,
        };
        let shrunk = self.shrink(&account, self.strategy.is_some().then_some(&repros))?;
        let report = report::report(self.scenario, &header, &account, (&repros, &shrunk));
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

    /// The shrunk failures; none if shrinking is off or the sweep was interrupted.
    fn shrink(
        &self,
        account: &SweepState,
        explored: Option<&Vec<NamedText>>,
    ) -> Result<Vec<NamedText>, Failure> {
        let budget = self.args.shrink.0.filter(|_| !self.halt.load(Ordering::Relaxed));
        let Some(budget) = budget else { return Ok(Vec::new()) };
        let budget = std::time::Duration::from_nanos(budget.as_nanos());
        let explored = explored.map(Vec::as_slice);
        Ok(report::shrunk(self.scenario, account, explored, (budget, self.halt))?)
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

    /// Runs the remaining seeds, block by block.
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
            // What is finished is in the folder already.
            timeout: self.args.timeout_run.map(|limit| Timeout {
                limit: std::time::Duration::from_nanos(limit.as_nanos()),
                before_exit: &|| {},
            }),
            strategy: self.strategy,
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

/// The header of the results: the parameters of this sweep.
fn header(scenario: &Scenario, args: &SweepArgs) -> Header {
    let first = args.until_failure.then_some(StopRule::FirstUnexpected);
    let violates = args.until.clone().map(StopRule::Violates);
    let failures = args.max_failures.map(|count| StopRule::Failures(count.get()));
    Header {
        schema: SCHEMA,
        ftsim: env!("CARGO_PKG_VERSION").to_owned(),
        scenario: scenario.name(),
        file: scenario.path.clone(),
        digest: digest_of(&scenario.text),
        seeds: args.seeds_of(scenario).into(),
        block: BLOCK,
        shard: args.shard,
        stop: first.or(violates).or(failures),
        strategy: args.strategy.map(|strategy| strategy.to_string()),
    }
}
