//! `ftsim branch`: other futures of a run, and the moment it went wrong.

use std::io::Write;
use std::num::NonZeroUsize;

use clap::{ArgGroup, Args};
use ftsim_core::{Outcome, PropertyKind, Trace, Verdict};
use ftsim_protocols::Catalogue;
use ftsim_reports::{Rate, Violated, counted, line, rounded};
use serde_json::{Value, json};

use crate::branch::moment::{Curve, Moment, Point};
use crate::branch::text::{sentences, write_curve};
use crate::branch::{Cut, Effort, Futures, Origin};
use crate::cli::progress::spinner;
use crate::cli::{Exit, Failure, Format, Out, complain, has_unicode, interrupt, jobs, page};
use crate::run::one_run::{OneRun, OneRunArgs};
use crate::run::repro;
use crate::run::story::{first, violations, write_title};
use crate::scenario::{PANICKED, Scenario};
use crate::sweep::tally::PropertyTally;

/// Futures from each step, unless another number is given.
const FUTURE_COUNT: u64 = 100;
const FUTURE_COUNT_MAX: u64 = 1_000_000;
/// Points of a curve, unless another number is given.
const POINT_COUNT: u64 = 200;
const POINT_COUNT_MAX: u64 = 10_000;

/// Arguments of `ftsim branch`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("where").required(true).args(["step", "moment"]))]
pub(crate) struct BranchArgs {
    #[command(flatten)]
    run: OneRunArgs,
    /// Have the futures part from the run after step K, as `ftsim replay` numbers steps; at step 0,
    /// nothing has happened
    #[arg(long, value_name = "K")]
    step: Option<u64>,
    /// For a run that violates a property: show the share of futures that violate it too, from
    /// every step, and the step in which the share jumps
    #[arg(long)]
    moment: bool,
    /// With --moment: look at property ID; default: the first unexpected violation, or else the
    /// first
    #[arg(long, value_name = "ID", requires = "moment", conflicts_with = "step")]
    property: Option<String>,
    /// Make N futures from each step
    #[arg(
        long, value_name = "N", default_value_t = FUTURE_COUNT,
        value_parser = clap::value_parser!(u64).range(1..=FUTURE_COUNT_MAX)
    )]
    seeds: u64,
    /// With --moment: look at N steps of a longer run, more of them where the curve is steep
    #[arg(
        long, value_name = "N", requires = "moment", conflicts_with = "step",
        default_value_t = POINT_COUNT,
        value_parser = clap::value_parser!(u64).range(2..=POINT_COUNT_MAX)
    )]
    points: u64,
    /// Use N threads; default: one per processor. The results do not depend on N
    #[arg(long, short, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Write the results as FORMAT
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

pub fn branch(args: &BranchArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    let Some(run) = args.run.open(catalogue)? else { return Ok(Exit::BadInput) };
    if let Some(property) = &args.property
        && !run.scenario.can_violate(property)
    {
        complain(&run.scenario.checks_no(property));
        return Ok(Exit::BadInput);
    }
    let recorded = run.record()?;
    let exit = match args.step {
        Some(step) => futures(args, &run, &recorded.0, step, out)?,
        None => moment(args, &run, &recorded, out)?,
    };
    let (outcome, trace) = &recorded;
    if let Some(differs) = run.repro().and_then(|repro| repro::difference(repro, outcome, trace)) {
        out.flush()?;
        complain(&format!("{} is not reproduced: {differs}", run.scenario.path));
        return Ok(Exit::NotDeterministic);
    }
    Ok(exit)
}

/// The moment at which a run violated this property for good; `None` if it is interrupted.
///
/// # Errors
/// If ftsim itself fails.
pub(super) fn curve(
    run: &OneRun,
    outcome: &Outcome,
    property: &str,
) -> Result<Option<Curve>, Failure> {
    let points = usize::try_from(POINT_COUNT).unwrap_or(usize::MAX);
    with_effort(&run.scenario, FUTURE_COUNT, None, |effort| {
        Curve::of(&origin(run, outcome)?, property, points, effort)
    })
}

fn origin<'r>(run: &'r OneRun, outcome: &'r Outcome) -> Result<Origin<'r>, Cut> {
    let request = run.request().map_err(Cut::Failed)?;
    Ok(Origin { scenario: &run.scenario, request, outcome })
}

/// Does something that makes many futures; `None`, after a message, if it is interrupted.
fn with_effort<T>(
    scenario: &Scenario,
    count: u64,
    threads: Option<NonZeroUsize>,
    make: impl FnOnce(&Effort<'_>) -> Result<T, Cut>,
) -> Result<Option<T>, Failure> {
    let bar = spinner(&scenario.path);
    let progress = |count| {
        bar.inc(count);
        bar.set_message(counted(bar.position(), "future"));
    };
    let halt = interrupt::listen();
    let made = make(&Effort { count, jobs: jobs(threads), halt, progress: &progress });
    bar.finish_and_clear();
    match made {
        Ok(made) => Ok(Some(made)),
        Err(Cut::Failed(error)) => Err(error.into()),
        Err(Cut::Interrupted) => {
            complain("interrupted: nothing is written");
            Ok(None)
        }
    }
}

/// The futures from one step.
fn futures(
    args: &BranchArgs,
    run: &OneRun,
    outcome: &Outcome,
    step: u64,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let (scenario, last) = (&run.scenario, outcome.statistics.events);
    if step > last {
        let steps = counted(last, "step");
        complain(&format!("seed {} of {} has {steps}, not {step}", run.seed, scenario.path));
        return Ok(Exit::BadInput);
    }
    let made = with_effort(scenario, args.seeds, args.jobs, |effort| {
        origin(run, outcome)?.futures(&[step], 0, effort)
    })?;
    let Some(futures) = made.as_deref().and_then(<[Futures]>::first) else {
        return Ok(Exit::Interrupted);
    };
    let rows: Vec<Row<'_>> = rows(scenario, outcome, futures);
    out.begin(args.format.form())?;
    match args.format {
        Format::Text => write_futures(out, run, (step, last), futures, &rows)?,
        Format::Json => {
            let properties: Vec<Value> = rows.iter().map(Row::json).collect();
            let json = json!({
                "schema": 1,
                "scenario": scenario.path,
                "seed": run.seed,
                "step": step,
                "after": futures.after,
                "steps": last,
                "at": futures.at,
                "futures": futures.tally.seed_count,
                "digest": futures.tally.digest().to_string(),
                "properties": properties,
            });
            write_json(out, &json)?;
        }
    }
    Ok(exit(scenario, futures))
}

/// What futures come to, for one property.
struct Row<'r> {
    property: &'r str,
    /// The verdict in the run itself.
    run: &'static str,
    counts: PropertyTally,
    total: u64,
    is_tolerated: bool,
}

fn rows<'r>(scenario: &'r Scenario, outcome: &Outcome, futures: &Futures) -> Vec<Row<'r>> {
    let (tally, total) = (&futures.tally, futures.tally.seed_count);
    let panics = (tally.panicked > 0 || outcome.panicked.is_some()).then(|| Row {
        property: PANICKED,
        run: if outcome.panicked.is_some() { "violated" } else { "held" },
        counts: PropertyTally {
            violated: tally.panicked,
            held: total - tally.panicked,
            ..PropertyTally::default()
        },
        total,
        is_tolerated: false,
    });
    let checked = scenario.checked.iter().map(|property| {
        let judged = outcome.judged.iter().find(|judged| judged.id == property.id);
        Row {
            property: property.id.0,
            run: judged.map_or("undecided", |judged| word(&judged.verdict)),
            counts: tally.properties.get(&property.id).cloned().unwrap_or_default(),
            total,
            is_tolerated: scenario.expect.tolerates(property.id.0),
        }
    });
    panics.into_iter().chain(checked).collect()
}

const fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Held => "held",
        Verdict::HeldVacuously => "vacuous",
        Verdict::Violated(_) => "violated",
        Verdict::Undecided(_) => "undecided",
    }
}

impl Row<'_> {
    fn rates(&self) -> [(&'static str, Rate); 4] {
        let PropertyTally { violated, undecided, held, vacuous, .. } = self.counts;
        [("violated", violated), ("undecided", undecided), ("held", held), ("vacuous", vacuous)]
            .map(|(word, count)| (word, Rate::new(count, self.total)))
    }

    fn text(&self) -> String {
        let rates = self.rates().into_iter().filter(|(_, rate)| rate.count > 0);
        let parts: Vec<String> = rates.map(|(word, rate)| format!("{word} in {rate}")).collect();
        let expected = match (self.counts.violated > 0, self.is_tolerated) {
            (true, false) => ", which is not expected",
            _ => "",
        };
        format!("{}{expected}; {} in the run itself", parts.join(", "), self.run)
    }

    fn json(&self) -> Value {
        let [violated, undecided, held, vacuous] = self.rates().map(|(_, rate)| rate);
        json!({
            "property": self.property, "run": self.run, "violated": violated,
            "undecided": undecided, "held": held, "vacuous": vacuous,
        })
    }
}

fn write_futures(
    out: &mut Out,
    run: &OneRun,
    (step, last): (u64, u64),
    futures: &Futures,
    rows: &[Row<'_>],
) -> std::io::Result<()> {
    let Futures { after, at, tally } = futures;
    let count = counted(tally.seed_count, "other future");
    let path = line(&run.scenario.path);
    let at = rounded(*at);
    writeln!(out, "{path}, seed {}: {count} after step {after} of {last}, at {at}", run.seed)?;
    if *after != step {
        writeln!(out, "  steps {step} to {after} are one event")?;
    }
    let page = page(false);
    for row in rows {
        let head = format!("  {}: ", row.property);
        page.write_line(out, (anstyle::Style::new(), &head), &row.text())?;
    }
    Ok(())
}

/// A violation or a panic that the scenario does not expect is none of its expectations. What it
/// expects need not come: the run's past may have ruled it out.
fn exit(scenario: &Scenario, futures: &Futures) -> Exit {
    let Futures { tally, .. } = futures;
    let expect = &scenario.expect;
    let mut properties = tally.properties.iter();
    if tally.panicked > 0
        || properties.any(|(id, counts)| counts.violated > 0 && !expect.tolerates(id.0))
    {
        return Exit::Unexpected;
    }
    let mut properties = tally.properties.iter();
    let is_open = properties
        .any(|(id, counts)| counts.first_undecided.is_some() && !expect.undecided.contains(id));
    if is_open { Exit::Undecided } else { Exit::Good }
}

/// The moment a run went wrong.
fn moment(
    args: &BranchArgs,
    run: &OneRun,
    (outcome, trace): &(Outcome, Trace),
    out: &mut Out,
) -> Result<Exit, Failure> {
    let scenario = &run.scenario;
    let violations = violations(scenario, outcome);
    let chosen = match &args.property {
        Some(property) => violations.iter().find(|violated| violated.property == *property),
        None => first(scenario, &violations),
    };
    let Some(violated) = chosen else {
        let what = args.property.as_deref().unwrap_or("nothing");
        let verb = if args.property.is_some() { "does not violate" } else { "violates" };
        complain(&format!("seed {} of {} {verb} {what}", run.seed, scenario.path));
        return Ok(Exit::Unexpected);
    };
    let points = usize::try_from(args.points).unwrap_or(usize::MAX);
    let curve = with_effort(scenario, args.seeds, args.jobs, |effort| {
        Curve::of(&origin(run, outcome)?, &violated.property, points, effort)
    })?;
    let Some(curve) = curve else { return Ok(Exit::Interrupted) };
    out.begin(args.format.form())?;
    match args.format {
        Format::Text => write_moment(out, run, (outcome, trace), violated, &curve)?,
        Format::Json => write_json(out, &moment_json(run, outcome, violated, &curve))?,
    }
    Ok(Exit::Good)
}

fn write_moment(
    out: &mut Out,
    run: &OneRun,
    (outcome, trace): (&Outcome, &Trace),
    violated: &Violated,
    curve: &Curve,
) -> std::io::Result<()> {
    let (page, plain) = (page(false), anstyle::Style::new());
    write_title(out, &run.scenario, outcome, trace, page)?;
    let head = format!("VIOLATED  {}  ", violated.property);
    page.write_prose(out, (plain, &head), &line(&violated.message))?;
    writeln!(out)?;
    for sentence in sentences(curve, trace) {
        page.write_prose(out, (plain, ""), &sentence)?;
    }
    writeln!(out)?;
    let count = curve.count;
    writeln!(out, "How many of {count} other futures after each step violate {}", curve.property)?;
    write_curve(out, curve, has_unicode(), page)
}

fn moment_json(run: &OneRun, outcome: &Outcome, violated: &Violated, curve: &Curve) -> Value {
    let point = |point: &Point| {
        let Point { after, at, violating, .. } = point;
        json!({ "after": after, "at": at, "violating": violating })
    };
    let moment = match &curve.moment {
        Moment::FromTheStart => json!({ "kind": "from-the-start" }),
        Moment::Gradually => json!({ "kind": "gradually" }),
        Moment::Step { before, after } => json!({
            "kind": "step", "step": after.after, "steps_from": before.after + 1,
            "before": point(before), "after": point(after),
        }),
    };
    json!({
        "schema": 1,
        "scenario": run.scenario.path,
        "seed": run.seed,
        "property": violated.property,
        "kind": match violated.kind {
            PropertyKind::Safety => "safety",
            PropertyKind::Liveness => "liveness",
        },
        "steps": outcome.statistics.events,
        "futures": curve.count,
        "moment": moment,
        "curve": curve.points.iter().map(point).collect::<Vec<Value>>(),
    })
}

fn write_json(out: &mut Out, json: &Value) -> std::io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, json).map_err(std::io::Error::from)?;
    writeln!(out)
}
