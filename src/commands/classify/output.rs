//! The table as text, Markdown or JSON.

use std::io::Write;

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use ftsim_reports::{TableRow, counted, line};

use crate::classify::{Class, Explored, Row, Table, Tolerance};
use crate::cli::screen::Form;
use crate::cli::{Failure, Out, page};

/// The format of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    /// Text, a line for each row.
    Text,
    /// A table in Markdown, a line for each protocol.
    Markdown,
    /// One JSON object.
    Json,
}

/// Writes the table.
pub fn write(
    out: &mut Out,
    table: &Table,
    format: TableFormat,
    quiet: bool,
) -> Result<(), Failure> {
    out.begin(if format == TableFormat::Json { Form::Data } else { Form::Text })?;
    match format {
        TableFormat::Text => write_text(out, &table.rows, quiet)?,
        TableFormat::Markdown => write_markdown(out, &table.rows)?,
        TableFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, table).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
    }
    Ok(out.flush()?)
}

fn write_text(out: &mut Out, rows: &[Row], quiet: bool) -> std::io::Result<()> {
    let head = ["class", "protocol", "faults", "faulty", "not safe", "not live", "violated"];
    let mut lines = vec![TableRow::from(head.map(str::to_owned))];
    lines
        .extend(rows.iter().map(|row| TableRow { style: style(row.tolerance), cells: cells(row) }));
    page(quiet).write_table(out, &lines)
}

const fn style(tolerance: Tolerance) -> Style {
    match tolerance {
        Tolerance::Masking => AnsiColor::Green.on_default(),
        Tolerance::Intolerant => AnsiColor::Red.on_default().bold(),
        Tolerance::FailSafe
        | Tolerance::NonMasking
        | Tolerance::Undecided
        | Tolerance::Untested => AnsiColor::Yellow.on_default(),
        Tolerance::NotApplicable => Style::new().dimmed(),
    }
}

fn cells(row: &Row) -> [String; 7] {
    let faulty = row.faulty.map(|faulty| format!("{faulty} of {}", row.candidates));
    let rates = match row.why {
        None => [row.not_safe, row.not_live].map(|share| share.rate().to_string()),
        Some(_) => [(); 2].map(|()| String::new()),
    };
    let [not_safe, not_live] = rates;
    let violated = row.violated_names();
    let violated = match (&row.why, row.undecided) {
        (Some(why), _) => why.clone(),
        (None, 0) if violated.is_empty() => "nothing".to_owned(),
        (None, 0) => violated.join(", "),
        (None, undecided) => {
            let count = format!("{undecided} undecided");
            violated.into_iter().chain([count.as_str()]).collect::<Vec<_>>().join(", ")
        }
    };
    let untested = untested(row);
    let explored = row.explored.as_ref();
    let explored = explored.map(|one| explored_as(one, row.violated.is_empty()));
    let explored = explored.unwrap_or_default();
    let violated = format!("{violated}{untested}{explored}");
    [
        row.tolerance.to_string(),
        line(&row.protocol).into_owned(),
        row.faults.to_string(),
        faulty.unwrap_or_default(),
        not_safe,
        not_live,
        line(&violated).into_owned(),
    ]
}

/// `; not tested: cons.agreement`, or nothing if the premises of all properties came true.
fn untested(row: &Row) -> String {
    let untested = row.judged.iter().filter(|one| !one.is_tested);
    let names: Vec<&str> = untested.map(|one| one.property.as_str()).collect();
    if names.is_empty() { String::new() } else { format!("; not tested: {}", names.join(", ")) }
}

/// `; proved for n = 3: 1 crash; time is free (65 runs)`, or what an exploration found instead.
fn explored_as(explored: &Explored, held: bool) -> String {
    let Explored { processes, budget, runs, is_all, violated } = explored;
    let world = format!("n = {processes}: {budget}");
    let runs = counted(*runs, "run");
    match violated.as_slice() {
        [] if *is_all && held => format!("; proved for {world} ({runs})"),
        [] if *is_all => format!("; but nothing, proved for {world} ({runs})"),
        [] => format!("; not all explored for {world} ({runs})"),
        found => {
            let names: Vec<&str> = found.iter().map(|found| found.property.as_str()).collect();
            format!("; explored {world}: violates {}", names.join(", "))
        }
    }
}

fn write_markdown(out: &mut Out, rows: &[Row]) -> std::io::Result<()> {
    let mut classes: Vec<Class> = rows.iter().map(|row| row.faults).collect();
    classes.sort_unstable();
    classes.dedup();
    let names: Vec<String> = classes.iter().map(ToString::to_string).collect();
    writeln!(out, "| protocol | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len()))?;
    let mut rest = rows;
    while let Some(first) = rest.first() {
        let is_same = |row: &Row| row.protocol == first.protocol;
        let end = rest.iter().position(|row| !is_same(row)).unwrap_or(rest.len());
        let (own, others) = rest.split_at(end);
        let cells = classes
            .iter()
            .map(|class| cell(&own.iter().filter(|row| row.faults == *class).collect::<Vec<_>>()));
        let cells: Vec<String> = cells.collect();
        writeln!(out, "| `{}` | {} |", line(&first.protocol), cells.join(" | "))?;
        rest = others;
    }
    writeln!(
        out,
        "\nM: masking, F: fail-safe, N: non-masking, I: intolerant, U: undecided, ?: untested, –: \
         not applicable. Numbers are those of the faulty processes; without them, it is the same \
         for all that were tried."
    )
}

/// `M1–2 F3`: what the protocol is with which numbers of faulty processes.
fn cell(rows: &[&Row]) -> String {
    let mut groups: Vec<(char, Option<u32>, Option<u32>)> = Vec::new();
    for row in rows {
        let letter = letter(row.tolerance);
        match groups.last_mut() {
            Some((same, _, last)) if *same == letter => *last = row.faulty,
            _ => groups.push((letter, row.faulty, row.faulty)),
        }
    }
    let text = |(letter, first, last): &(char, Option<u32>, Option<u32>)| match (first, last) {
        _ if groups.len() == 1 => letter.to_string(),
        (Some(first), Some(last)) if first < last => format!("{letter}{first}–{last}"),
        (Some(first), _) => format!("{letter}{first}"),
        _ => letter.to_string(),
    };
    groups.iter().map(text).collect::<Vec<_>>().join(" ")
}

const fn letter(tolerance: Tolerance) -> char {
    match tolerance {
        Tolerance::Masking => 'M',
        Tolerance::FailSafe => 'F',
        Tolerance::NonMasking => 'N',
        Tolerance::Intolerant => 'I',
        Tolerance::Undecided => 'U',
        Tolerance::Untested => '?',
        Tolerance::NotApplicable => '–',
    }
}
