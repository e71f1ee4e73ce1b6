//! Scenarios by properties: each cell leads to the section of its scenario. Scenarios that share no
//! property with the others, not even through a third one, have a table of their own: it would be a
//! block of one that is empty everywhere else.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::{ShownSweep, bars, section_id};
use crate::foreign::line;
use crate::scenario::PropertyRow;
use crate::sweep::RateRow;

/// A cell: a property of a scenario.
struct Cell<'s> {
    row: &'s PropertyRow,
    rates: &'s RateRow,
}

/// What a cell says first: the worst that happened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Finding {
    Violated,
    ViolatedAsExpected,
    Undecided,
    Held,
    Vacuous,
}

impl Finding {
    const fn class(self) -> &'static str {
        match self {
            Self::Violated => "violated",
            Self::ViolatedAsExpected => "expected",
            Self::Undecided => "undecided",
            Self::Held => "held",
            Self::Vacuous => "vacuous",
        }
    }

    /// A mark that is told from the others without colours.
    const fn mark(self) -> &'static str {
        match self {
            Self::Violated => "✗",
            Self::ViolatedAsExpected => "(✗)",
            Self::Undecided => "?",
            Self::Held => "✓",
            Self::Vacuous => "–",
        }
    }
}

impl Cell<'_> {
    const fn finding(&self) -> Finding {
        match self.row {
            row if row.violated > 0 && row.violation_expected => Finding::ViolatedAsExpected,
            row if row.violated > 0 => Finding::Violated,
            row if row.undecided > 0 => Finding::Undecided,
            row if row.held > 0 => Finding::Held,
            _ => Finding::Vacuous,
        }
    }

    /// The share of the runs that the mark is about; none is said where nothing happened.
    fn share(&self) -> Option<String> {
        let (count, total) = match self.finding() {
            Finding::Violated | Finding::ViolatedAsExpected => {
                (self.row.violated, self.rates.violated.total)
            }
            Finding::Undecided => (self.row.undecided, self.rates.undecided.total),
            Finding::Held => (self.row.held, self.rates.held.total),
            Finding::Vacuous => return None,
        };
        Some(percent(count, total))
    }

    /// All counts, with intervals.
    fn title(&self, scenario: &str) -> String {
        let RateRow { held, violated, undecided, .. } = self.rates;
        let expected = if self.row.violation_expected { ", as expected" } else { "" };
        let mut title = format!("{} in {scenario}: held {held}", self.row.name);
        title.push_str(&format!("; violated {violated}"));
        if violated.count > 0 {
            title.push_str(expected);
        }
        if undecided.count > 0 {
            title.push_str(&format!("; undecided {undecided}"));
        }
        if self.row.vacuous > 0 {
            title.push_str(&format!("; vacuous in {}", self.row.vacuous));
        }
        title
    }
}

/// A share in whole per cent; some is not shown as none, and nearly all not as all.
fn percent(count: u64, total: u64) -> String {
    let total = total.max(1);
    match (u128::from(count) * 200 / u128::from(total)).div_ceil(2) {
        0 if count > 0 => "< 1 %".to_owned(),
        100 if count < total => "> 99 %".to_owned(),
        whole => format!("{whole} %"),
    }
}

/// A scenario with its place on the page.
type Placed<'s> = (usize, &'s ShownSweep);

/// The names of the properties that a scenario judges.
fn judged(sweep: &ShownSweep) -> impl Iterator<Item = &'static str> {
    sweep.report.scenario.properties.iter().map(|row| row.name.0)
}

/// The scenarios of each table, in order.
fn tables(sweeps: &[ShownSweep]) -> Vec<Vec<Placed<'_>>> {
    let mut tables: Vec<(BTreeSet<&str>, Vec<Placed<'_>>)> = Vec::new();
    for placed in sweeps.iter().enumerate() {
        let names: BTreeSet<&str> = judged(placed.1).collect();
        let meets = |(known, _): &(BTreeSet<&str>, _)| !known.is_disjoint(&names);
        let (met, mut apart): (Vec<_>, Vec<_>) = tables.into_iter().partition(meets);
        let mut joined = (names.clone(), vec![placed]);
        for (known, placed) in met {
            joined.0.extend(known);
            joined.1.extend(placed);
        }
        joined.1.sort_by_key(|(index, _)| *index);
        apart.push(joined);
        tables = apart;
    }
    let mut tables: Vec<Vec<Placed<'_>>> = tables.into_iter().map(|(_, placed)| placed).collect();
    tables.sort_by_key(|table| table.first().map(|(index, _)| *index));
    tables
}

/// The properties of these scenarios, in the order in which they first occur.
fn columns(sweeps: &[Placed<'_>]) -> Vec<&'static str> {
    let mut columns: Vec<&'static str> = Vec::new();
    for name in sweeps.iter().flat_map(|(_, sweep)| judged(sweep)) {
        if !columns.contains(&name) {
            columns.push(name);
        }
    }
    // Those of one problem stand together.
    let first = |column: &str| columns.iter().position(|other| split(other).0 == split(column).0);
    let mut together = columns.clone();
    together.sort_by_key(|column| first(column));
    together
}

/// The problem and the rest of a property's name: `rb` and `agreement`.
fn split(property: &str) -> (&str, &str) {
    property.split_once('.').unwrap_or(("", property))
}

/// The problems of these columns, each with the number of its columns.
fn problems(columns: &[&'static str]) -> Vec<(&'static str, usize)> {
    let mut problems: Vec<(&str, usize)> = Vec::new();
    for column in columns {
        match problems.last_mut() {
            Some((problem, count)) if *problem == split(column).0 => *count += 1,
            _ => problems.push((split(column).0, 1)),
        }
    }
    problems
}

/// The tables; nothing for a single scenario, whose own table says it all.
pub fn section(sweeps: &[ShownSweep]) -> Markup {
    html! {
        @if sweeps.len() > 1 {
            section {
                h2 { "Scenarios by properties" }
                (key())
                @for table in tables(sweeps) { (drawn(&table)) }
            }
        }
    }
}

fn drawn(sweeps: &[Placed<'_>]) -> Markup {
    let columns = columns(sweeps);
    html! {
        div.matrix tabindex="0" role="region" aria-label="Scenarios by properties" {
            table {
                thead {
                    tr { td {} @for (problem, count) in problems(&columns) {
                        th scope="colgroup" colspan=(count) { (line(problem)) } } }
                    tr { th scope="col" { "scenario" }
                        @for column in &columns {
                            th scope="col" title=(line(column)) { (line(split(column).1)) } } }
                }
                tbody { @for (index, sweep) in sweeps { (row(*index, sweep, &columns)) } }
            }
        }
    }
}

/// The row of a scenario.
fn row(index: usize, sweep: &ShownSweep, columns: &[&str]) -> Markup {
    let report = &sweep.report;
    let link = format!("#{}", section_id(index));
    let cell = |column: &&str| {
        let mut rows = report.scenario.properties.iter().zip(&report.rates);
        rows.find(|(row, _)| row.name.0 == *column).map(|(row, rates)| Cell { row, rates })
    };
    html! {
        tr {
            th scope="row" { a href=(link) { (line(&report.name)) }
                @if let Some(shard) = &report.shard { " " small { "shard " (shard) } }
                @if !report.scenario.as_expected { " " strong.red { "✗" } } }
            @for column in columns {
                @match cell(column) {
                    None => td {},
                    Some(cell) => td class=(cell.finding().class()) {
                        @let title = cell.title(&line(&report.name));
                        a href=(link) title=(title) aria-label=(title) {
                            span.mark { (cell.finding().mark()) }
                            @if let Some(share) = cell.share() { " " (share) }
                            (bars::strip(cell.row))
                        }
                    },
                }
            }
        }
    }
}

/// What the marks mean.
fn key() -> Markup {
    let entry = |finding: Finding, text: &str| {
        html! { span.entry { span.mark.(finding.class()) { (finding.mark()) } " " (text) } }
    };
    html! {
        p.legend {
            (entry(Finding::Held, "held in this share of the runs, vacuous in the others"))
            (entry(Finding::ViolatedAsExpected, "violated, as expected"))
            (entry(Finding::Violated, "violated"))
            (entry(Finding::Undecided, "undecided"))
            (entry(Finding::Vacuous, "vacuous in all runs"))
        }
    }
}
