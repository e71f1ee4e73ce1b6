//! The commands: what is typed, and what is done about it.

mod check;
mod describe;
mod diff;
mod explain;
mod merge;
mod new;
mod record;
mod replay;
mod run;
mod shell;
mod show;
mod shrink;
mod stress;
mod sweep;

use std::ffi::OsString;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};
use ftsim_protocols::Catalogue;
use ftsim_reports::{is_active, set_program};

use crate::cli::screen::{Form, Screen};
use crate::cli::{Exit, Failure, Format, Out, complain, page, say};
use crate::scenario::schema;
use check::CheckArgs;
use diff::DiffArgs;
use explain::ExplainArgs;
use merge::MergeArgs;
use new::NewArgs;
use record::RecordArgs;
use replay::ReplayArgs;
use run::RunArgs;
use shell::CompletionsArgs;
use show::ShowArgs;
use shrink::ShrinkArgs;
use stress::StressArgs;
use sweep::SweepArgs;

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
const EXIT_STRESS: &str = exit_status! {
    "    0  nothing fell; with --beyond: every protocol did"
    "    1  something fell; with --beyond: some protocol did not, whatever was broken"
    "    2  bad usage, or output that cannot be written"
    "   70  ftsim itself has failed, or the trace of a run is wrong"
    "  130  interrupted; what was finished is written"
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
    /// Draw scenarios within the model of a protocol, or just beyond, and see what falls
    #[command(after_help = EXIT_STRESS)]
    Stress(StressArgs),
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
    /// Write the skeleton of a protocol or of a scenario
    #[command(after_help = EXIT_PRINT)]
    New(NewArgs),
    /// Print the JSON schema of scenario files
    #[command(after_help = EXIT_PRINT)]
    Schema,
    /// Print what completes commands and options in a shell
    #[command(after_help = EXIT_PRINT)]
    Completions(CompletionsArgs),
    /// Print the manual page
    #[command(after_help = EXIT_PRINT)]
    Man,
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

/// The whole program: reads the arguments, does what they say, and returns the exit status.
#[expect(clippy::needless_pass_by_value, reason = "a program hands its catalogue over")]
pub fn main(catalogue: Catalogue) -> ExitCode {
    ExitCode::from(main_with(std::env::args_os(), &catalogue))
}

/// As [`main`], with these arguments; the first is the name of the program.
pub fn main_with(arguments: impl IntoIterator<Item = OsString>, catalogue: &Catalogue) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    set_program(&arguments.first().map_or_else(Default::default, |first| first.to_string_lossy()));
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
        Failure::Output(_) | Failure::File(_) | Failure::BadFile(_) => Exit::BadInput,
    }
}

fn command(command: &Command, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    match command {
        Command::Run(args) => run::run(args, catalogue, out),
        Command::Sweep(args) => sweep::sweep(args, catalogue, out),
        Command::Merge(args) => merge::merge(args, catalogue, out),
        Command::Replay(args) => replay::replay(args, catalogue, out),
        Command::Record(args) => record::record(args, catalogue, out),
        Command::Show(args) => show::show(args, out),
        Command::Shrink(args) => shrink::shrink(args, catalogue, out),
        Command::Stress(args) => stress::stress(args, catalogue, out),
        Command::Explain(args) => explain::explain(args, catalogue, out),
        Command::Diff(args) => diff::diff(args, catalogue, out),
        Command::Check(args) => check::check(args, catalogue, out),
        Command::New(args) => new::new(args, catalogue, out),
        Command::Completions(args) => shell::completions(args, Cli::command(), out),
        Command::Man => shell::man(Cli::command(), out),
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
            writeln!(out, "{}", schema::text(catalogue))?;
            Ok(Exit::Good)
        }
    }
}
