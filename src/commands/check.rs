//! `ftsim check`: checks whether files are runnable scenarios.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use ftsim_protocols::Catalogue;
use ftsim_reports::{counted, line};

use crate::cli::{Exit, Failure, Out, load, scenario_files, tell};

/// Arguments of `ftsim check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Check these scenario files, and all scenario files in these folders
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print errors and warnings only
    #[arg(long, short)]
    quiet: bool,
}

/// Checks scenario files.
pub fn check(args: &CheckArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    let mut exit = Exit::Good;
    for path in scenario_files(&args.files) {
        match load(&path, catalogue) {
            Ok(scenario) => {
                if !args.quiet {
                    let warnings = scenario.warnings.len() as u64;
                    let with = match warnings {
                        0 => String::new(),
                        count => format!(", with {}", counted(count, "warning")),
                    };
                    writeln!(out, "{}: ok{with}", line(&scenario.path))?;
                }
                out.flush()?;
                tell(&scenario.warnings);
            }
            Err(diagnostics) => {
                exit = Exit::BadInput;
                out.flush()?;
                tell(&diagnostics);
            }
        }
    }
    Ok(exit)
}
