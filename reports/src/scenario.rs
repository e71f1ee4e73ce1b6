//! Scenarios over their seeds: a row each, then the unexpected results.

use std::io::{self, Write};
use std::ops::Range;

use ftsim_core::{PropertyId, PropertyKind};
use serde::{Deserialize, Serialize};

use crate::figures::{Figures, write_figures, write_heading};
use crate::foreign::line;
use crate::layout::{Page, TableRow, counted};
use crate::statistic::{Judgement, StatisticRow};
use crate::style::{BAD, FAINT, GOOD, STRONG, UNKNOWN};
use crate::traffic::{Traffic, write_traffic};

/// The results of a scenario.
#[derive(Clone, Debug, Serialize)]
pub struct ScenarioReport {
    /// The scenario file, as the user named it.
    pub file: String,
    /// The protocol.
    pub protocol: &'static str,
    /// The mutant, if any.
    pub mutant: Option<String>,
    /// The seeds.
    pub seeds: SeedRange,
    /// The number of crash points that were run, if every crash point is run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crash_points: Option<u64>,
    /// The properties that were checked, in the order of the spec's table.
    pub properties: Vec<PropertyRow>,
    /// The labels that were reached, in alphabetical order.
    pub reached: Vec<ReachedRow>,
    /// The digests of all runs, folded in the order of their seeds.
    pub digest: String,
    /// The dependability figures of all runs together, if they were summed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub figures: Option<Figures>,
    /// The cost of the runs; `None` if there were no runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic: Option<Traffic>,
    /// The claims about all runs together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statistics: Vec<StatisticRow>,
    /// The results of the regression seeds, which count nowhere else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regressions: Vec<RegressionRow>,
    /// Whether there is no surprise, and no regression seed fails again.
    pub as_expected: bool,
    /// The unexpected results.
    pub surprises: Vec<Surprise>,
}

/// A half-open range of seeds, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedRange {
    /// The first seed.
    pub from: u64,
    /// The seed after the last.
    pub until: u64,
}

/// The results for one property, as numbers of seeds.
#[derive(Clone, Debug, Serialize)]
pub struct PropertyRow {
    /// Its name.
    pub name: PropertyId,
    /// Safety or liveness.
    pub kind: PropertyKind,
    /// It held, and its premise came true.
    pub held: u64,
    /// Its premise never came true.
    pub vacuous: u64,
    /// It was violated.
    pub violated: u64,
    /// A limit was reached first, or its assumptions were never met.
    pub undecided: u64,
    /// The first seed that violated it.
    pub first_violating_seed: Option<u64>,
    /// Whether the scenario expects a violation.
    pub violation_expected: bool,
    /// Whether the scenario expects that it is undecided.
    pub undecided_expected: bool,
}

/// A label that was reached.
#[derive(Clone, Debug, Serialize)]
pub struct ReachedRow {
    /// The label.
    pub label: String,
    /// The number of seeds.
    pub seeds: u64,
}

/// The result of a regression seed.
#[derive(Clone, Debug, Serialize)]
pub struct RegressionRow {
    /// The seed.
    pub seed: u64,
    /// Its crash point, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crash_point: Option<String>,
    /// The properties that it once violated.
    pub once: Vec<String>,
    /// The properties that it now violates unexpectedly.
    pub now: Vec<String>,
    /// The command that replays it.
    pub replay: String,
}

/// An unexpected result.
#[derive(Clone, Debug, Serialize)]
pub struct Surprise {
    /// Its kind.
    pub kind: SurpriseKind,
    /// The property, the label or the fault.
    pub subject: String,
    /// A description.
    pub message: String,
    /// A seed that shows it, if one does.
    pub seed: Option<u64>,
    /// The command that replays it.
    pub replay: String,
}

/// The kinds of surprises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SurpriseKind {
    /// A handler panicked.
    Panicked,
    /// A property was violated.
    Violated,
    /// A property was expected to be violated, but was not.
    NotViolated,
    /// A property was undecided.
    Undecided,
    /// A property was expected to be undecided, but never was.
    NotUndecided,
    /// A property's premise never came true.
    NotExercised,
    /// A property's premise came true although it was expected not to.
    Exercised,
    /// A label was not reached.
    NotReached,
    /// A fault never struck.
    Unfired,
    /// A claim about all runs together is refuted.
    Refuted,
    /// There are too few runs to judge a claim about all of them together.
    Open,
}

impl SurpriseKind {
    /// Whether results of further seeds could remove it.
    pub const fn needs_all_seeds(self) -> bool {
        match self {
            Self::NotViolated
            | Self::NotUndecided
            | Self::NotExercised
            | Self::NotReached
            | Self::Unfired
            | Self::Refuted
            | Self::Open => true,
            Self::Panicked | Self::Violated | Self::Undecided | Self::Exercised => false,
        }
    }
}

impl From<Range<u64>> for SeedRange {
    fn from(seeds: Range<u64>) -> Self {
        Self { from: seeds.start, until: seeds.end }
    }
}

impl SeedRange {
    /// The seeds.
    pub const fn range(self) -> Range<u64> {
        self.from..self.until
    }

    /// The number of seeds.
    pub const fn count(self) -> u64 {
        self.until.saturating_sub(self.from)
    }
}

impl ScenarioReport {
    /// Removes the surprises that further seeds could remove, because not all seeds were run.
    pub fn keep_what_stands(&mut self) {
        self.surprises.retain(|surprise| !surprise.kind.needs_all_seeds());
        self.as_expected = self.surprises.is_empty();
    }

    /// Removes what the scenario says about its own faults and drawn times, because a strategy has
    /// chosen the steps of its runs: what should be undecided, vacuous, reached or strike, and
    /// claims about all runs together.
    pub fn keep_what_is_explored(&mut self) {
        self.surprises.retain(|surprise| {
            matches!(
                surprise.kind,
                SurpriseKind::Panicked
                    | SurpriseKind::Violated
                    | SurpriseKind::NotViolated
                    | SurpriseKind::Undecided
            )
        });
        self.statistics.clear();
        self.as_expected = self.surprises.is_empty();
    }

    /// Whether all surprises are undecided properties, or claims for which there are too few runs.
    pub fn is_only_undecided(&self) -> bool {
        let undecided =
            |s: &Surprise| matches!(s.kind, SurpriseKind::Undecided | SurpriseKind::Open);
        let only = !self.surprises.is_empty() && self.surprises.iter().all(undecided);
        only && self.regressions.iter().all(|row| row.now.is_empty())
    }

    /// A short summary of the verdicts.
    fn verdicts(&self) -> String {
        let mut held = 0;
        let mut parts = Vec::new();
        for property in &self.properties {
            let PropertyRow { name, violated, undecided, .. } = property;
            if *violated > 0 {
                let expected = if property.violation_expected { ", as expected" } else { "" };
                let first = self.first_to_replay(property);
                parts.push(format!("{name} violated in {violated}{first}{expected}"));
            } else if *undecided > 0 {
                let expected = if property.undecided_expected { ", as expected" } else { "" };
                parts.push(format!("{name} undecided in {undecided}{expected}"));
            } else if property.held > 0 {
                held += 1;
            } else {
                parts.push(format!("{name} vacuous"));
            }
        }
        for row in self.statistics.iter().filter(|row| row.judgement == Judgement::Confirmed) {
            parts.push(format!("{}: {row}", row.claim));
        }
        if held > 0 || parts.is_empty() {
            parts.insert(0, format!("{held} held"));
        }
        parts.join("; ")
    }

    /// The first seed with an expected violation, if it is not the first one of all: nothing else
    /// tells which seed to replay.
    fn first_to_replay(&self, property: &PropertyRow) -> String {
        match property.first_violating_seed {
            Some(seed) if property.violation_expected && seed != self.seeds.from => {
                format!(" (first in seed {seed})")
            }
            _ => String::new(),
        }
    }

    fn word(&self) -> (&'static str, anstyle::Style) {
        if self.as_expected {
            ("ok", GOOD)
        } else if self.is_only_undecided() {
            ("undecided", UNKNOWN)
        } else {
            ("UNEXPECTED", BAD)
        }
    }
}

/// Writes a row for each scenario, the unexpected results, and a summary; `unusable` are the files
/// that could not be run.
///
/// # Errors
/// Errors of `out`.
pub fn write_text(
    out: &mut impl Write,
    reports: &[ScenarioReport],
    unusable: &[String],
    page: Page,
) -> io::Result<()> {
    let shown: Vec<&ScenarioReport> =
        reports.iter().filter(|report| !(page.quiet && report.as_expected)).collect();
    if page.quiet && shown.is_empty() && unusable.is_empty() {
        return Ok(());
    }
    let seeds_width = shown.iter().map(|report| seeds_text(report).len()).max().unwrap_or(0);
    let row = |report: &&ScenarioReport| {
        let (word, style) = report.word();
        let protocol = match &report.mutant {
            Some(mutant) => format!("{} ({mutant})", report.protocol),
            None => report.protocol.to_owned(),
        };
        let cells = [
            word.to_owned(),
            line(&report.file).into_owned(),
            line(&protocol).into_owned(),
            format!("{:>seeds_width$}", seeds_text(report)),
            report.verdicts(),
        ];
        TableRow { style, cells }
    };
    page.write_table(out, &shown.iter().map(row).collect::<Vec<_>>())?;
    for report in reports {
        for surprise in &report.surprises {
            let (_, style) = report.word();
            let (file, subject) = (line(&report.file), line(&surprise.subject));
            writeln!(out)?;
            let head = format!("{file}: ");
            let text = format!("{style}{subject}{style:#} {}", line(&surprise.message));
            page.write_line(out, (STRONG, &head), &text)?;
            writeln!(out, "{FAINT}replay:{FAINT:#} {}", line(&surprise.replay))?;
        }
    }
    for report in reports {
        write_regressions(out, report, page)?;
    }
    write_summary(out, reports, unusable, page)
}

/// Writes the figures of each scenario.
///
/// # Errors
/// Errors of `out`.
pub fn write_scenario_figures(out: &mut impl Write, reports: &[ScenarioReport]) -> io::Result<()> {
    let figured = reports.iter().filter_map(|report| Some((report, report.figures.as_ref()?)));
    for (report, figures) in figured {
        writeln!(out)?;
        write_heading(out, &report.file, figures.dependability.run_count)?;
        write_figures(out, figures)?;
        report.traffic.iter().try_for_each(|traffic| write_traffic(out, traffic))?;
    }
    Ok(())
}

fn write_regressions(out: &mut impl Write, report: &ScenarioReport, page: Page) -> io::Result<()> {
    let shown = || report.regressions.iter().filter(|row| !(page.quiet && row.now.is_empty()));
    if shown().next().is_some() {
        writeln!(out)?;
    }
    for row in shown() {
        let (once, seed) = (line(&row.once.join(", ")).into_owned(), row.seed);
        let head = format!("{}: ", line(&report.file));
        if row.now.is_empty() {
            let text = format!("seed {seed} once violated {once}, and no longer does");
            page.write_line(out, (STRONG, &head), &text)?;
        } else {
            let now = row.now.join(", ");
            let text = format!("{BAD}seed {seed} violates {now}{BAD:#}, and once violated {once}");
            page.write_line(out, (STRONG, &head), &text)?;
            writeln!(out, "{FAINT}replay:{FAINT:#} {}", line(&row.replay))?;
        }
    }
    Ok(())
}

/// The maximum number of scenarios that the summary names.
const NAMED_MAX: usize = 20;

fn write_summary(
    out: &mut impl Write,
    reports: &[ScenarioReport],
    unusable: &[String],
    page: Page,
) -> io::Result<()> {
    let unexpected: Vec<&str> = reports
        .iter()
        .filter(|report| !report.as_expected)
        .map(|report| report.file.as_str())
        .collect();
    if !reports.is_empty() {
        let runs = reports
            .iter()
            .map(|report| report.crash_points.unwrap_or_else(|| report.seeds.count()))
            .sum();
        let expected = reports.len() - unexpected.len();
        let (scenarios, runs) = (counted(reports.len() as u64, "scenario"), counted(runs, "run"));
        write!(out, "\n{scenarios}, {runs}: {expected} as expected")?;
        if !unexpected.is_empty() {
            write!(out, ", {BAD}{} not{BAD:#}", unexpected.len())?;
        }
        writeln!(out)?;
    }
    // The name of a single scenario has already been printed.
    if reports.len() > 1 {
        write_names(out, "not as expected: ", &unexpected, page)?;
    }
    let unusable: Vec<&str> = unusable.iter().map(String::as_str).collect();
    write_names(out, "unusable: ", &unusable, page)
}

fn write_names(out: &mut impl Write, head: &str, names: &[&str], page: Page) -> io::Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let mut list: Vec<String> =
        names.iter().take(NAMED_MAX).map(|name| line(name).into_owned()).collect();
    if let more @ 1.. = names.len().saturating_sub(NAMED_MAX) {
        list.push(format!("and {more} more"));
    }
    page.write_line(out, (BAD, head), &list.join(", "))
}

fn seeds_text(report: &ScenarioReport) -> String {
    let seeds = report.seeds;
    if let Some(count) = report.crash_points {
        let of = match seeds.count() {
            1 => String::new(),
            seeds => format!(" of {seeds} seeds"),
        };
        return format!("{}{of}", counted(count, "crash point"));
    }
    match seeds.count() {
        1 => format!("seed {}", seeds.from),
        count if seeds.from == 1 => format!("{count} seeds"),
        _ => format!("seeds {}..{}", seeds.from, seeds.until),
    }
}

/// Writes the reports as one JSON object.
///
/// # Errors
/// Errors of `out`.
pub fn write_json(out: &mut impl Write, reports: &[ScenarioReport]) -> io::Result<()> {
    #[derive(Serialize)]
    struct Document<'a> {
        schema: u32,
        scenarios: &'a [ScenarioReport],
    }
    serde_json::to_writer_pretty(&mut *out, &Document { schema: 1, scenarios: reports })?;
    writeln!(out)
}
