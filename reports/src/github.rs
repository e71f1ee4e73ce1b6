//! Sweeps in GitHub Actions: annotations in the output, and a summary of the step.

use std::io::{self, Write};

use crate::foreign::{Medium, foreign, line};
use crate::layout::counted;
use crate::sweep::SweepReport;

/// Writes an annotation for each surprise, and for each regression seed that fails again.
///
/// # Errors
/// Errors of `out`.
pub fn write_annotations(out: &mut impl Write, reports: &[SweepReport]) -> io::Result<()> {
    for report in reports {
        let property = |text: &str| foreign(text, Medium::AnnotationProperty).into_owned();
        let data = |text: &str| foreign(text, Medium::Annotation).into_owned();
        let file = property(&report.scenario.file);
        for surprise in &report.scenario.surprises {
            let title = property(&format!("{}: {}", report.name, surprise.subject));
            let (text, replay) = (data(&surprise.message), data(&surprise.replay));
            writeln!(out, "::error file={file},title={title}::{text}%0Areplay: {replay}")?;
        }
        for row in report.scenario.regressions.iter().filter(|row| !row.now.is_empty()) {
            let title = property(&format!("{}: seed {} fails again", report.name, row.seed));
            let (text, replay) = (data(&row.now.join(", ")), data(&row.replay));
            writeln!(out, "::error file={file},title={title}::{text}%0Areplay: {replay}")?;
        }
    }
    Ok(())
}

/// Writes the summary of the step, in Markdown; `results` is the folder of all results.
///
/// # Errors
/// Errors of `out`.
pub fn write_step_summary(
    out: &mut impl Write,
    reports: &[SweepReport],
    results: &str,
) -> io::Result<()> {
    let cell = |text: &str| foreign(text, Medium::Markdown).into_owned();
    writeln!(out, "### ftsim sweep\n")?;
    writeln!(out, "| scenario | seeds | runs | failed | not as expected | |")?;
    writeln!(out, "|---|---|---:|---:|---:|---|")?;
    for report in reports {
        let seeds = report.scenario.seeds;
        let runs = report.scenario.crash_points.unwrap_or_else(|| seeds.count());
        writeln!(
            out,
            "| {} | {}..{} | {runs} | {} | {} | {} |",
            cell(&report.scenario.file),
            seeds.from,
            seeds.until,
            report.failing,
            report.unexpected,
            if report.scenario.as_expected { "as expected" } else { "**not as expected**" },
        )?;
    }
    let unexpected = reports.iter().flat_map(|report| {
        let groups = report.groups.iter().filter(|group| !group.expected);
        groups.map(move |group| (report, group))
    });
    for (report, group) in unexpected {
        writeln!(
            out,
            "\n**{}**: {} in {}: {}\n",
            cell(&report.name),
            cell(&group.property),
            counted(group.runs, "run"),
            cell(&group.signature)
        )?;
        for example in &group.examples {
            writeln!(out, "    {}", line(&report.replay(results, example)))?;
        }
    }
    for report in reports {
        for surprise in &report.scenario.surprises {
            let (name, subject) = (cell(&report.name), cell(&surprise.subject));
            writeln!(out, "\n**{name}**: {subject} {}\n", cell(&surprise.message))?;
            writeln!(out, "    {}", line(&surprise.replay))?;
        }
    }
    Ok(())
}
