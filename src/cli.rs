//! What is typed, and what is done about it.

use std::io::{self, BufWriter, Write};
use std::num::{NonZeroU64, NonZeroUsize};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use annotate_snippets::Renderer;
use clap::{Args, Parser, Subcommand, ValueEnum};
use ftsim_core::Duration;
use ftsim_protocols::Catalogue;

use crate::crash_point::CrashPoint;
use crate::diagnostic::Diagnostic;
use crate::diff::DiffArgs;
use crate::divergence::Divergence;
use crate::explain::ExplainArgs;
use crate::results::FolderError;
use crate::scenario::Scenario;
use crate::shard::Shard;
use crate::sweep::{InternalError, RunError};
use crate::{describe, diff, explain, merge, replay, run, schema, shrink_command, sweep_command};

const EXIT_CODES: &str = "\
Exit status:
    0  every expectation is met
    1  some expectation is not met
    2  bad usage, or a file that cannot be used
    3  all that is wrong is that a limit came before a verdict
    4  a run was not deterministic, or not the one that a repro stands for
   70  ftsim itself has failed
  130  interrupted; what was finished is written";

/// Run fault-tolerance protocols under injected faults, and check what they promise.
#[derive(Debug, Parser)]
#[command(name = "ftsim", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios over their seeds, and compare with what they expect
    #[command(after_help = EXIT_CODES)]
    Run(RunArgs),
    /// Run many seeds, and write what came of them, with a repro for each kind of failure
    #[command(after_help = EXIT_CODES)]
    Sweep(SweepArgs),
    /// Make one result of the shards of a sweep
    #[command(after_help = EXIT_CODES)]
    Merge(MergeArgs),
    /// Run one seed, and show its settings, its trace and its verdicts
    #[command(after_help = EXIT_CODES)]
    Replay(ReplayArgs),
    /// Make the smallest scenario that fails as a run did
    #[command(after_help = EXIT_CODES)]
    Shrink(ShrinkArgs),
    /// Tell the story of a violation: what led to it, and which faults it needs
    #[command(after_help = EXIT_CODES)]
    Explain(ExplainArgs),
    /// Show the first event in which two runs differ, and the states around it
    #[command(after_help = EXIT_CODES)]
    Diff(DiffArgs),
    /// Check scenario files without running them
    Check(CheckArgs),
    /// List the protocols
    List(ListArgs),
    /// Describe a protocol: model, parameters, properties, mutants
    Describe(DescribeArgs),
    /// Print the JSON schema of scenario files
    Schema,
}

/// What `ftsim run` is told.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Run these scenario files
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Run seeds 1 to N, or A..B without B; default: as the scenario says
    #[arg(long, value_name = "N | A..B")]
    pub seeds: Option<Seeds>,
    /// Run seed S alone
    #[arg(long, value_name = "S", conflicts_with = "seeds")]
    pub seed: Option<u64>,
    /// Write the results as FORMAT
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
    /// Show how processes and operations fared: MTTF, MTTR, availability, latency
    #[arg(long)]
    pub figures: bool,
    /// Run on N threads; default: one for each processor. The results do not depend on it
    #[arg(long, short, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Execute every run twice, and end at the first that is not the same
    #[arg(long)]
    pub check_determinism: bool,
}

/// What `ftsim sweep` is told.
#[derive(Debug, Args)]
pub(crate) struct SweepArgs {
    /// Sweep over these scenario files
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Run seeds A to B without B, or 1 to N; default: as the scenario says
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
    /// End at the first failing seed
    #[arg(long, conflicts_with = "max_failures")]
    pub until_failure: bool,
    /// End after the 50 seeds in which the Kth failing run is
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
    /// Shrink the first run of each group of failures, for at most this time a scenario; or off
    #[arg(long, value_name = "TIME | off", default_value = "30s")]
    pub shrink: ShrinkBudget,
    /// Write the failures as JUnit XML to FILE
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
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

/// What `ftsim merge` is told.
#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// Merge the results in these folders, one for each shard
    #[arg(required = true, value_name = "DIR")]
    pub folders: Vec<PathBuf>,
    /// Write the merged results to DIR/SCENARIO/
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Write the failures as JUnit XML to FILE
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
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

/// What `ftsim replay` is told.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// Replay this scenario file, or this repro
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Run seed S; default: the one of the repro
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// Crash process P after its Nth effect, in a scenario that runs every crash point
    #[arg(long, value_name = "P:N")]
    pub crash_point: Option<CrashPoint>,
    /// Write the run as FORMAT
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: TraceFormat,
}

/// What `ftsim shrink` is told.
#[derive(Debug, Args)]
pub(crate) struct ShrinkArgs {
    /// Shrink a failing run of this scenario file, or this repro
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Shrink the run of seed S; default: the one of the repro, or the first that fails
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// Crash process P after its Nth effect, in a scenario that runs every crash point
    #[arg(long, value_name = "P:N")]
    pub crash_point: Option<CrashPoint>,
    /// Keep the violation of property ID; default: the first that the scenario expects
    #[arg(long, value_name = "ID")]
    pub property: Option<String>,
    /// Write the scenario to FILE; default: to standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Stop after this wall-clock time, such as 60s, with the smallest so far
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub budget: Duration,
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// Check these scenario files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Write the list as FORMAT
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// What `ftsim describe` is told.
#[derive(Debug, Args)]
struct DescribeArgs {
    /// Describe this protocol
    #[arg(value_name = "PROTOCOL")]
    protocol: String,
    /// Write the description as FORMAT
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs: one object.
    Json,
}

/// How a run is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TraceFormat {
    /// For people.
    Text,
    /// For programs: an object a line.
    Jsonl,
}

/// The largest seed of a range.
const SEED_MAX: u64 = i64::MAX as u64;

/// A half-open range of seeds: `N` for 1 to N, or `A..B`.
#[derive(Clone, Debug)]
pub(crate) struct Seeds(pub Range<u64>);

impl FromStr for Seeds {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| {
            let digits = part.replace('_', "");
            digits
                .parse::<u64>()
                .map_err(|_| "expected N or A..B, such as 100 or 0..1000".to_owned())
                .and_then(|seed| match seed {
                    // A repro could not say it: TOML has no larger numbers.
                    0..=SEED_MAX => Ok(seed),
                    _ => Err(format!("seeds end at {SEED_MAX}")),
                })
        };
        let range = match text.split_once("..") {
            Some((from, until)) => number(from)?..number(until)?,
            None => first_seeds(number(text)?),
        };
        if range.is_empty() { Err("this is no seed at all".to_owned()) } else { Ok(Self(range)) }
    }
}

/// Seeds 1 to `count`.
pub(crate) const fn first_seeds(count: u64) -> Range<u64> {
    1..count.saturating_add(1)
}

/// The seed that a commit stands for: its first twelve hexadecimal digits, so that every run of one
/// commit has the same seeds, and the next commit has others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CommitSeed(pub u64);

impl FromStr for CommitSeed {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_hex = text.len() >= 7 && text.chars().all(|c| c.is_ascii_hexdigit());
        let digits = text.get(..text.len().min(12)).filter(|_| is_hex);
        let seed = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        seed.map(Self).ok_or("expected a commit, at least seven hexadecimal digits of it")
    }
}

/// How many threads, where so many are asked for.
pub(crate) fn jobs(asked: Option<NonZeroUsize>) -> usize {
    let available = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    asked.map_or_else(available, NonZeroUsize::get)
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Every expectation is met.
    Good = 0,
    /// Some is not.
    Unexpected = 1,
    /// Bad usage or bad input.
    BadInput = 2,
    /// A limit came before a verdict.
    Undecided = 3,
    /// A run was not deterministic.
    NotDeterministic = 4,
    /// ftsim itself has failed.
    Internal = 70,
    /// Interrupted by a signal.
    Interrupted = 130,
}

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The output cannot be written.
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
    /// A bug of ours.
    #[error(transparent)]
    Internal(#[from] InternalError),
    /// A run was not deterministic.
    #[error(transparent)]
    Diverged(Box<Divergence>),
    /// The folder of results cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A file that is no scenario cannot be used.
    #[error("{0}")]
    BadFile(String),
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Internal(error) => Self::Internal(error),
            RunError::Diverged(divergence) => Self::Diverged(divergence),
        }
    }
}

/// Where results go.
pub(crate) type Out = BufWriter<anstream::AutoStream<io::StdoutLock<'static>>>;

/// The whole program: reads the arguments, does what they say, and returns the exit status.
#[expect(clippy::needless_pass_by_value, reason = "a program hands its catalogue over")]
pub fn main(catalogue: Catalogue) -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe is no failure.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Exit::BadInput as u8 } else { 0 });
        }
    };
    let mut out = BufWriter::new(anstream::stdout().lock());
    let done = catch_unwind(AssertUnwindSafe(|| {
        let exit = command(&cli.command, &catalogue, &mut out)?;
        out.flush()?;
        Ok(exit)
    }));
    let exit = match done {
        Ok(Ok(exit)) => exit,
        Ok(Err(failure)) => failed(&failure),
        Err(_) => {
            complain("ftsim has failed, which is a bug");
            Exit::Internal
        }
    };
    // What is left in the buffer after a failure to write would fail again.
    drop(out.into_parts());
    ExitCode::from(exit as u8)
}

/// Says why a command could not be carried out.
fn failed(failure: &Failure) -> Exit {
    match failure {
        Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return Exit::Good,
        Failure::Internal(error) => {
            complain(&format!("ftsim has failed, which is a bug: {error}"));
        }
        _ => complain(&failure.to_string()),
    }
    match failure {
        Failure::Output(_) | Failure::Internal(_) => Exit::Internal,
        Failure::Diverged(_) => Exit::NotDeterministic,
        Failure::Folder(_) | Failure::BadFile(_) => Exit::BadInput,
    }
}

fn command(command: &Command, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    match command {
        Command::Run(args) => run::run(args, catalogue, out),
        Command::Sweep(args) => sweep_command::sweep(args, catalogue, out),
        Command::Merge(args) => merge::merge(args, catalogue, out),
        Command::Replay(args) => replay::replay(args, catalogue, out),
        Command::Shrink(args) => shrink_command::shrink(args, catalogue, out),
        Command::Explain(args) => explain::explain(args, catalogue, out),
        Command::Diff(args) => diff::diff(args, catalogue, out),
        Command::Check(args) => check(args, catalogue, out),
        Command::List(args) => Ok(describe::list(catalogue, args.format, out)?),
        Command::Describe(args) => {
            Ok(describe::describe(catalogue, &args.protocol, args.format, out)?)
        }
        Command::Schema => {
            writeln!(out, "{}", schema::text())?;
            Ok(Exit::Good)
        }
    }
}

fn check(args: &CheckArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    let mut exit = Exit::Good;
    for path in &args.files {
        match load(path, catalogue) {
            Ok(scenario) => writeln!(out, "{}: ok", scenario.path)?,
            Err(diagnostics) => {
                exit = Exit::BadInput;
                out.flush()?;
                show(&diagnostics);
            }
        }
    }
    Ok(exit)
}

/// Reads scenario files, and tells what is wrong with those that cannot be used; true if any.
pub(crate) fn load_all(paths: &[PathBuf], catalogue: &Catalogue) -> (Vec<Scenario>, bool) {
    let mut scenarios = Vec::new();
    let mut bad_input = false;
    for path in paths {
        match load(path, catalogue) {
            Ok(scenario) => scenarios.push(scenario),
            Err(diagnostics) => {
                bad_input = true;
                show(&diagnostics);
            }
        }
    }
    (scenarios, bad_input)
}

/// Reads a scenario file.
pub(crate) fn load(
    path: &std::path::Path,
    catalogue: &Catalogue,
) -> Result<Scenario, Vec<Diagnostic>> {
    let name = path.display().to_string();
    let wrong = |message: String| vec![Diagnostic::of_file(&name, message)];
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound if name.contains(['*', '?']) => wrong("no file matches".into()),
        io::ErrorKind::NotFound => wrong("there is no such file".into()),
        io::ErrorKind::IsADirectory => wrong("this is a directory".into()),
        _ => wrong(format!("cannot be read: {error}")),
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        wrong(format!("not UTF-8 from byte {at} on"))
    })?;
    Scenario::parse(&name, &text, catalogue)
}

/// Shows what is wrong on stderr.
pub(crate) fn show(diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        // When stderr is gone, nobody is left to be told.
        let _ = writeln!(anstream::stderr(), "{}\n", diagnostic.render(&Renderer::styled()));
    }
}

pub(crate) fn complain(message: &str) {
    let _ = writeln!(anstream::stderr(), "error: {message}");
}
