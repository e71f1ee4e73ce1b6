//! What is typed, and what is done about it.

use std::ffi::OsString;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;

use annotate_snippets::Renderer;
use clap::{Args, Parser, Subcommand, ValueEnum};
use ftsim_protocols::Catalogue;
use ftsim_reports::{is_active, line};

use crate::diagnostic::Diagnostic;
use crate::diff::DiffArgs;
use crate::divergence::Divergence;
use crate::explain::ExplainArgs;
use crate::merge::MergeArgs;
use crate::record::RecordArgs;
use crate::replay::ReplayArgs;
use crate::results::FolderError;
use crate::run::RunArgs;
use crate::scenario::Scenario;
use crate::screen::{Form, Screen};
use crate::show::ShowArgs;
use crate::shrink_command::ShrinkArgs;
use crate::sweep::{InternalError, RunError};
use crate::sweep_command::SweepArgs;
use crate::terminal::page;
use crate::{
    describe, diff, explain, merge, record, replay, run, schema, show, shrink_command,
    sweep_command,
};

/// What the exit status of a command means, a line each.
macro_rules! exit_status {
    ($($line:literal)*) => { concat!("Exit status:", $("\n", $line),*) };
}

const EXIT_ALL: &str = exit_status! {
    "    0  every expectation is met"
    "    1  some expectation is not met"
    "    2  bad usage, a file that cannot be used, or output that cannot be written"
    "    3  all that is wrong is that a limit came before a verdict"
    "    4  a run was not deterministic, or not the one that a repro stands for"
    "   70  ftsim itself has failed"
    "  130  interrupted; what was finished is written"
    "The --help of a command lists those that it can have. A reader that goes away, as in `| head`,"
    "changes nothing about the status."
};
const EXIT_RUN: &str = exit_status! {
    "    0  every expectation is met"
    "    1  some expectation is not met"
    "    2  bad usage, a file that cannot be used, or output that cannot be written"
    "    3  all that is wrong is that a limit came before a verdict"
    "    4  with --check-determinism: the two executions of a run differ"
    "   70  ftsim itself has failed"
    "  130  interrupted; what was finished is written"
};
const EXIT_MERGE: &str = exit_status! {
    "    0  every expectation is met"
    "    1  some expectation is not met"
    "    2  bad usage, results that cannot be merged, or output that cannot be written"
    "    3  all that is wrong is that a limit came before a verdict"
    "    4  a run does not do again what its shard wrote of it"
    "   70  ftsim itself has failed"
};
const EXIT_REPLAY: &str = exit_status! {
    "    0  the run is shown, whatever its verdicts are"
    "    2  bad usage, a file that cannot be used, or output that cannot be written"
    "    4  the run is not the one that the repro stands for"
    "   70  ftsim itself has failed"
};
const EXIT_RECORD: &str = exit_status! {
    "    0  the run is recorded, whatever its verdicts are"
    "    2  bad usage, a file that cannot be used, or output that cannot be written"
    "    4  the run is not the one that the repro stands for"
    "   70  ftsim itself has failed"
    "  130  interrupted; nothing is written"
};
const EXIT_SHRINK: &str = exit_status! {
    "    0  the scenario is written"
    "    1  no run violates what is to be kept"
    "    2  bad usage, a file that cannot be used, or output that cannot be written"
    "   70  ftsim itself has failed"
    "  130  interrupted; the smallest scenario so far is written"
};
const EXIT_EXPLAIN: &str = exit_status! {
    "    0  the story is told"
    "    1  the run violates nothing, or not this property"
    "    2  bad usage, a file that cannot be used, or output that cannot be written"
    "    4  the run is not the one that the repro stands for"
    "   70  ftsim itself has failed"
};
const EXIT_DIFF: &str = exit_status! {
    "    0  the two runs are the same"
    "    1  they differ"
    "    2  bad usage, a file that cannot be used, or output that cannot be written"
    "   70  ftsim itself has failed"
};
const EXIT_CHECK: &str = exit_status! {
    "    0  every file is a scenario that can be run"
    "    2  bad usage, a file that cannot be used, or output that cannot be written"
    "   70  ftsim itself has failed"
};
const EXIT_PRINT: &str = exit_status! {
    "    0  it is written"
    "    2  bad usage, a file that cannot be used, or output that cannot be written"
    "   70  ftsim itself has failed"
};

/// Run fault-tolerance protocols under injected faults, and check what they promise.
#[derive(Debug, Parser)]
#[command(name = "ftsim", version, after_help = EXIT_ALL)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios over their seeds, and compare with what they expect
    #[command(after_help = EXIT_RUN)]
    Run(RunArgs),
    /// Run many seeds, and write what came of them, with a repro for each kind of failure
    #[command(after_help = EXIT_RUN)]
    Sweep(SweepArgs),
    /// Make one result of the shards of a sweep
    #[command(after_help = EXIT_MERGE)]
    Merge(MergeArgs),
    /// Run one seed, and show its settings, its trace and its verdicts
    #[command(after_help = EXIT_REPLAY)]
    Replay(ReplayArgs),
    /// Run one seed, however long, and write what happens to a file while it goes on
    #[command(after_help = EXIT_RECORD)]
    Record(RecordArgs),
    /// Show what `ftsim record` wrote, as `ftsim replay` shows a run
    #[command(after_help = EXIT_PRINT)]
    Show(ShowArgs),
    /// Make the smallest scenario that fails as a run did
    #[command(after_help = EXIT_SHRINK)]
    Shrink(ShrinkArgs),
    /// Tell the story of a violation: what led to it, and which faults it needs
    #[command(after_help = EXIT_EXPLAIN)]
    Explain(ExplainArgs),
    /// Show the first event in which two runs differ, and the states around it
    #[command(after_help = EXIT_DIFF)]
    Diff(DiffArgs),
    /// Check scenario files without running them
    #[command(after_help = EXIT_CHECK)]
    Check(CheckArgs),
    /// List the protocols
    #[command(after_help = EXIT_PRINT)]
    List(ListArgs),
    /// Describe a protocol: model, parameters, properties, mutants
    #[command(after_help = EXIT_PRINT)]
    Describe(DescribeArgs),
    /// Print the JSON schema of scenario files
    #[command(after_help = EXIT_PRINT)]
    Schema,
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// Check these scenario files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Say nothing of files that can be used
    #[arg(long, short)]
    quiet: bool,
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

impl Format {
    /// What of it may be obeyed.
    pub(crate) const fn form(self) -> Form {
        match self {
            Self::Text => Form::Text,
            Self::Json => Form::Data,
        }
    }
}

/// How a run is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TraceFormat {
    /// For people.
    Text,
    /// For programs: an object a line.
    Jsonl,
}

impl TraceFormat {
    /// What of it may be obeyed.
    pub(crate) const fn form(self) -> Form {
        match self {
            Self::Text => Form::Text,
            Self::Jsonl => Form::Data,
        }
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
pub(crate) type Out = Screen<anstream::AutoStream<io::Stdout>>;

/// The whole program: reads the arguments, does what they say, and returns the exit status.
#[expect(clippy::needless_pass_by_value, reason = "a program hands its catalogue over")]
pub fn main(catalogue: Catalogue) -> ExitCode {
    ExitCode::from(main_with(std::env::args_os(), &catalogue))
}

/// As [`main`], with these arguments; the first is the name of the program.
pub fn main_with(arguments: impl IntoIterator<Item = OsString>, catalogue: &Catalogue) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let mut out = Screen::new(anstream::stdout());
    let done = catch_unwind(AssertUnwindSafe(|| {
        let exit = match Cli::try_parse_from(&arguments) {
            Ok(cli) => command(&cli.command, catalogue, &mut out)?,
            Err(error) => usage(&error, &arguments, &mut out)?,
        };
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
    exit as u8
}

/// Tells how ftsim is used: because somebody asked, or did not know.
fn usage(error: &clap::Error, arguments: &[OsString], out: &mut Out) -> io::Result<Exit> {
    let is_plain = |argument: &OsString| !argument.to_string_lossy().contains(is_active);
    let text = match arguments.iter().all(is_plain) {
        true => error.render().ansi().to_string(),
        false => error.to_string(),
    };
    if error.use_stderr() {
        say(&text);
        return Ok(Exit::BadInput);
    }
    out.write_all(text.as_bytes())?;
    Ok(Exit::Good)
}

/// Says why a command could not be carried out.
fn failed(failure: &Failure) -> Exit {
    match failure {
        Failure::Internal(error) => {
            complain(&format!("ftsim has failed, which is a bug: {error}"));
        }
        _ => complain(&failure.to_string()),
    }
    match failure {
        Failure::Internal(_) => Exit::Internal,
        Failure::Diverged(_) => Exit::NotDeterministic,
        Failure::Output(_) | Failure::Folder(_) | Failure::BadFile(_) => Exit::BadInput,
    }
}

fn command(command: &Command, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    match command {
        Command::Run(args) => run::run(args, catalogue, out),
        Command::Sweep(args) => sweep_command::sweep(args, catalogue, out),
        Command::Merge(args) => merge::merge(args, catalogue, out),
        Command::Replay(args) => replay::replay(args, catalogue, out),
        Command::Record(args) => record::record(args, catalogue, out),
        Command::Show(args) => show::show(args, out),
        Command::Shrink(args) => shrink_command::shrink(args, catalogue, out),
        Command::Explain(args) => explain::explain(args, catalogue, out),
        Command::Diff(args) => diff::diff(args, catalogue, out),
        Command::Check(args) => check(args, catalogue, out),
        Command::List(args) => {
            out.begin(args.format.form())?;
            Ok(describe::list(catalogue, args.format, page(false), out)?)
        }
        Command::Describe(args) => {
            out.begin(args.format.form())?;
            Ok(describe::describe(catalogue, &args.protocol, args.format, page(false), out)?)
        }
        Command::Schema => {
            out.begin(Form::Data)?;
            writeln!(out, "{}", schema::text())?;
            Ok(Exit::Good)
        }
    }
}

fn check(args: &CheckArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    let mut exit = Exit::Good;
    for path in &args.files {
        match load(path, catalogue) {
            Ok(_) if args.quiet => {}
            Ok(scenario) => writeln!(out, "{}: ok", line(&scenario.path))?,
            Err(diagnostics) => {
                exit = Exit::BadInput;
                out.flush()?;
                tell(&diagnostics);
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
                tell(&diagnostics);
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
pub(crate) fn tell(diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        say(&format!("{}\n\n", diagnostic.render(&Renderer::styled())));
    }
}

pub(crate) fn complain(message: &str) {
    say(&format!("error: {message}\n"));
}

/// Writes a text to stderr.
pub(crate) fn say(text: &str) {
    let mut err = Screen::new(anstream::stderr());
    // When stderr is gone, nobody is left to be told.
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}
