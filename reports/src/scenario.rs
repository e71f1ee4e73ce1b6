//! Scenarios over their seeds: a row each, then what was not expected.

use std::io::{self, Write};

use ftsim_core::{Kind, PropertyId};
use serde::Serialize;

use crate::figures::{Figures, write_figures, write_heading};
use crate::style::{BAD, FAINT, GOOD, STRONG, UNKNOWN};

/// What came of a scenario.
#[derive(Clone, Debug, Serialize)]
pub struct ScenarioReport {
    /// The scenario file, as the user named it.
    pub file: String,
    /// The protocol.
    pub protocol: &'static str,
    /// The mutant, if one was run.
    pub mutant: Option<String>,
    /// The seeds.
    pub seeds: SeedRange,
    /// Instead of the seeds: how many crash points of the first one were run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crash_points: Option<u64>,
    /// The properties that were checked, in the order of the spec's table.
    pub properties: Vec<PropertyRow>,
    /// The labels that were reached, in the order of the alphabet.
    pub reached: Vec<ReachedRow>,
    /// The digests of all runs, folded in the order of their seeds.
    pub digest: String,
    /// How processes and operations fared in all runs together, if that was added up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub figures: Option<Figures>,
    /// What became of the seeds that once failed. They count nowhere else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regressions: Vec<RegressionRow>,
    /// Whether there is no surprise, and no seed that once failed fails again.
    pub as_expected: bool,
    /// What was not expected.
    pub surprises: Vec<Surprise>,
}

/// A half-open range of seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SeedRange {
    /// The first.
    pub from: u64,
    /// The first that is none of them.
    pub until: u64,
}

/// What came of one property: in how many seeds.
#[derive(Clone, Debug, Serialize)]
pub struct PropertyRow {
    /// Its name.
    pub name: PropertyId,
    /// Safety or liveness.
    pub kind: Kind,
    /// It held, and its premise came true.
    pub held: u64,
    /// Its premise never came true.
    pub vacuous: u64,
    /// It was violated.
    pub violated: u64,
    /// A limit came first, or its assumptions were never granted.
    pub undecided: u64,
    /// The first seed that violated it.
    pub first_violating_seed: Option<u64>,
    /// Whether the scenario expects a violation.
    pub violation_expected: bool,
    /// Whether the scenario expects that it is left undecided.
    pub undecided_expected: bool,
}

/// A label that was reached.
#[derive(Clone, Debug, Serialize)]
pub struct ReachedRow {
    /// The label.
    pub label: String,
    /// In how many seeds.
    pub seeds: u64,
}

/// What became of a seed that once failed.
#[derive(Clone, Debug, Serialize)]
pub struct RegressionRow {
    /// The seed.
    pub seed: u64,
    /// Its crash point, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crash_point: Option<String>,
    /// What it once violated.
    pub once: Vec<String>,
    /// What it violates now, unexpected.
    pub now: Vec<String>,
    /// The command that shows it.
    pub replay: String,
}

/// Something that was not expected.
#[derive(Clone, Debug, Serialize)]
pub struct Surprise {
    /// Of what kind.
    pub kind: SurpriseKind,
    /// The property, the label or the fault.
    pub subject: String,
    /// What happened, or did not.
    pub message: String,
    /// A seed that shows it, if one does.
    pub seed: Option<u64>,
    /// The command that shows it.
    pub replay: String,
}

/// Kinds of surprise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SurpriseKind {
    /// A handler panicked.
    Panicked,
    /// A property was violated.
    Violated,
    /// A property was expected to be violated, and was not.
    NotViolated,
    /// A property could not be judged.
    Undecided,
    /// A property was expected to be left undecided, and never was.
    NotUndecided,
    /// A property's premise never came true.
    NotExercised,
    /// A property's premise came true, and was expected not to.
    Exercised,
    /// A label was not reached.
    NotReached,
    /// A fault never struck.
    Unfired,
}

impl SeedRange {
    /// How many.
    pub const fn count(self) -> u64 {
        self.until.saturating_sub(self.from)
    }
}

impl ScenarioReport {
    /// Whether nothing worse happened than that properties could not be judged.
    pub fn is_only_undecided(&self) -> bool {
        let undecided = |s: &Surprise| s.kind == SurpriseKind::Undecided;
        let only = !self.surprises.is_empty() && self.surprises.iter().all(undecided);
        only && self.regressions.iter().all(|row| row.now.is_empty())
    }

    /// What held and what did not, in a few words.
    fn verdicts(&self) -> String {
        let mut held = 0;
        let mut parts = Vec::new();
        for property in &self.properties {
            let PropertyRow { name, violated, undecided, .. } = property;
            if *violated > 0 {
                let expected = if property.violation_expected { ", as expected" } else { "" };
                parts.push(format!("{name} violated in {violated}{expected}"));
            } else if *undecided > 0 {
                let expected = if property.undecided_expected { ", as expected" } else { "" };
                parts.push(format!("{name} undecided in {undecided}{expected}"));
            } else if property.held > 0 {
                held += 1;
            } else {
                parts.push(format!("{name} vacuous"));
            }
        }
        if held > 0 || parts.is_empty() {
            parts.insert(0, format!("{held} held"));
        }
        parts.join("; ")
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

/// A row for each scenario, what was not expected, and a summary.
///
/// # Errors
/// Those of `out`.
pub fn write_text(out: &mut impl Write, reports: &[ScenarioReport]) -> io::Result<()> {
    let protocol = |report: &ScenarioReport| match &report.mutant {
        Some(mutant) => format!("{} ({mutant})", report.protocol),
        None => report.protocol.to_owned(),
    };
    let widest = |text: &dyn Fn(&ScenarioReport) -> usize| reports.iter().map(text).max();
    let word_width = widest(&|r| r.word().0.len()).unwrap_or(0);
    let file_width = widest(&|r| r.file.chars().count()).unwrap_or(0);
    let protocol_width = widest(&|r| protocol(r).chars().count()).unwrap_or(0);
    let seeds_width = widest(&|r| seeds_text(r).len()).unwrap_or(0);
    for report in reports {
        let (word, style) = report.word();
        writeln!(
            out,
            "{style}{word:word_width$}{style:#}  {:file_width$}  {:protocol_width$}  \
             {:>seeds_width$}  {}",
            report.file,
            protocol(report),
            seeds_text(report),
            report.verdicts(),
        )?;
    }
    for report in reports {
        for surprise in &report.surprises {
            let (_, style) = report.word();
            let Surprise { subject, message, replay, .. } = surprise;
            writeln!(out)?;
            writeln!(
                out,
                "{STRONG}{}{STRONG:#}: {style}{subject}{style:#} {message}",
                report.file
            )?;
            writeln!(out, "{FAINT}replay:{FAINT:#} {replay}")?;
        }
    }
    for report in reports {
        write_regressions(out, report)?;
    }
    summary(out, reports)
}

/// The figures of each scenario.
///
/// # Errors
/// Those of `out`.
pub fn write_scenario_figures(out: &mut impl Write, reports: &[ScenarioReport]) -> io::Result<()> {
    let figured = reports.iter().filter_map(|report| Some((report, report.figures.as_ref()?)));
    for (report, figures) in figured {
        writeln!(out)?;
        write_heading(out, &report.file, figures.dependability.run_count)?;
        write_figures(out, figures)?;
    }
    Ok(())
}

fn write_regressions(out: &mut impl Write, report: &ScenarioReport) -> io::Result<()> {
    if !report.regressions.is_empty() {
        writeln!(out)?;
    }
    for row in &report.regressions {
        let (file, once, seed) = (&report.file, row.once.join(", "), row.seed);
        write!(out, "{STRONG}{file}{STRONG:#}: ")?;
        if row.now.is_empty() {
            writeln!(out, "seed {seed}, which once violated {once}, does not any more")?;
        } else {
            let now = row.now.join(", ");
            writeln!(out, "{BAD}seed {seed} violates {now}{BAD:#}, and once violated {once}")?;
            writeln!(out, "{FAINT}replay:{FAINT:#} {}", row.replay)?;
        }
    }
    Ok(())
}

fn summary(out: &mut impl Write, reports: &[ScenarioReport]) -> io::Result<()> {
    if reports.is_empty() {
        return Ok(());
    }
    let runs: u64 = reports
        .iter()
        .map(|report| report.crash_points.unwrap_or_else(|| report.seeds.count()))
        .sum();
    let unexpected = reports.iter().filter(|report| !report.as_expected).count();
    let expected = reports.len() - unexpected;
    let scenarios = if reports.len() == 1 { "scenario" } else { "scenarios" };
    write!(out, "\n{} {scenarios}, {runs} runs: {expected} as expected", reports.len())?;
    if unexpected > 0 {
        write!(out, ", {BAD}{unexpected} not{BAD:#}")?;
    }
    writeln!(out)
}

fn seeds_text(report: &ScenarioReport) -> String {
    let seeds = report.seeds;
    if let Some(count) = report.crash_points {
        return format!("{count} crash points");
    }
    match seeds.count() {
        1 => format!("seed {}", seeds.from),
        count if seeds.from == 1 => format!("{count} seeds"),
        _ => format!("seeds {}..{}", seeds.from, seeds.until),
    }
}

/// The same facts as one JSON object.
///
/// # Errors
/// Those of `out`.
pub fn write_json(out: &mut impl Write, reports: &[ScenarioReport]) -> io::Result<()> {
    #[derive(Serialize)]
    struct Document<'a> {
        schema: u32,
        scenarios: &'a [ScenarioReport],
    }
    serde_json::to_writer_pretty(&mut *out, &Document { schema: 1, scenarios: reports })?;
    writeln!(out)
}
