//! `ftsim explain`: the story of a violation, and the faults it needs.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ftsim_protocols::Catalogue;
use ftsim_reports::{LaneSteps, Story, write_mermaid};

use super::branch;
use crate::branch::text::sentences;
use crate::cli::{Exit, Failure, Out, complain, page};
use crate::run::lanes::LanesArgs;
use crate::run::one_run::{OneRun, OneRunArgs};
use crate::run::picture::{write_drawing, write_page};
use crate::run::repro;
use crate::run::story::{first, needs_of, violations, write_body, write_others, write_title};

/// Arguments of `ftsim explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    run: OneRunArgs,
    /// Explain the violation of property ID; default: the first unexpected violation, or else the
    /// first
    #[arg(long, value_name = "ID")]
    property: Option<String>,
    /// Tell also in which step the run went wrong, from 100 other futures of each step
    #[arg(long, conflicts_with_all = ["format", "html", "svg"])]
    moment: bool,
    /// Write the story as FORMAT
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: StoryFormat,
    /// Tell the story on OUT, a page for a browser, beside a diagram of the run
    #[arg(long, value_name = "OUT", conflicts_with_all = ["format", "lanes"])]
    html: Option<PathBuf>,
    /// Draw the steps of the story on OUT, a static picture (SVG)
    #[arg(long, value_name = "OUT", conflicts_with_all = ["format", "html", "lanes"])]
    svg: Option<PathBuf>,
    #[command(flatten)]
    lanes: LanesArgs,
}

/// The formats of a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StoryFormat {
    /// Text.
    Text,
    /// A Mermaid sequence diagram.
    Mermaid,
}

pub(crate) fn explain(
    args: &ExplainArgs,
    catalogue: &Catalogue,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let Some(run) = args.run.open(catalogue)? else { return Ok(Exit::BadInput) };
    let OneRun { scenario, seed, .. } = &run;
    if let Some(property) = &args.property
        && !scenario.can_violate(property)
    {
        complain(&scenario.checks_no(property));
        return Ok(Exit::BadInput);
    }
    let (outcome, trace) = run.record()?;
    let violations = violations(scenario, &outcome);
    let chosen = match &args.property {
        Some(property) => violations.iter().find(|violated| violated.property == *property),
        None => first(scenario, &violations),
    };
    let Some(violated) = chosen else {
        let what = args.property.as_deref().unwrap_or("nothing");
        let verb = if args.property.is_some() { "does not violate" } else { "violates" };
        complain(&format!("seed {seed} of {} {verb} {what}", scenario.path));
        return Ok(Exit::Unexpected);
    };
    match (&args.html, &args.svg, args.format) {
        (Some(page), ..) => write_page(page, &run, (&outcome, &trace), Some(violated))?,
        (None, Some(svg), _) => write_drawing(svg, &run, (&outcome, &trace), Some(violated))?,
        (None, None, StoryFormat::Mermaid) => write_mermaid(out, &Story::of(&trace, violated))?,
        (None, None, StoryFormat::Text) => {
            let page = page(false);
            let needs = needs_of(scenario, &outcome, violated)?;
            write_title(out, scenario, &outcome, &trace, page)?;
            if args.lanes.lanes {
                let recorded = (&outcome, &trace);
                writeln!(out)?;
                args.lanes.write(out, &run, recorded, Some(violated), LaneSteps::Story)?;
                writeln!(out)?;
            }
            write_body(out, scenario, &trace, (violated, needs.as_ref()), page)?;
            if args.moment {
                out.flush()?;
                let curve = branch::curve(&run, &outcome, &violated.property)?;
                let Some(curve) = curve else { return Ok(Exit::Interrupted) };
                writeln!(out, "\nWhen it went wrong")?;
                for sentence in sentences(&curve, &trace) {
                    page.write_prose(out, (anstyle::Style::new(), "  "), &sentence)?;
                }
            }
            write_others(out, violated, &violations, page)?;
        }
    }
    if let Some(differs) = run.repro().and_then(|repro| repro::difference(repro, &outcome, &trace))
    {
        out.flush()?;
        complain(&format!("{} is not reproduced: {differs}", scenario.path));
        return Ok(Exit::NotDeterministic);
    }
    Ok(Exit::Good)
}
