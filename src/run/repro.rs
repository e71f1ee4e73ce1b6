//! A failing run as a file: a complete scenario with the concrete faults of the run, its seed and
//! its digest.

use ftsim_core::outcome::trace::Trace;
use ftsim_core::{EndCause, Outcome, Verdict};
use serde::Serialize;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, Value, ser};

use crate::run::InternalError;
use crate::run::divergence::event_text;
use crate::scenario::PANICKED;
use crate::scenario::Scenario;
use crate::scenario::file::{Count, ExpectFile, FaultFile, ReproFile};
use crate::scenario::marks::Marks;
use crate::scenario::repro::Repro;

/// The repro of a recorded run that this command found.
///
/// It is the scenario's own text, comments included, with the faults that this seed drew in place
/// of `[random]`.
///
/// # Errors
/// If the written file does not describe the run: a bug in ftsim.
pub fn text(
    scenario: &Scenario,
    command: &str,
    (outcome, trace): &(Outcome, Trace),
) -> Result<String, InternalError> {
    let failed = |message: String| {
        let (path, seed) = (scenario.path.clone(), outcome.seed);
        InternalError { path, seed, message: format!("no repro can be written: {message}") }
    };
    let mut document: DocumentMut =
        scenario.text.parse().map_err(|error: toml_edit::TomlError| failed(error.to_string()))?;
    document.remove("random");
    document.remove("repro");
    if let Some(run) = document.get_mut("run").and_then(Item::as_table_like_mut) {
        run.remove("seeds");
        run.remove("first_seed");
        if run.is_empty() {
            document.remove("run");
        }
    }
    let drawn = outcome.plan.faults.iter().skip(scenario.experiment.plan.faults.len());
    let drawn: Option<Vec<FaultFile>> = drawn.map(FaultFile::of).collect();
    let drawn = drawn
        .ok_or_else(|| failed("it drew a fault that cannot be written in a file".to_owned()))?;
    let drawn: Result<Vec<Table>, _> = drawn.iter().map(table).collect();
    let unwritten = |error: ser::Error| failed(error.to_string());
    add_faults(&mut document, drawn.map_err(unwritten)?);
    let expect = table(&expectation(scenario, outcome)).map_err(unwritten)?;
    document.insert("expect", Item::Table(expect));
    let repro = table(&repro(command, outcome, &Marks::of(trace))).map_err(unwritten)?;
    document.insert("repro", Item::Table(repro));
    Ok(document.to_string())
}

/// A table with a line for each key.
fn table(part: &impl Serialize) -> Result<Table, ser::Error> {
    match part.serialize(ser::ValueSerializer::new())? {
        Value::InlineTable(keys) => Ok(keys.into_table()),
        _ => Err(ser::Error::UnsupportedType(None)),
    }
}

/// Adds faults after those of the file, in whatever notation the file uses.
fn add_faults(document: &mut DocumentMut, faults: Vec<Table>) {
    if let Some(Item::Value(list)) = document.get_mut("fault") {
        if let Some(list) = list.as_array_mut() {
            faults.into_iter().for_each(|fault| list.push(fault.into_inline_table()));
        }
    } else if !faults.is_empty() {
        let tables = document.entry("fault").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
        if let Some(tables) = tables.as_array_of_tables_mut() {
            faults.into_iter().for_each(|fault| tables.push(fault));
        }
    }
}

/// The result of this run, as an expectation.
pub fn expectation(scenario: &Scenario, outcome: &Outcome) -> ExpectFile {
    let judged = |wanted: fn(&Verdict) -> bool| -> Vec<String> {
        let judged = outcome.judged.iter().filter(|judged| wanted(&judged.verdict));
        judged.map(|judged| judged.id.0.to_owned()).collect()
    };
    // If a violation ended the run, undecided properties are no surprise.
    let undecided = match outcome.cause {
        EndCause::Violated => Vec::new(),
        _ => judged(|verdict| matches!(verdict, Verdict::Undecided(_))),
    };
    let vacuous = match outcome.cause {
        EndCause::Violated => {
            judged(|verdict| matches!(verdict, Verdict::HeldVacuously | Verdict::Undecided(_)))
        }
        _ => judged(|verdict| matches!(verdict, Verdict::HeldVacuously)),
    };
    let labels = scenario.expect.reached.iter();
    let reached = labels.filter(|label| outcome.reached.contains(&label.as_str()));
    ExpectFile {
        violated: judged(|verdict| matches!(verdict, Verdict::Violated(_))),
        vacuous,
        undecided,
        reached: reached.cloned().collect(),
        // One run says nothing about many.
        statistic: Vec::new(),
    }
}

fn repro(command: &str, outcome: &Outcome, marks: &Marks) -> ReproFile {
    let violated = outcome.judged.iter().filter_map(|judged| match judged.verdict {
        Verdict::Violated(_) => Some(judged.id.0),
        _ => None,
    });
    let violated = outcome.panicked.iter().map(|_| PANICKED).chain(violated);
    ReproFile {
        seed: Count(outcome.seed),
        digest: outcome.digest.to_string(),
        engine: env!("CARGO_PKG_VERSION").to_owned(),
        violated: violated.map(str::to_owned).collect(),
        command: Some(command.to_owned()),
        marks_every: Some(Count(marks.every)),
        marks: Some(marks.text()),
    }
}

/// The difference between a run and the run of a repro, if any.
pub(crate) fn difference(repro: &Repro, outcome: &Outcome, trace: &Trace) -> Option<String> {
    let (found, digest) = (outcome.digest.to_string(), &repro.digest);
    if found == *digest {
        return None;
    }
    let engine = match repro.engine.as_str() {
        env!("CARGO_PKG_VERSION") => String::new(),
        other => {
            format!(" (the repro is from ftsim {other}, this is {})", env!("CARGO_PKG_VERSION"))
        }
    };
    let marks = repro.marks.as_ref().and_then(|marks| marks.first_difference(trace));
    let place = marks.map_or_else(
        || "the first event that differs is unknown".to_owned(),
        |events| first_event(trace, &events),
    );
    Some(format!("its digest is {digest}, this run has {found}{engine}\n{place}"))
}

/// The first event that differs, as it is in this run.
fn first_event(trace: &Trace, events: &std::ops::Range<u64>) -> String {
    let (first, last) = (events.start + 1, events.end);
    let index = usize::try_from(events.start).unwrap_or(usize::MAX);
    let shown = trace.entries.get(index).map_or("the run has ended".into(), event_text);
    if first == last {
        format!("they differ from event {first} on, here: {shown}")
    } else {
        format!(
            "they first differ in one of the events {first} to {last}; event {first} here: {shown}"
        )
    }
}
