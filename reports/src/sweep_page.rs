//! The page of a sweep: its verdict, its scenarios by properties, its failures with their stories
//! and drawings, and the cost of its runs. It needs no script.

mod axis;
mod bars;
mod comparison;
mod curves;
mod matrix;
mod quantity;
mod series;
mod struck;

use std::io::{self, Write};

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::diagram::Diagram;
use crate::drawing::{self, Size};
use crate::foreign::{line, shell_word};
use crate::layout::{counted, with_separators};
use crate::page::hash;
use crate::program::program;
use crate::scenario::PropertyRow;
use crate::step_text::shortened;
use crate::sweep::{GroupRow, RateRow, SweepReport};
pub use comparison::{Change, Compared, Comparison, headline};
pub use curves::Curve;
pub use quantity::{Measure, Over, Quantity};
pub use series::{Point, Series};
pub use struck::{FaultRow, Phase, StruckFaults};

/// What a page of a sweep shows.
pub struct SweepPage {
    /// The folder of the results, as the user named it.
    pub folder: String,
    /// The sweeps over its scenarios.
    pub sweeps: Vec<ShownSweep>,
    /// The scenarios that differ in one parameter only.
    pub series: Vec<Series>,
    /// What has changed since another sweep.
    pub against: Option<Comparison>,
}

/// A sweep over one scenario.
pub struct ShownSweep {
    /// Its report.
    pub report: SweepReport,
    /// The summary of its scenario.
    pub summary: Option<String>,
    /// For each fault of the scenario: the fault, and the number of runs in which it struck.
    pub faults: Vec<(String, u64)>,
    /// The faults of all its plans, by kind and victim; `None` if there are none.
    pub struck: Option<StruckFaults>,
    /// The number of runs.
    pub runs: u64,
    /// The distributions of latencies, outages and costs.
    pub curves: Vec<Curve>,
    /// How many operations were requested, and how many of them were answered.
    pub operations: (u64, u64),
    /// The failures that are shown as pictures, by their places in the report.
    pub pictures: Vec<Picture>,
}

/// A failure as a picture.
pub struct Picture {
    /// The place of the group in the report.
    pub group: usize,
    /// The run.
    pub diagram: Diagram,
    /// The page of the whole run, relative to this one.
    pub page: String,
}

/// The maximum length of a signature that is shown.
const SIGNATURE_LENGTH_MAX: usize = 240;

const STYLE: &str = include_str!("sweep_page/style.css");

/// Writes the page.
///
/// # Errors
/// Errors of `out`.
pub fn write_sweep_page(out: &mut impl Write, page: &SweepPage) -> io::Result<()> {
    let style = format!("{STYLE}{}", drawing::STYLE);
    let policy = format!(
        "default-src 'none'; style-src '{}'; base-uri 'none'; form-action 'none'",
        hash(&style)
    );
    let verdict = verdict(page);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Sweep: " (verdict) }
                style { (PreEscaped(&style)) }
            }
            body {
                header {
                    h1 { (verdict) }
                    (commands(page))
                }
                main {
                    @if let Some(against) = &page.against { (comparison::section(against)) }
                    (matrix::section(&page.sweeps))
                    (table(page))
                    (failures(page))
                    (series::section(&page.series, &page.sweeps))
                    (figures(page))
                    (struck::section(&page.sweeps))
                    (reached(page))
                }
                footer { p { "Made by " code { (program()) " report" } ", ftsim "
                    (env!("CARGO_PKG_VERSION")) ". Intervals are Clopper and Pearson's, 95 %." } }
            }
        }
    };
    out.write_all(page.into_string().as_bytes())
}

/// The result in one line.
fn verdict(page: &SweepPage) -> String {
    let runs: u64 = page.sweeps.iter().map(|sweep| sweep.runs).sum();
    let wrong = page.sweeps.iter().filter(|sweep| !sweep.report.scenario.as_expected).count();
    let scenarios = counted(page.sweeps.len() as u64, "scenario");
    let runs =
        if runs == 1 { "1 run".to_owned() } else { format!("{} runs", with_separators(runs)) };
    match wrong {
        0 => format!("{scenarios}, {runs}: all as expected"),
        _ => format!("{wrong} of {scenarios} not as expected, in {runs}"),
    }
}

/// The commands that made the results.
fn commands(page: &SweepPage) -> Markup {
    let commands = page.sweeps.iter().map(|sweep| {
        let SweepReport { scenario, asked, shard, .. } = &sweep.report;
        let shard = shard.as_ref().map_or_else(String::new, |shard| format!(" --shard {shard}"));
        let (file, out) = (shell_word(&scenario.file), shell_word(&page.folder));
        let seeds = format!("{}..{}", asked.from, asked.until);
        format!("{} sweep {file} --seeds {seeds}{shard} --out {out}", program())
    });
    let all: Vec<String> = commands.collect();
    html! {
        @match all.as_slice() {
            [one] => p { code { (one) } }
            many => details { summary { "The commands" }
                @for command in many { p { code { (command) } } } }
        }
    }
}

/// The place of a scenario on the page, for links.
fn section_id(index: usize) -> String {
    format!("scenario-{}", index + 1)
}

fn table(page: &SweepPage) -> Markup {
    html! {
        section {
            h2 { "Scenarios" }
            (bars::legend())
            @for (index, sweep) in page.sweeps.iter().enumerate() {
                @let report = &sweep.report.scenario;
                @let id = section_id(index);
                article id=(id) class={ "scenario" @if !report.as_expected { " wrong" } } {
                    h3 { (line(&sweep.report.name)) " "
                        small { (report.protocol)
                            @if let Some(mutant) = &report.mutant { ", mutant " (line(mutant)) } } }
                    @if let Some(summary) = &sweep.summary { p class="summary" { (line(summary)) } }
                    @if let Some(shard) = &sweep.report.shard {
                        p { "Shard " (shard) " of the sweep." } }
                    table {
                        caption { (counted(sweep.runs, "run")) ", seeds " (report.seeds.from) " to "
                            (report.seeds.until.saturating_sub(1)) }
                        thead { tr { th scope="col" { "property" } th scope="col" { "held" }
                            th scope="col" { "violated" } th scope="col" { "runs" } } }
                        tbody { @for rows in report.properties.iter().zip(&sweep.report.rates) {
                            (property(rows)) } }
                    }
                    @for surprise in &report.surprises {
                        p class="red" {
                            "✗ " (line(&surprise.subject)) ": " (line(&surprise.message)) }
                    }
                }
            }
        }
    }
}

/// The row of a property.
fn property((row, rates): (&PropertyRow, &RateRow)) -> Markup {
    let is_surprise = row.violated > 0 && !row.violation_expected;
    html! {
        tr {
            th scope="row" { code { (row.name) } }
            td { (rates.held) }
            td class=[is_surprise.then_some("red")] {
                (rates.violated)
                @if row.violation_expected { " " small { "expected" } }
            }
            td { (bars::bar(row)) }
        }
    }
}

fn failures(page: &SweepPage) -> Markup {
    let all = page.sweeps.iter().flat_map(|sweep| {
        sweep.report.groups.iter().enumerate().map(move |(index, group)| (sweep, index, group))
    });
    let mut all: Vec<_> = all.collect();
    // Unexpected ones first, and rare ones before frequent ones: they surprise more.
    all.sort_by_key(|(_, _, group)| (group.expected, group.runs));
    html! {
        section {
            h2 { "Failures" }
            @if all.is_empty() { p { "No run failed." } }
            @for (sweep, index, group) in all { (failure(page, sweep, index, group)) }
        }
    }
}

fn failure(page: &SweepPage, sweep: &ShownSweep, index: usize, group: &GroupRow) -> Markup {
    let picture = sweep.pictures.iter().find(|picture| picture.group == index);
    let report = &sweep.report;
    html! {
        article class={ "failure" @if !group.expected { " wrong" } } {
            h3 { code { (line(&group.property)) } " in " (line(&report.name)) }
            p { (counted(group.runs, "run")) " of " (with_separators(sweep.runs))
                @if group.expected { ", as expected" }
                @else { ", " strong class="red" { "not expected" } } }
            p class="signature" { (shortened(&group.signature, SIGNATURE_LENGTH_MAX)) }
            @if let Some(Picture { diagram, page, .. }) = picture {
                figure {
                    (drawing::svg(diagram, Size { width: 900, ..Size::default() }))
                    figcaption { a href=(page) { "the whole run, to step through" } }
                }
            }
            @if let Some(story) = &group.story {
                details { summary { "The story" }
                    pre { @for row in story.lines() { (line(row)) "\n" } } }
            }
            details { summary { "Commands" }
                @if let Some(shrunk) = &group.shrunk {
                    @let path = report.path(&page.folder, shrunk);
                    p { code { (program()) " explain " (shell_word(&path)) } }
                }
                @for example in &group.examples {
                    p { code { (report.replay(&page.folder, example)) } }
                }
            }
        }
    }
}

fn figures(page: &SweepPage) -> Markup {
    let shown = || page.sweeps.iter().filter(|sweep| !sweep.curves.is_empty());
    html! {
        @if shown().next().is_some() {
            section {
                h2 { "Latencies, outages and costs" }
                p { "Each curve shows the values from the least to the greatest; the dots are the \
                    median and the value that 90 % do not exceed. An operation is a request \
                    with the indication that answers it: for consensus, a proposal and the \
                    decision of its proposer. A process is down while it is crashed or paused, and \
                    from when it turns Byzantine." }
                @for sweep in shown() {
                    h3 { (line(&sweep.report.name)) " " small { (counted(sweep.runs, "run")) } }
                    (operations(sweep.operations))
                    (curves::plots(&sweep.curves))
                }
            }
        }
    }
}

/// How many operations were answered.
fn operations((asked, answered): (u64, u64)) -> Markup {
    html! {
        @if asked > 0 {
            p.always { (with_separators(answered)) " of "
                @if asked == 1 { "1 operation was" }
                @else { (with_separators(asked)) " operations were" }
                " answered before the end of the run" }
        }
    }
}

/// What was reached, and which faults struck.
fn reached(page: &SweepPage) -> Markup {
    let share =
        |count: u64, runs: u64| format!("{} of {}", with_separators(count), with_separators(runs));
    html! {
        section {
            h2 { "What was reached, and the faults of the scenarios" }
            table {
                thead { tr { th scope="col" { "scenario" } th scope="col" { "what" }
                    th scope="col" { "runs" } } }
                tbody { @for sweep in &page.sweeps {
                    @let name = line(&sweep.report.name);
                    @for row in &sweep.report.scenario.reached {
                        tr { th scope="row" { (name) } td { "reached: " (line(&row.label)) }
                            td.runs { (share(row.seeds, sweep.runs)) } }
                    }
                    @for (fault, struck) in &sweep.faults {
                        tr class=[(*struck == 0).then_some("never")] {
                            th scope="row" { (name) } td { (line(fault)) }
                            td.runs { @if *struck == 0 { "never struck" }
                                @else { (share(*struck, sweep.runs)) } } }
                    }
                } }
            }
        }
    }
}
