//! Output of sweeps for CI services: a JUnit file, and GitHub Actions annotations.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use ftsim_reports::{SweepReport, write_annotations, write_junit, write_step_summary};

use crate::cli::screen::Form;
use crate::cli::{Failure, Out};
use crate::files::at;
use crate::files::write_whole;

/// Writes the JUnit file, if one is requested; inside GitHub Actions, also annotations and the step
/// summary.
///
/// # Errors
/// If a file cannot be written.
pub fn write(
    junit: Option<&Path>,
    out: &mut Out,
    reports: &[SweepReport],
    results: &str,
) -> Result<(), Failure> {
    if let Some(path) = junit {
        let mut xml = Vec::new();
        write_junit(&mut xml, reports, results)?;
        write_whole(path, &xml)?;
    }
    if variable("GITHUB_ACTIONS").as_deref() == Some("true") {
        out.begin(Form::Commands)?;
        write_annotations(out, reports)?;
        out.begin(Form::Text)?;
        if let Some(path) = variable("GITHUB_STEP_SUMMARY") {
            let path = Path::new(&path);
            let mut summary = Vec::new();
            write_step_summary(&mut summary, reports, results)?;
            // Earlier commands of the step may have written to it.
            let mut file = at(path, File::options().create(true).append(true).open(path))?;
            at(path, file.write_all(&summary))?;
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a CI service identifies itself in the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
