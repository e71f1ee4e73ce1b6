//! The results of a sweep: counts with confidence intervals, groups of failures, and the paths of
//! the repros.

use std::io::{self, Write};

use ftsim_core::PropertyId;
use serde::Serialize;

use crate::foreign::{self, calm_json, line, shell_word};
use crate::interval::Rate;
use crate::layout::{Page, counted};
use crate::program::program;
use crate::scenario::{ScenarioReport, SeedRange, write_text};
use crate::style::{BAD, FAINT, STRONG};
use crate::traffic::write_traffic;

/// The results of a sweep over one scenario.
#[derive(Clone, Debug, Serialize)]
pub struct SweepReport {
    /// The name of the scenario, and of the folder with its results.
    pub name: String,
    /// The version of ftsim.
    pub ftsim: String,
    /// All seeds of the sweep, including those of other shards; `scenario.seeds` are those that
    /// were run.
    pub asked: SeedRange,
    /// The shard, such as `2/4`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard: Option<String>,
    /// The strategy that chose the steps of each run, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
    /// Counts, surprises, digest.
    pub scenario: ScenarioReport,
    /// The number of runs that failed, expected or not.
    pub failing: u64,
    /// The number of runs that failed unexpectedly.
    pub unexpected: u64,
    /// The rates of the verdicts on each property.
    pub rates: Vec<RateRow>,
    /// The groups of failures, unexpected ones first.
    pub groups: Vec<GroupRow>,
}

/// The rates of the verdicts on a property; `held` excludes runs in which its premise never came
/// true.
#[derive(Clone, Debug, Serialize)]
pub struct RateRow {
    /// The property.
    pub property: PropertyId,
    /// It held.
    pub held: Rate,
    /// It was violated.
    pub violated: Rate,
    /// It was undecided.
    pub undecided: Rate,
}

/// A group of equal failures.
#[derive(Clone, Debug, Serialize)]
pub struct GroupRow {
    /// The property, or `panicked`.
    pub property: String,
    /// The common shape of the messages.
    pub signature: String,
    /// Whether the scenario expects it.
    pub expected: bool,
    /// The number of runs.
    pub runs: u64,
    /// The first runs.
    pub examples: Vec<ExampleRow>,
    /// The smallest shrunk example, in the folder of the scenario's results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shrunk: Option<String>,
    /// The story of the smallest shrunk example.
    #[serde(skip)]
    pub story: Option<String>,
}

/// A run that shows a failure.
#[derive(Clone, Debug, Serialize)]
pub struct ExampleRow {
    /// Its seed.
    pub seed: u64,
    /// Its crash point, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crash_point: Option<String>,
    /// The violation.
    pub message: String,
    /// Its repro, in the folder of the scenario's results, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repro: Option<String>,
}

impl SweepReport {
    /// The command that replays an example; `results` is the folder of all results.
    pub fn replay(&self, results: &str, example: &ExampleRow) -> String {
        match &example.repro {
            Some(file) => format!("{} replay {}", program(), shell_word(&self.path(results, file))),
            None => self.explored(example.seed),
        }
    }

    /// The command that makes the run of this seed again, if a strategy chooses its steps.
    pub fn explored(&self, seed: u64) -> String {
        let (file, end) = (shell_word(&self.scenario.file), seed.saturating_add(1));
        let strategy = self.strategy.as_deref().unwrap_or_default();
        format!("{} sweep {file} --strategy {strategy} --seeds {seed}..{end} --out DIR", program())
    }

    /// The path of one of its files.
    pub fn path(&self, results: &str, file: &str) -> String {
        format!("{}/{}/{file}", results.trim_end_matches('/'), self.name)
    }
}

/// Writes the rows of `run`, then the additional results of a sweep; `results` is the folder of all
/// results.
///
/// # Errors
/// Errors of `out`.
pub fn write_sweep_text(
    out: &mut impl Write,
    reports: &[SweepReport],
    results: &str,
    page: Page,
) -> io::Result<()> {
    let scenarios: Vec<ScenarioReport> = reports.iter().map(|r| r.scenario.clone()).collect();
    write_text(out, &scenarios, &[], page)?;
    for report in reports.iter().filter(|report| !(page.quiet && report.scenario.as_expected)) {
        writeln!(out)?;
        let SeedRange { from, until } = report.asked;
        let shard = report.shard.as_ref().map(|s| format!(", shard {s}")).unwrap_or_default();
        let file = line(&report.scenario.file);
        write!(out, "{STRONG}{file}{STRONG:#}: seeds {from}..{until}{shard}")?;
        if let Some(strategy) = &report.strategy {
            write!(out, ", by {strategy}")?;
        }
        let (failing, unexpected) = (counted(report.failing, "run"), report.unexpected);
        writeln!(out, ": {failing} failed, {unexpected} of them not as expected")?;
        let width = report.rates.iter().map(|row| row.property.0.len()).max().unwrap_or(0);
        for RateRow { property, held, violated, undecided } in &report.rates {
            write!(out, "{property:width$}  held {held}; violated {violated}")?;
            let undecided = Some(undecided).filter(|rate| rate.count > 0);
            writeln!(out, "{}", undecided.map(|u| format!("; undecided {u}")).unwrap_or_default())?;
        }
        report.scenario.traffic.iter().try_for_each(|traffic| write_traffic(out, traffic))?;
        for group in &report.groups {
            let GroupRow { property, signature, runs, examples, shrunk, story, .. } = group;
            let (style, how) = if group.expected { (FAINT, ", as expected") } else { (BAD, "") };
            let runs = counted(*runs, "run");
            let head = format!("{} in {runs}{how}: ", line(property));
            page.write_line(out, (style, &head), &line(signature))?;
            if let Some(shrunk) = shrunk {
                let run =
                    format!("{} run {}", program(), shell_word(&report.path(results, shrunk)));
                writeln!(out, "{FAINT}shrunk:{FAINT:#} {run}")?;
            }
            // An expected failure is not explained here; its file contains the story anyway.
            for line in story.iter().filter(|_| !group.expected).flat_map(|story| story.lines()) {
                writeln!(out, "{}", format!("    {}", foreign::line(line)).trim_end())?;
            }
            for example in examples {
                writeln!(out, "{FAINT}replay:{FAINT:#} {}", report.replay(results, example))?;
            }
        }
        let path = report.path(results, "results.jsonl");
        writeln!(out, "{FAINT}results:{FAINT:#} {}", line(&path))?;
    }
    Ok(())
}

/// Writes the results of one scenario as a JSON object.
///
/// # Errors
/// Errors of `out`.
pub fn write_sweep_json(out: &mut impl Write, report: &SweepReport) -> io::Result<()> {
    #[derive(Serialize)]
    struct Document<'a> {
        schema: u32,
        sweep: &'a SweepReport,
    }
    let json = serde_json::to_string_pretty(&Document { schema: 1, sweep: report })?;
    writeln!(out, "{}", calm_json(&json, &[]))
}
