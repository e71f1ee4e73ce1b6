//! Regression seeds: seeds that once failed, listed beside the scenario and run before all others.
//!
//! The file for `scenarios/x.toml` is `scenarios/regressions/x.toml`.

use crate::files::at;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ftsim_reports::{RegressionRow, ScenarioReport, program, shell_word};
use serde::Deserialize;

use crate::cli::{Failure, REGRESSIONS};
use crate::files::write_whole;
use crate::journal::FileLock;
use crate::run;
use crate::run::failing_run::FailingRun;
use crate::run::{Repeat, RunError};
use crate::scenario::Scenario;
use crate::scenario::crash_point::CrashPoint;
use crate::scenario::seeds::SEED_MAX;
use crate::sweep::results::{GroupExample, RegressionLine, SweepState};

/// The regression seeds of a scenario.
pub struct Regressions {
    path: PathBuf,
    /// The text of the file; empty if there is none.
    text: String,
    seeds: Vec<OnceFailed>,
}

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RegressionFile {
    seed: Vec<OnceFailed>,
}

/// A seed that once failed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnceFailed {
    seed: u64,
    crash_point: Option<CrashPoint>,
    violated: Vec<String>,
}

impl Regressions {
    /// Reads the regression seeds of a scenario; none if there is no file.
    ///
    /// # Errors
    /// If the file cannot be read or parsed.
    pub fn of(scenario: &Scenario) -> Result<Self, Failure> {
        let folder = Path::new(&scenario.path).parent().unwrap_or(Path::new(""));
        let regressions =
            Self::read(folder.join(REGRESSIONS).join(format!("{}.toml", scenario.name())))?;
        let beyond = regressions.seeds.iter().find(|once| once.seed > SEED_MAX);
        if let Some(once) = beyond {
            let (path, seed) = (regressions.path.display(), once.seed);
            return Err(Failure::BadFile(format!("{path}: seed {seed}: seeds end at {SEED_MAX}")));
        }
        let bad =
            |once: &&OnceFailed| once.crash_point.is_some() != scenario.crash_points.is_some();
        if let Some(once) = regressions.seeds.iter().find(bad) {
            let has = if once.crash_point.is_some() {
                "has a crash point"
            } else {
                "lacks its crash point"
            };
            let (path, seed) = (regressions.path.display(), once.seed);
            return Err(Failure::BadFile(format!("{path}: seed {seed} {has}")));
        }
        Ok(regressions)
    }

    fn read(path: PathBuf) -> Result<Self, Failure> {
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            read => at(&path, read)?,
        };
        let wrong = |error: toml::de::Error| {
            let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count() + 1);
            Failure::BadFile(format!("{}:{line}: {}", path.display(), error.message()))
        };
        let file: RegressionFile = toml::from_str(&text).map_err(wrong)?;
        Ok(Self { path, text, seeds: file.seed })
    }

    /// Runs the regression seeds.
    ///
    /// # Errors
    /// If ftsim fails, or if runs are repeated and differ.
    pub fn run(
        &self,
        scenario: &Scenario,
        repeat: Repeat,
    ) -> Result<Vec<RegressionLine>, RunError> {
        let run = |once: &OnceFailed| {
            let outcome = run::run_one(scenario, once.seed, once.crash_point, repeat)?;
            let failing = FailingRun::of(&scenario.expect, &outcome, once.crash_point);
            let failures = failing.map(|run| run.failures).unwrap_or_default();
            let now = failures.into_iter().filter(|failed| !failed.expected);
            Ok(RegressionLine {
                seed: once.seed,
                crash_point: once.crash_point,
                once: once.violated.clone(),
                now: now.map(|failed| failed.property).collect(),
            })
        };
        self.seeds.iter().map(run).collect()
    }

    /// Adds the examples of unexpected failures that are not listed yet.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, account: &SweepState) -> Result<(), Failure> {
        let folder = self.path.parent().expect("the file is in a folder");
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let unexpected = |example: &&GroupExample| {
            !account.unexpected_of(example.seed, example.crash_point).is_empty()
        };
        let examples: Vec<_> = account.examples().into_iter().filter(unexpected).collect();
        if examples.is_empty() {
            return Ok(());
        }
        at(folder, std::fs::create_dir_all(folder))?;
        // Another sweep may be adding its own failures, or may have done so since this one began.
        let _lock = FileLock::take(folder.join(format!(".{name}.lock")))?;
        let Self { text: before, seeds: listed, .. } = Self::read(self.path.clone())?;
        let mut text = before.clone();
        for example in examples {
            let (seed, point) = (example.seed, example.crash_point);
            let failed = account.unexpected_of(seed, point);
            if listed.iter().any(|once| once.seed == seed && once.crash_point == point) {
                continue;
            }
            if text.is_empty() {
                text.push_str(
                    "# Seeds that once failed; `ftsim run` and `sweep` run them first.\n",
                );
            }
            let point = point.map(|p| format!("crash_point = \"{p}\"\n")).unwrap_or_default();
            write!(text, "\n[[seed]]\nseed = {seed}\n{point}violated = {failed:?}\n")
                .expect("writing to a string cannot fail");
        }
        if text != before {
            write_whole(&self.path, text.as_bytes())?;
        }
        Ok(())
    }
}

/// Adds the results of the regression seeds to the report of their scenario.
pub fn add(report: &mut ScenarioReport, scenario: &Scenario, lines: &[RegressionLine]) {
    let row = |line: &RegressionLine| {
        let (file, seed) = (shell_word(&scenario.path), line.seed);
        let point = line.crash_point.map(|point| point.to_string());
        let flag = point.as_ref().map(|p| format!(" --crash-point {p}")).unwrap_or_default();
        RegressionRow {
            seed,
            crash_point: point,
            once: line.once.clone(),
            now: line.now.clone(),
            replay: format!("{} replay {file} --seed {seed}{flag}", program()),
        }
    };
    report.regressions = lines.iter().map(row).collect();
    report.as_expected &= lines.iter().all(|line| line.now.is_empty());
}
