//! `ftsim numbers`: what protocols cost, beside what the literature says.

use std::io::Write;

use clap::{Args, ValueEnum};
use ftsim_protocols::Catalogue;
use ftsim_reports::{MeasuredNumber, Page, program, write_numbers, write_numbers_markdown};
use serde_json::json;

use crate::cli::screen::Form;
use crate::cli::{Exit, Failure, Out, complain};
use crate::scenario::diagnostic::did_you_mean;
use crate::sweep::numbers::measured;

/// Arguments of `ftsim numbers`.
#[derive(Debug, Args)]
pub(crate) struct NumbersArgs {
    /// Measure these protocols; default: all
    #[arg(value_name = "PROTOCOL")]
    protocols: Vec<String>,
    /// Write the table as FORMAT
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: NumbersFormat,
}

/// The format of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum NumbersFormat {
    /// Text.
    Text,
    /// A table in Markdown.
    Markdown,
    /// One JSON object.
    Json,
}

/// Executes `ftsim numbers`.
pub fn numbers(
    args: &NumbersArgs,
    catalogue: &Catalogue,
    page: Page,
    out: &mut Out,
) -> Result<Exit, Failure> {
    for name in &args.protocols {
        if catalogue.get(name).is_none() {
            let names = catalogue.entries().iter().map(|entry| entry.name);
            let help = did_you_mean(name, names)
                .unwrap_or_else(|| format!("`{} list` shows them all", program()));
            complain(&format!("unknown protocol `{name}`\nhelp: {help}"));
            return Ok(Exit::BadInput);
        }
    }
    let is_wanted =
        |protocol: &str| args.protocols.is_empty() || args.protocols.iter().any(|p| p == protocol);
    let numbers = measured(catalogue, is_wanted)?;
    match args.format {
        NumbersFormat::Text => {
            out.begin(Form::Text)?;
            write_numbers(out, &numbers, page)?;
        }
        NumbersFormat::Markdown => {
            out.begin(Form::Text)?;
            write_numbers_markdown(out, &numbers)?;
        }
        NumbersFormat::Json => {
            out.begin(Form::Data)?;
            serde_json::to_writer_pretty(&mut *out, &json!({ "schema": 1, "numbers": numbers }))
                .map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
    }
    Ok(if numbers.iter().all(MeasuredNumber::is_confirmed) { Exit::Good } else { Exit::Unexpected })
}
