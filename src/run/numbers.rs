//! What protocols cost: numbers of the literature, each measured in runs of its own.

use annotate_snippets::Renderer;
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::{Duration, Outcome, Trace};
use ftsim_protocols::Catalogue;
use ftsim_reports::{MeasuredNumber, NumberCase};
use serde::Deserialize;
use toml::{Table, Value};

use crate::cli::Failure;
use crate::run;
use crate::scenario::Scenario;

/// The time that a message takes: one communication step.
const STEP: Duration = Duration::from_millis(10);
/// The seed of every run.
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
}

/// A case, and the value of the formula in it.
#[derive(Deserialize)]
struct Case {
    is: u64,
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
            let cases: Result<_, Failure> =
                number.cases.iter().map(|case| measure(number, case, catalogue)).collect();
            all.push(MeasuredNumber {
                protocol: number.protocol.clone(),
                quantity: number.quantity.clone(),
                formula: number.formula.clone(),
                source: number.source.clone(),
                cases: cases?,
            });
        }
    }
    Ok(all)
}

fn measure(number: &Number, case: &Case, catalogue: &Catalogue) -> Result<NumberCase, Failure> {
    let scenario = scenario(number, case, catalogue)?;
    let (outcome, trace) = run::record(&scenario, SEED)?;
    let measured = match number.measure {
        Measure::Messages => messages(&outcome, &number.kinds),
        Measure::Steps => steps(&trace, &number.indication),
        Measure::ForcedWrites => outcome.statistics.syncs,
    };
    let label = case.label.clone().unwrap_or_else(|| label(&case.settings));
    Ok(NumberCase { label, stated: case.is, measured })
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
fn scenario(number: &Number, case: &Case, catalogue: &Catalogue) -> Result<Scenario, Failure> {
    let mut table = Table::new();
    table.insert("protocol".into(), number.protocol.clone().into());
    let delay = [("delay".to_owned(), Value::from(STEP.to_string()))];
    table.insert("network".into(), Value::Table(delay.into_iter().collect()));
    merge(&mut table, &number.world);
    merge(&mut table, &case.settings);
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
