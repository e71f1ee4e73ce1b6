//! What protocols cost: numbers of the literature, each measured in one run or in many.

use annotate_snippets::Renderer;
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::{Duration, Outcome, Trace};
use ftsim_protocols::Catalogue;
use ftsim_reports::{MeanCase, MeasuredNumber, NumberCase, SeedRange};
use serde::Deserialize;
use toml::{Table, Value};

use crate::cli::Failure;
use crate::run;
use crate::scenario::Scenario;
use crate::sweep::{self, judge};

/// The time that a message takes: one communication step.
const STEP: Duration = Duration::from_millis(10);
/// The seed of a number that is measured in one run.
const SEED: u64 = 1;

/// The numbers of some protocols.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Numbers {
    number: Vec<Number>,
}

/// A number of the literature.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Number {
    protocol: String,
    /// What is counted.
    quantity: String,
    formula: String,
    source: String,
    measure: Measure,
    /// The kinds of messages that count; all if there are none.
    #[serde(default)]
    kinds: Vec<String>,
    /// How the announcements begin that count.
    #[serde(default)]
    indication: String,
    /// The number of a run whose mean is judged, as in `[[expect.statistic]]`.
    #[serde(default)]
    of: String,
    /// What the scenarios of all cases say.
    #[serde(default)]
    world: Table,
    cases: Vec<Case>,
}

/// How a number is measured.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Measure {
    /// Messages sent.
    Messages,
    /// The time of the last announcement, in communication steps.
    Steps,
    /// Syncs of logs.
    ForcedWrites,
    /// The mean of a number of a run, over the seeds of the scenario.
    Mean,
    /// The share of the runs in which a property holds, likewise.
    Share,
}

/// A case, and the value of the formula in it.
#[derive(Deserialize)]
struct Case {
    /// The value in one run.
    #[serde(default)]
    is: u64,
    /// The value over many runs.
    #[serde(default)]
    about: f64,
    /// How far the value over many runs may be from the formula, which may hold in the limit only.
    #[serde(default)]
    within: f64,
    /// What differs in this case; by default the processes and parameters that it sets.
    label: Option<String>,
    #[serde(flatten)]
    settings: Table,
}

/// Measures the numbers of the protocols that `wanted` selects by name, in the order of the texts.
///
/// # Errors
/// If a text of the catalogue is not usable, or ftsim itself fails.
pub(crate) fn measured(
    catalogue: &Catalogue,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<MeasuredNumber>, Failure> {
    let mut all = Vec::new();
    for text in catalogue.numbers() {
        let numbers: Numbers = toml::from_str(text)
            .map_err(|error| Failure::BadFile(format!("numbers of protocols: {error}")))?;
        for number in numbers.number.iter().filter(|number| wanted(&number.protocol)) {
            all.push(measure(number, catalogue)?);
        }
    }
    Ok(all)
}

fn measure(number: &Number, catalogue: &Catalogue) -> Result<MeasuredNumber, Failure> {
    let (mut cases, mut means) = (Vec::new(), Vec::new());
    for case in &number.cases {
        match number.measure {
            Measure::Mean => means.push(measure_runs("mean", number, case, catalogue)?),
            Measure::Share => means.push(measure_runs("share", number, case, catalogue)?),
            _ => cases.push(measure_run(number, case, catalogue)?),
        }
    }
    let Number { protocol, quantity, formula, source, .. } = number;
    let [protocol, quantity, formula, source] =
        [protocol, quantity, formula, source].map(Clone::clone);
    Ok(MeasuredNumber { protocol, quantity, formula, source, cases, means })
}

fn measure_run(number: &Number, case: &Case, catalogue: &Catalogue) -> Result<NumberCase, Failure> {
    let scenario = scenario(number, &case.settings, catalogue)?;
    let (outcome, trace) = run::record(&scenario, SEED)?;
    let measured = match number.measure {
        Measure::Messages => messages(&outcome, &number.kinds),
        Measure::Steps => steps(&trace, &number.indication),
        Measure::ForcedWrites => outcome.statistics.syncs,
        Measure::Mean | Measure::Share => unreachable!("they are measured over many runs"),
    };
    Ok(NumberCase { label: case.label(), stated: case.is, measured })
}

/// Makes a claim of the case, and judges it.
fn measure_runs(
    kind: &str,
    number: &Number,
    case: &Case,
    catalogue: &Catalogue,
) -> Result<MeanCase, Failure> {
    let Case { about, within, .. } = *case;
    let claim: Table = [
        (kind.to_owned(), number.of.clone().into()),
        ("at_least".to_owned(), bound(about - within).into()),
        ("at_most".to_owned(), bound(about + within).into()),
    ]
    .into_iter()
    .collect();
    let claims = [("statistic".to_owned(), Value::Array(vec![claim.into()]))];
    let mut settings = case.settings.clone();
    let expect = [("expect".to_owned(), Value::Table(claims.into_iter().collect()))];
    merge(&mut settings, &expect.into_iter().collect());
    let scenario = scenario(number, &settings, catalogue)?;
    let seeds = scenario.seeds.clone();
    let tally = sweep::sweep(&scenario, seeds.clone(), 1, &|_| {})?;
    let mut report = judge::report(&scenario, SeedRange::from(seeds), &tally);
    let measured = report.statistics.swap_remove(0);
    Ok(MeanCase { label: case.label(), stated: about, measured })
}

/// A bound of a claim, in billionths, as one would write it.
fn bound(bound: f64) -> f64 {
    (bound.max(0.0) * 1e9).round() / 1e9
}

impl Case {
    fn label(&self) -> String {
        self.label.clone().unwrap_or_else(|| label(&self.settings))
    }
}

/// What a case sets: `n = 5, f = 2`.
fn label(settings: &Table) -> String {
    let each = |table: &Table| {
        let set = table.iter().map(|(key, value)| format!("{key} = {}", plain(value)));
        set.collect::<Vec<_>>().join(", ")
    };
    let set = settings.iter().map(|(key, value)| match value {
        Value::Table(table) => each(table),
        _ if key == "processes" => format!("n = {}", plain(value)),
        _ => format!("{key} = {}", plain(value)),
    });
    set.collect::<Vec<_>>().join(", ")
}

/// The scenario of a case.
fn scenario(number: &Number, settings: &Table, catalogue: &Catalogue) -> Result<Scenario, Failure> {
    let mut table = Table::new();
    table.insert("protocol".into(), number.protocol.clone().into());
    let delay = [("delay".to_owned(), Value::from(STEP.to_string()))];
    table.insert("network".into(), Value::Table(delay.into_iter().collect()));
    merge(&mut table, &number.world);
    merge(&mut table, settings);
    let (name, quantity) = (&number.protocol, &number.quantity);
    let wrong = |why: &str| Failure::BadFile(format!("{name}, {quantity}: {why}"));
    let text = toml::to_string(&table).map_err(|error| wrong(&error.to_string()))?;
    Scenario::parse(&format!("{name}.toml"), &text, catalogue).map_err(|diagnostics| {
        let plain = Renderer::plain();
        let why: Vec<_> = diagnostics.iter().map(|problem| problem.render(&plain)).collect();
        wrong(&why.join("\n"))
    })
}

/// Puts the values of `other` into `table`, one by one where both have a table.
fn merge(table: &mut Table, other: &Table) {
    for (key, value) in other {
        match (table.get_mut(key), value) {
            (Some(Value::Table(own)), Value::Table(other)) => merge(own, other),
            _ => {
                table.insert(key.clone(), value.clone());
            }
        }
    }
}

fn messages(outcome: &Outcome, kinds: &[String]) -> u64 {
    match kinds {
        [] => outcome.statistics.sent(),
        kinds => kinds.iter().map(|kind| outcome.statistics.sent_of(kind)).sum(),
    }
}

/// The time of the last announcement that begins with this, in steps, rounded up.
fn steps(trace: &Trace, indication: &str) -> u64 {
    let counts = |what: &TraceEvent| match what {
        TraceEvent::Indicate { what, .. } => what.starts_with(indication),
        _ => false,
    };
    let last = trace.entries.iter().rev().find(|entry| counts(&entry.what));
    last.map_or(0, |entry| entry.at.as_nanos().div_ceil(STEP.as_nanos()))
}

/// A value without the quotation marks of a text.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
