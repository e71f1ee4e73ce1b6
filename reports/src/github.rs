//! Sweeps as GitHub Actions shows them: annotations on the output, and a summary of the step.

use std::io::{self, Write};

use crate::sweep::SweepReport;

/// An annotation for each scenario's surprises, and for each seed that fails again.
///
/// # Errors
/// Those of `out`.
pub fn write_annotations(out: &mut impl Write, reports: &[SweepReport]) -> io::Result<()> {
    for report in reports {
        let file = property(&report.scenario.file);
        for surprise in &report.scenario.surprises {
            let title = property(&format!("{}: {}", report.name, surprise.subject));
            let text = data(&format!("{}\nreplay: {}", surprise.message, surprise.replay));
            writeln!(out, "::error file={file},title={title}::{text}")?;
        }
        for row in report.scenario.regressions.iter().filter(|row| !row.now.is_empty()) {
            let title = property(&format!("{}: seed {} fails again", report.name, row.seed));
            let text = data(&format!("{}\nreplay: {}", row.now.join(", "), row.replay));
            writeln!(out, "::error file={file},title={title}::{text}")?;
        }
    }
    Ok(())
}

/// The summary of the step, in Markdown; `results` is the folder of all results.
///
/// # Errors
/// Those of `out`.
pub fn write_step_summary(
    out: &mut impl Write,
    reports: &[SweepReport],
    results: &str,
) -> io::Result<()> {
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
            "\n**{}**: {} in {} runs: {}\n",
            report.name,
            group.property,
            group.runs,
            cell(&group.signature)
        )?;
        for example in &group.examples {
            writeln!(out, "    {}", report.replay(results, example))?;
        }
    }
    for report in reports {
        for surprise in &report.scenario.surprises {
            let message = cell(&surprise.message);
            writeln!(out, "\n**{}**: {} {message}\n", report.name, surprise.subject)?;
            writeln!(out, "    {}", surprise.replay)?;
        }
    }
    Ok(())
}

/// Text of an annotation.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property of an annotation.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Text in a table: what Markdown would read as its own is escaped.
fn cell(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => escaped.push(' '),
            '|' | '*' | '_' | '`' | '<' | '#' | '[' | '\\' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{cell, data, property};

    #[test]
    fn what_github_reads_as_its_own_is_escaped() {
        assert_eq!(data("50 %\nof a: b"), "50 %25%0Aof a: b");
        assert_eq!(property("a: b, c"), "a%3A b%2C c");
        assert_eq!(cell("p# | a_b\n<c>"), "p\\# \\| a\\_b \\<c>");
    }
}
