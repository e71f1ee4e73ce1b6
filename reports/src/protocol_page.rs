//! The pages of a catalogue: an index, and a page for each protocol: its model, its properties, a
//! run that goes well, and each mutant with its smallest failure. They need no script.

use std::io::{self, Write};

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::diagram::Diagram;
use crate::drawing::{self, Size};
use crate::foreign::line;
use crate::numbers::MeasuredNumber;
use crate::page::hash;
use crate::program::program;

/// What identifies the index of a catalogue: its folder may be written again.
pub const GENERATOR: &str = "ftsim list";

const STYLE: &str = include_str!("protocol_page/style.css");

/// What the page of a protocol shows.
pub struct ProtocolPage {
    /// Its name.
    pub name: String,
    /// Its summary.
    pub summary: String,
    /// Its source in the literature.
    pub source: String,
    /// Its model, as names and values.
    pub model: Vec<(&'static str, String)>,
    /// Its parameters: name, type, default, meaning.
    pub params: Vec<[String; 4]>,
    /// The properties of its problem: name, whether it is owed, kind, requirement.
    pub properties: Vec<[String; 4]>,
    /// A run that goes well.
    pub well: Option<ShownRun>,
    /// What it costs, measured beside the literature.
    pub numbers: Vec<MeasuredNumber>,
    /// Its mutants.
    pub mutants: Vec<ShownMutant>,
    /// Its scenarios.
    pub scenarios: Vec<ShownScenario>,
}

/// A run as a picture.
pub struct ShownRun {
    /// The diagram.
    pub diagram: Diagram,
    /// The page of the whole run, relative to the catalogue.
    pub page: String,
}

/// A mutant.
pub struct ShownMutant {
    /// Its name.
    pub name: String,
    /// What is changed: in the code, or which assumption is broken.
    pub how: String,
    /// The change.
    pub changes: String,
    /// The property that it violates.
    pub violates: String,
    /// Its smallest failure, and that failure in one sentence; `None` if no scenario shows one.
    pub failure: Option<(ShownRun, String)>,
}

/// A scenario.
pub struct ShownScenario {
    /// Its file.
    pub file: String,
    /// Its summary.
    pub summary: String,
    /// The properties that it expects to be violated.
    pub violated: Vec<String>,
}

/// Writes the page of a protocol.
///
/// # Errors
/// Errors of `out`.
pub fn write_protocol_page(out: &mut impl Write, page: &ProtocolPage) -> io::Result<()> {
    let content = html! {
        p.up { a href="index.html" { "all protocols" } }
        h1 { (line(&page.name)) }
        p.lead { (line(&page.summary)) }
        p.soft { "Source: " (line(&page.source)) }
        section {
            h2 { "Model" }
            dl { @for (name, value) in &page.model { dt { (name) } dd { (line(value)) } } }
        }
        @if let Some(well) = &page.well {
            section { h2 { "A run that goes well" } (picture(well)) }
        }
        section {
            h2 { "Properties" }
            (table(["property", "", "kind", "requirement"], &page.properties))
        }
        @if !page.params.is_empty() {
            section { h2 { "Parameters" } (table(["name", "type", "", "meaning"], &page.params)) }
        }
        @if !page.numbers.is_empty() {
            section {
                h2 { "What it costs" }
                p.soft { "Each measurement is a run of "
                    code { (program()) " numbers " (line(&page.name)) } "." }
                (numbers(&page.numbers))
            }
        }
        @if !page.mutants.is_empty() {
            section {
                h2 { "What breaks it" }
                @for mutant in &page.mutants { (shown_mutant(&page.name, mutant)) }
            }
        }
        (scenarios(&page.scenarios))
    };
    write_page(out, &page.name, &content)
}

/// Writes the index: chapters of protocols, each with its summary.
///
/// # Errors
/// Errors of `out`.
pub fn write_index_page(out: &mut impl Write, pages: &[ProtocolPage]) -> io::Result<()> {
    let content = html! {
        h1 { "Protocols" }
        p.lead { "Each page shows a protocol's model and properties, a run that goes well, and \
            what breaks it, with the smallest failure of each mutant." }
        table {
            thead { tr { th scope="col" { "protocol" } th scope="col" { "what it is" }
                th scope="col" { "faults" } th scope="col" { "mutants" } } }
            tbody { @for page in pages {
                tr { th scope="row" { a href=(file_name(&page.name)) { (line(&page.name)) } }
                    td { (line(&page.summary)) }
                    td { (faults(page)) }
                    td { (page.mutants.len()) } }
            } }
        }
    };
    write_page(out, "Protocols", &content)
}

/// A text in which what stands between backticks is code.
fn with_code(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 0 { (line(part)) } @else { code { (line(part)) } }
        }
    }
}

/// Quantity, formula, measurements, source.
fn numbers(numbers: &[MeasuredNumber]) -> Markup {
    html! {
        table.numbers {
            thead { tr { @for name in ["quantity", "formula", "measured", "source"] {
                th scope="col" { (name) }
            } } }
            tbody { @for number in numbers {
                tr { th scope="row" { (line(&number.quantity)) } td { (line(&number.formula)) }
                    td { @for case in &number.cases { div { (line(&case.text())) } } }
                    td { (line(&number.source)) } }
            } }
        }
    }
}

/// The file of a protocol's page.
#[must_use]
pub fn file_name(protocol: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    format!("{}.html", protocol.chars().map(plain).collect::<String>())
}

fn write_page(out: &mut impl Write, title: &str, content: &Markup) -> io::Result<()> {
    let style = format!("{STYLE}{}", drawing::STYLE);
    let policy = format!(
        "default-src 'none'; style-src '{}'; base-uri 'none'; form-action 'none'",
        hash(&style)
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="generator" content=(GENERATOR);
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (line(title)) }
                style { (PreEscaped(&style)) }
            }
            body {
                main { (content) }
                footer { p { "Made by " code { (program()) " list --html" } ", ftsim "
                    (env!("CARGO_PKG_VERSION")) "." } }
            }
        }
    };
    out.write_all(page.into_string().as_bytes())
}

fn faults(page: &ProtocolPage) -> Markup {
    let value = |wanted: &str| page.model.iter().find(|(name, _)| *name == wanted);
    html! {
        @if let Some((_, faults)) = value("faults") { (line(faults)) }
        @if let Some((_, bound)) = value("bound") { ", " (line(bound)) }
    }
}

fn picture(run: &ShownRun) -> Markup {
    html! {
        figure {
            (drawing::svg(&run.diagram, Size { width: 880, ..Size::default() }))
            figcaption { a href=(run.page) { "the whole run, to step through" } }
        }
    }
}

fn shown_mutant(protocol: &str, mutant: &ShownMutant) -> Markup {
    html! {
        article id=(line(&mutant.name)) {
            h3 { (line(protocol)) "/" (line(&mutant.name)) }
            p { "It " (line(&mutant.changes)) " (" (with_code(&mutant.how)) "), and so violates "
                code { (line(&mutant.violates)) } "." }
            @match &mutant.failure {
                Some((run, message)) => { p.message { (line(message)) } (picture(run)) }
                None => p.soft { "No scenario here shows it." },
            }
        }
    }
}

fn scenarios(scenarios: &[ShownScenario]) -> Markup {
    html! {
        @if !scenarios.is_empty() {
            section {
                h2 { "Scenarios" }
                table {
                    thead { tr { th scope="col" { "scenario" } th scope="col" { "what happens" }
                        th scope="col" { "violated, as expected" } } }
                    tbody { @for scenario in scenarios {
                        tr { th scope="row" { code { (line(&scenario.file)) } }
                            td { (line(&scenario.summary)) }
                            td { code { (line(&scenario.violated.join(" "))) } } }
                    } }
                }
            }
        }
    }
}

fn table(head: [&str; 4], rows: &[[String; 4]]) -> Markup {
    html! {
        table {
            thead { tr { @for name in head { th scope="col" { (name) } } } }
            tbody { @for [name, second, third, text] in rows {
                tr { th scope="row" { code { (line(name)) } } td { (line(second)) }
                    td { (line(third)) } td { (line(text)) } }
            } }
        }
    }
}
