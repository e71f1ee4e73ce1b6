//! A run in the terminal, with a lane for each process.

use std::io::{self, Write};
use std::ops::Range;

use clap::Args;
use ftsim_core::{Outcome, Trace};
use ftsim_reports::{LaneSteps, Lanes, Signs, Violated, write_lanes};

use super::one_run::OneRun;
use super::picture::diagram_without_states;
use crate::cli::{has_unicode, page};

/// Arguments of commands that draw lanes.
#[derive(Debug, Args)]
pub(crate) struct LanesArgs {
    /// Draw a lane for each process, with time going down and an arrow for each message
    #[arg(long, conflicts_with = "format")]
    pub lanes: bool,
    /// Draw lanes in ASCII; default on a terminal whose locale (LC_ALL, LC_CTYPE or LANG) is not
    /// UTF-8
    #[arg(long, requires = "lanes")]
    ascii: bool,
}

impl LanesArgs {
    /// Draws a recorded run, with the story of this violation.
    ///
    /// # Errors
    /// Errors of `out`.
    pub fn write(
        &self,
        out: &mut impl Write,
        run: &OneRun,
        recorded: (&Outcome, &Trace),
        told: Option<&Violated>,
        steps: LaneSteps,
    ) -> io::Result<()> {
        let told = told.map(|violated| (violated, None));
        let diagram = diagram_without_states(run, recorded, told);
        let signs = if self.ascii || !has_unicode() { Signs::Ascii } else { Signs::Unicode };
        write_lanes(out, &diagram, &Lanes { page: page(false), signs, steps })
    }
}

/// Parses a half-open range of steps: `A..B`.
///
/// # Errors
/// If it is not a range of numbers, or empty.
pub(crate) fn step_range(text: &str) -> Result<Range<u64>, String> {
    let number = |part: &str| part.replace('_', "").parse::<u64>().ok();
    let range = text.split_once("..").and_then(|(from, until)| Some(number(from)?..number(until)?));
    match range {
        Some(range) if range.is_empty() => Err("these are no steps at all".to_owned()),
        Some(range) => Ok(range),
        None => Err("expected A..B, such as 100..150".to_owned()),
    }
}
