//! The commands: their arguments, and their execution.

mod assignment;
mod branch;
mod check;
mod check_history;
mod classify;
mod compare;
mod describe;
mod diff;
mod explain;
mod explore;
mod merge;
mod new;
mod numbers;
mod record;
mod replay;
mod report;
mod run;
mod shell;
mod show;
mod shrink;
mod stress;
mod sweep;
mod textbook;

use std::ffi::OsString;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};
use ftsim_protocols::Catalogue;
use ftsim_reports::{is_active, set_program};

use crate::cli::screen::{Form, Screen};
use crate::cli::{Exit, Failure, Format, Out, complain, page, say};
use crate::scenario::schema;
use branch::BranchArgs;
use check::CheckArgs;
use check_history::CheckHistoryArgs;
use classify::ClassifyArgs;
use compare::CompareArgs;
use diff::DiffArgs;
use explain::ExplainArgs;
use explore::ExploreArgs;
use merge::MergeArgs;
use new::NewArgs;
use numbers::NumbersArgs;
use record::RecordArgs;
use replay::ReplayArgs;
use report::ReportArgs;
use run::RunArgs;
use shell::CompletionsArgs;
use show::ShowArgs;
use shrink::ShrinkArgs;
use stress::StressArgs;
use sweep::SweepArgs;

/// The exit statuses of a command, one per line.
macro_rules! exit_status {
    ($($line:literal)*) => { concat!("Exit status:", $("\n", $line),*) };
}

const EXIT_ALL: &str = exit_status! {
    "    0  all expectations are met"
    "    1  some expectation is not met"
    "    2  usage error, unusable file, or output that cannot be written"
    "    3  a limit was reached before some verdict; nothing else is wrong"
    "    4  a run was not deterministic, or did not match its repro"
    "   70  ftsim itself failed"
    "  130  interrupted; finished results are written"
    "The --help of each command lists its statuses. A reader that closes the pipe early, as in"
    "`| head`, does not change the status."
};
const EXIT_RUN: &str = exit_status! {
    "    0  all expectations are met"
    "    1  some expectation is not met"
    "    2  usage error, unusable file, or output that cannot be written"
    "    3  a limit was reached before some verdict; nothing else is wrong"
    "    4  with --check-determinism: the two executions of a run differ"
    "   70  ftsim itself failed"
    "  130  interrupted; finished results are written"
};
const EXIT_MERGE: &str = exit_status! {
    "    0  all expectations are met"
    "    1  some expectation is not met"
    "    2  usage error, results that cannot be merged, or output that cannot be written"
    "    3  a limit was reached before some verdict; nothing else is wrong"
    "    4  a run executed again differs from what its shard recorded"
    "   70  ftsim itself failed"
};
const EXIT_REPORT: &str = exit_status! {
    "    0  the page is written, whatever the results are"
    "    2  usage error, results that cannot be read, or output that cannot be written"
    "   70  ftsim itself failed"
};
const EXIT_REPLAY: &str = exit_status! {
    "    0  the run is shown, whatever its verdicts are"
    "    2  usage error, unusable file, or output that cannot be written"
    "    4  the run does not match its repro"
    "   70  ftsim itself failed"
};
const EXIT_RECORD: &str = exit_status! {
    "    0  the run is recorded, whatever its verdicts are"
    "    2  usage error, unusable file, or output that cannot be written"
    "    4  the run does not match its repro"
    "   70  ftsim itself failed"
    "  130  interrupted; nothing is written"
};
const EXIT_SHRINK: &str = exit_status! {
    "    0  the scenario is written"
    "    1  no run violates the property to preserve"
    "    2  usage error, unusable file, or output that cannot be written"
    "   70  ftsim itself failed"
    "  130  interrupted; the smallest scenario so far is written"
};
const EXIT_STRESS: &str = exit_status! {
    "    0  nothing fell; with --beyond: every protocol fell"
    "    1  something fell; with --beyond: some protocol did not fall"
    "    2  usage error, or output that cannot be written"
    "   70  ftsim itself failed, or the trace of a run is wrong"
    "  130  interrupted; finished results are written"
};
const EXIT_CLASSIFY: &str = exit_status! {
    "    0  the table is written, whatever it says"
    "    2  usage error, parts that cannot be merged, or output that cannot be written"
    "    3  a limit was reached before some verdict, and that leaves a class open"
    "   70  ftsim itself failed"
    "  130  interrupted; finished rows are written"
};
const EXIT_COMPARE: &str = exit_status! {
    "    0  the table is written, whatever it says"
    "    2  usage error, unusable file, or output that cannot be written"
    "   70  ftsim itself failed"
    "  130  interrupted; finished protocols are written"
};
const EXIT_EXPLORE: &str = exit_status! {
    "    0  all expectations are met: what should be violated is, and all else was seen to hold"
    "    1  some expectation is not met"
    "    2  usage error, unusable file, or output that cannot be written"
    "    3  the search was cut off before it was over; nothing else is wrong"
    "   70  ftsim itself failed"
    "  130  interrupted; what was seen until then is written"
};
const EXIT_EXPLAIN: &str = exit_status! {
    "    0  the story is written"
    "    1  the run violates no property, or not the selected one"
    "    2  usage error, unusable file, or output that cannot be written"
    "    4  the run does not match its repro"
    "   70  ftsim itself failed"
    "  130  interrupted"
};
const EXIT_BRANCH: &str = exit_status! {
    "    0  no future violates what the scenario does not expect; with --moment: the curve is shown"
    "    1  some future does; with --moment: the run violates no property, or not the selected one"
    "    2  usage error, unusable file, or output that cannot be written"
    "    3  a limit was reached before some verdict; nothing else is wrong"
    "    4  the run does not match its repro"
    "   70  ftsim itself failed"
    "  130  interrupted; nothing is written"
};
const EXIT_DIFF: &str = exit_status! {
    "    0  the two runs are identical"
    "    1  they differ"
    "    2  usage error, unusable file, or output that cannot be written"
    "   70  ftsim itself failed"
};
const EXIT_NUMBERS: &str = exit_status! {
    "    0  every number is as the literature says"
    "    1  some number is not"
    "    2  usage error, or output that cannot be written"
    "   70  ftsim itself failed"
};
const EXIT_CHECK: &str = exit_status! {
    "    0  every file is a valid scenario"
    "    2  usage error, unusable file, or output that cannot be written"
    "   70  ftsim itself failed"
};
const EXIT_CHECK_HISTORY: &str = exit_status! {
    "    0  the history is linearizable"
    "    1  it is not"
    "    2  usage error, unusable file, or output that cannot be written"
    "    3  the search was cut off at its limit; nothing else is wrong"
    "   70  ftsim itself failed"
};
const EXIT_PRINT: &str = exit_status! {
    "    0  the output is written"
    "    2  usage error, unusable file, or output that cannot be written"
    "   70  ftsim itself failed"
};

/// Run fault-tolerance protocols under injected faults and check their properties.
#[derive(Debug, Parser)]
#[command(name = "ftsim", version, after_help = EXIT_ALL)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios and compare the results with their expectations
    #[command(after_help = EXIT_RUN)]
    Run(RunArgs),
    /// Run many seeds and write the results, with a repro for each kind of failure
    #[command(after_help = EXIT_RUN)]
    Sweep(SweepArgs),
    /// Merge the shards of a sweep into one result
    #[command(after_help = EXIT_MERGE)]
    Merge(MergeArgs),
    /// Show the results of a sweep on a page for a browser, and compare them with others
    #[command(after_help = EXIT_REPORT)]
    Report(ReportArgs),
    /// Run one seed and show its settings, trace and verdicts
    #[command(after_help = EXIT_REPLAY)]
    Replay(ReplayArgs),
    /// Run one seed of any length and write its events to a file as it executes
    #[command(after_help = EXIT_RECORD)]
    Record(RecordArgs),
    /// Show a run that `ftsim record` wrote, as `ftsim replay` shows a run
    #[command(after_help = EXIT_PRINT)]
    Show(ShowArgs),
    /// Reduce a failing run to a minimal scenario that fails in the same way
    #[command(after_help = EXIT_SHRINK)]
    Shrink(ShrinkArgs),
    /// Run random scenarios within the model of a protocol, or just beyond it
    #[command(after_help = EXIT_STRESS)]
    Stress(StressArgs),
    /// Measure in which classes of faults a protocol is safe, live, both or neither
    #[command(after_help = EXIT_CLASSIFY)]
    Classify(ClassifyArgs),
    /// Run one scenario under several protocols and show beside each other what they cost
    #[command(after_help = EXIT_COMPARE)]
    Compare(CompareArgs),
    /// Explore all runs of a small scenario, up to the order of what commutes
    #[command(after_help = EXIT_EXPLORE)]
    Explore(ExploreArgs),
    /// Explain a violation: the events that led to it, and the faults it needs
    #[command(after_help = EXIT_EXPLAIN)]
    Explain(ExplainArgs),
    /// Make other futures of a run from one of its steps, or find the step in which it went wrong
    #[command(after_help = EXIT_BRANCH)]
    Branch(BranchArgs),
    /// Show the first event in which two runs differ, and the states around it
    #[command(after_help = EXIT_DIFF)]
    Diff(DiffArgs),
    /// Check scenario files without running them
    #[command(after_help = EXIT_CHECK)]
    Check(CheckArgs),
    /// Judge a history from outside, Jepsen's for example: is it linearizable?
    #[command(after_help = EXIT_CHECK_HISTORY)]
    CheckHistory(CheckHistoryArgs),
    /// List the protocols
    #[command(after_help = EXIT_PRINT)]
    List(ListArgs),
    /// Describe a protocol: model, parameters, properties, mutants
    #[command(after_help = EXIT_PRINT)]
    Describe(DescribeArgs),
    /// Measure what protocols cost, beside what the literature says
    #[command(after_help = EXIT_NUMBERS)]
    Numbers(NumbersArgs),
    /// Write the skeleton of a protocol or a scenario
    #[command(after_help = EXIT_PRINT)]
    New(NewArgs),
    /// Print the JSON schema of scenario files
    #[command(after_help = EXIT_PRINT)]
    Schema,
    /// Print the completions of commands and options for a shell
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
    /// Write a page for each protocol to DIR, with a run of each mutant
    #[arg(long, value_name = "DIR", conflicts_with = "format")]
    html: Option<PathBuf>,
    /// Take the runs of the pages from these scenarios; default: `scenarios`, if there is such a
    /// folder
    #[arg(value_name = "FILE", requires = "html")]
    files: Vec<PathBuf>,
}

/// Arguments of `ftsim describe`.
#[derive(Debug, Args)]
struct DescribeArgs {
    /// Describe this protocol
    #[arg(value_name = "PROTOCOL")]
    protocol: String,
    /// Write the description as FORMAT
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// The whole program: parses the arguments, executes the command and returns the exit status.
#[expect(clippy::needless_pass_by_value, reason = "a program hands over its catalogue")]
pub fn main(catalogue: Catalogue) -> ExitCode {
    ExitCode::from(main_with(std::env::args_os(), &catalogue))
}

/// Like [`main`], with these arguments; the first is the name of the program.
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
            complain("ftsim failed, which is a bug");
            Exit::Internal
        }
    };
    exit as u8
}

/// Prints the help that the user requested, or a usage error.
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

/// Reports why a command failed.
fn failed(failure: &Failure) -> Exit {
    match failure {
        Failure::Internal(error) => {
            complain(&format!("ftsim failed, which is a bug: {error}"));
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
        Command::Report(args) => report::report(args, catalogue, out),
        Command::Replay(args) => replay::replay(args, catalogue, out),
        Command::Record(args) => record::record(args, catalogue, out),
        Command::Show(args) => show::show(args, catalogue, out),
        Command::Shrink(args) => shrink::shrink(args, catalogue, out),
        Command::Stress(args) => stress::stress(args, catalogue, out),
        Command::Classify(args) => classify::classify(args, catalogue, out),
        Command::Compare(args) => compare::compare(args, catalogue, out),
        Command::Explore(args) => explore::explore(args, catalogue, out),
        Command::Explain(args) => explain::explain(args, catalogue, out),
        Command::Branch(args) => branch::branch(args, catalogue, out),
        Command::Diff(args) => diff::diff(args, catalogue, out),
        Command::Check(args) => check::check(args, catalogue, out),
        Command::CheckHistory(args) => check_history::check_history(args, out),
        Command::Numbers(args) => numbers::numbers(args, catalogue, page(false), out),
        Command::New(args) => new::new(args, catalogue, out),
        Command::Completions(args) => shell::completions(args, Cli::command(), out),
        Command::Man => shell::man(Cli::command(), out),
        Command::List(ListArgs { html: Some(folder), files, .. }) => {
            textbook::write(folder, files, catalogue)
        }
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
