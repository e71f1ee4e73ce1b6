//! The story of a violation as text: the steps that led to it, each with its cause.

use std::collections::BTreeMap;
use std::io::{self, Write};

use ftsim_core::{ProcessId, PropertyKind};

use crate::foreign::line;
use crate::layout::Page;
use crate::step_text::{list, rounded, words};
use crate::story::{Row, Standing, Story};
use crate::style::{BAD, FAINT, STRONG, UNKNOWN};
use crate::waiting;

/// The maximum number of lines for steps; the others are folded.
const LINE_COUNT_MAX: usize = 44;
/// The same for liveness properties, where waiting processes are listed as well.
const LINE_COUNT_MAX_LIVENESS: usize = 34;

/// Writes the story, without the results of removing faults.
///
/// # Errors
/// Errors of `out`.
pub fn write_story(out: &mut impl Write, story: &Story<'_>, page: Page) -> io::Result<()> {
    let violated = story.violated;
    let head = format!("VIOLATED  {}  ", violated.property);
    page.write_prose(out, (BAD, &head), &violated.sentence)?;
    let plain = anstyle::Style::new();
    page.write_prose(out, (plain, "how       "), &line(&violated.message))?;
    let by = match violated.witnesses.as_slice() {
        [] => String::new(),
        witnesses => format!(", by {}", list(witnesses)),
    };
    let shown = match violated.is_judged_in_the_end(story.trace) {
        true => "judged at the end of the run, at",
        false => "shown at",
    };
    let when = format!("{shown} {}, in step {}{by}", rounded(violated.at), violated.step);
    page.write_prose(out, (plain, "when      "), &when)?;
    writeln!(out)?;
    let (past, all) = (story.past_count(), story.causality.steps.len());
    writeln!(
        out,
        "{STRONG}What led to it{STRONG:#} ({past} of {all} steps are in its causal past)"
    )?;
    let lines = fitting(story, page);
    if lines.iter().any(|line| line.starts_with("x ")) {
        let legend = "x: not in its past, but a fault, or a message that did not arrive in time";
        page.write_line(out, (plain, ""), &format!("{FAINT}{legend}{FAINT:#}"))?;
    }
    writeln!(out)?;
    for line in lines {
        let style = match line.get(..2) {
            Some("x ") => UNKNOWN,
            Some("> ") => BAD,
            _ if line.trim_start().starts_with('…') => FAINT,
            _ => anstyle::Style::new(),
        };
        writeln!(out, "{style}{line}{style:#}")?;
    }
    if violated.kind == PropertyKind::Liveness {
        writeln!(out)?;
        waiting::write_waiting(out, story, page)?;
    }
    Ok(())
}

/// As many rows as fit, the nearest to the violation first.
fn fitting(story: &Story<'_>, page: Page) -> Vec<String> {
    let most = match story.violated.kind {
        PropertyKind::Safety => LINE_COUNT_MAX,
        PropertyKind::Liveness => LINE_COUNT_MAX_LIVENESS,
    };
    let mut count = story.rows.len().min(most);
    loop {
        let lines = lines(story, &story.nearest(count), page);
        if lines.len() <= most || count <= 1 {
            return lines;
        }
        count -= 1;
    }
}

/// These rows, and the number of folded ones between them.
fn lines(story: &Story<'_>, told: &[usize], page: Page) -> Vec<String> {
    let mut lines = Vec::new();
    let mut next = 0;
    let ends = told.iter().copied().map(Some).chain([None]);
    for end in ends {
        let folded = &story.rows[next..end.unwrap_or(story.rows.len())];
        lines.extend(fold(folded));
        if let Some(index) = end {
            lines.extend(row(story, &story.rows[index], page));
            next = index + 1;
        }
    }
    lines
}

/// One line for rows that are omitted.
fn fold(rows: &[Row]) -> Option<String> {
    let mut counts: BTreeMap<Option<ProcessId>, usize> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.standing == Standing::Past) {
        *counts.entry(row.process).or_default() += row.steps.len();
    }
    let count: usize = counts.values().sum();
    let each = counts.iter().map(|(process, count)| match process {
        Some(p) => format!("{count} of {p}"),
        None => format!("{count} of the network"),
    });
    let each = words(&each.collect::<Vec<_>>());
    match count {
        0 => None,
        1 => Some(format!("         … one more step: {each}")),
        _ => Some(format!("         … {count} more steps: {each}")),
    }
}

/// A row, over as many lines as it needs.
fn row(story: &Story<'_>, row: &Row, page: Page) -> Vec<String> {
    let first = &story.causality.steps[row.steps[0]];
    let who = row.process.map_or_else(|| "network".to_owned(), |p| p.to_string());
    let mark = match row.standing {
        Standing::Past if row.steps.iter().any(|step| story.is_root(*step)) => '>',
        Standing::Past => ' ',
        Standing::Fault | Standing::Missing => 'x',
    };
    let mut text = row.text.clone();
    if let [_, .., last] = row.steps.as_slice() {
        let last = &story.causality.steps[*last];
        let again = match row.steps.len() - 1 {
            1 => "once".to_owned(),
            count => format!("{count} times"),
        };
        let until = rounded(last.at);
        text.push_str(&format!(" — repeated {again}, until step {} at {until}", last.number));
    }
    let head =
        format!("{mark} {:04}  {:>7}  {who:3} ", first.number, rounded(first.at).to_string());
    page.wrapped(&head, &text)
}
