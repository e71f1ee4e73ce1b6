//! The diagram of a record: what its trace and its report hold. A record has no scenario, so that
//! states and the bound on delays are unknown.

use std::path::Path;

use ftsim_core::{Instant, ProcessId, PropertyKind, Trace};
use ftsim_protocols::Catalogue;
use ftsim_reports::{
    About, Diagram, DiagramVerdict, Lane, Story, Violated, program, shell_word, with_separators,
    write_run_page,
};
use serde::Deserialize;

use super::picture::{ENTRY_COUNT_MAX, truncation};
use super::record_file::Reader;
use crate::cli::Failure;
use crate::files::{at, write_whole};
use crate::scenario::PANICKED;

/// The maximum number of lanes: a damaged record can name any process.
const LANE_COUNT_MAX: u32 = 4096;
const NO_STATES: &str = "This page is drawn from a record, which holds no states of processes.";

/// The beginning of the report.
#[derive(Deserialize)]
struct Header {
    scenario: String,
    seed: u64,
    settings: Settings,
}

#[derive(Deserialize)]
struct Settings {
    /// `NAME (PROBLEM)`, and `, mutant MUTANT` if it has one.
    protocol: String,
}

/// The end of the report.
#[derive(Deserialize)]
struct Ending {
    truncated: bool,
    outcome: Recorded,
}

#[derive(Deserialize)]
struct Recorded {
    digest: String,
    cause: String,
    at: Instant,
    properties: Vec<Judged>,
    panicked: Option<Detail>,
    statistics: Statistics,
}

#[derive(Deserialize)]
struct Statistics {
    events: u64,
    effects: Vec<u64>,
}

#[derive(Deserialize)]
struct Judged {
    name: String,
    kind: String,
    verdict: String,
    detail: Option<Detail>,
}

/// How a property is violated, or why it is undecided.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Detail {
    step: u64,
    at: Instant,
    witnesses: Vec<ProcessId>,
    message: Option<String>,
    reason: Option<String>,
}

/// Writes the page of a record.
///
/// # Errors
/// If the record is damaged or too long, or a file cannot be read or written.
pub(crate) fn write_record_page(
    path: &Path,
    record: &Path,
    catalogue: &Catalogue,
) -> Result<(), Failure> {
    let diagram = diagram(record, catalogue)?;
    let mut page = Vec::new();
    at(path, write_run_page(&mut page, &diagram))?;
    write_whole(path, &page)?;
    Ok(())
}

fn diagram(record: &Path, catalogue: &Catalogue) -> Result<Diagram, Failure> {
    let name = record.display().to_string();
    let damaged = |what: &str| Failure::BadFile(format!("{name}: the record is damaged: {what}"));
    let mut reader = Reader::open(record)?;
    let mut trace = Trace::default();
    while let Some(entry) = reader.next_entry()? {
        trace.entries.push(entry);
        if trace.entries.len() > ENTRY_COUNT_MAX {
            return Err(Failure::BadFile(format!(
                "{name}: a page shows at most {} entries of a trace, and this one has more; \
                 --steps A..B shows a part of it as text",
                with_separators(ENTRY_COUNT_MAX as u64)
            )));
        }
    }
    let report = reader.report()?;
    let (header, ending) = report.json();
    let header: Header = read(header).map_err(|error| damaged(&error))?;
    let Ending { truncated, outcome } = read(ending).map_err(|error| damaged(&error))?;
    trace.truncated = truncated;
    let lanes = lanes(&trace, outcome.statistics.effects.len())
        .ok_or_else(|| damaged("it names more processes than a page can show"))?;
    let about = about(record, header, &outcome, &trace);
    let text_of = |property: &str| {
        let known = catalogue.get(&about.protocol).map(|entry| &entry.properties);
        let known = known.into_iter().flatten().find(|known| known.id.0 == property);
        known.map_or_else(String::new, |known| known.text.to_owned())
    };
    let verdicts = verdicts(&outcome, text_of).map_err(|error| damaged(&error))?;
    let violated = violated(&outcome, text_of);
    let mut diagram = Diagram::of(about.clone(), lanes, &trace, None);
    diagram.verdicts = verdicts;
    Ok(match violated {
        Some(violated) => diagram.with_story(&Story::of(&trace, &violated), Vec::new()),
        None => diagram,
    })
}

fn read<'v, T: Deserialize<'v>>(part: &'v serde_json::Value) -> Result<T, String> {
    T::deserialize(part).map_err(|error| error.to_string())
}

fn about(record: &Path, header: Header, outcome: &Recorded, trace: &Trace) -> About {
    let Header { scenario, seed, settings } = header;
    let (protocol, rest) = settings.protocol.split_once(" (").unwrap_or((&settings.protocol, ""));
    let (problem, rest) = rest.rsplit_once(')').unwrap_or((rest, ""));
    About {
        scenario,
        summary: None,
        protocol: protocol.to_owned(),
        problem: problem.to_owned(),
        mutant: rest.strip_prefix(", mutant ").map(str::to_owned),
        seed,
        events: outcome.statistics.events,
        ended: format!("at {}: {}", outcome.at, outcome.cause.replace('-', " ")),
        digest: outcome.digest.clone(),
        command: format!("{} show {}", program(), shell_word(&record.to_string_lossy())),
        truncated: trace.truncated,
        notices: truncation(trace).into_iter().chain([NO_STATES.to_owned()]).collect(),
        states_end: None,
    }
}

/// The processes, and after them the second copies of those that have a twin; `None` if they are
/// too many.
fn lanes(trace: &Trace, process_count: usize) -> Option<Vec<Lane>> {
    let n = u32::try_from(process_count).ok().filter(|n| *n <= LANE_COUNT_MAX)?;
    let last = trace.entries.iter().filter_map(|entry| entry.process).max();
    let count = last.map_or(n, |last| n.max(last.0.saturating_add(1)));
    let role = |p: u32| (p >= n).then(|| "twin".to_owned());
    let lane = |p: u32| Lane { name: ProcessId(p).to_string(), role: role(p) };
    (count <= LANE_COUNT_MAX).then(|| (0..count).map(lane).collect())
}

/// The verdicts, in the order of the record; a panic comes first.
fn verdicts(
    outcome: &Recorded,
    text_of: impl Fn(&str) -> String,
) -> Result<Vec<DiagramVerdict>, String> {
    let panicked = outcome.panicked.iter().map(|panic| {
        Ok(DiagramVerdict {
            property: PANICKED.to_owned(),
            kind: "safety",
            text: "No handler panics.".to_owned(),
            verdict: "violated",
            message: panic.message.clone(),
        })
    });
    let judged = outcome.properties.iter().map(|judged| {
        let words = ["held", "vacuous", "undecided", "violated"];
        let verdict = words.into_iter().find(|word| *word == judged.verdict);
        let verdict = verdict.ok_or_else(|| format!("no verdict is called {}", judged.verdict))?;
        let detail = judged.detail.clone().unwrap_or_default();
        Ok(DiagramVerdict {
            property: judged.name.clone(),
            kind: if judged.kind == "liveness" { "liveness" } else { "safety" },
            text: text_of(&judged.name),
            verdict,
            message: detail.message.or(detail.reason),
        })
    });
    panicked.chain(judged).collect()
}

/// The first violation, if there is one.
fn violated(outcome: &Recorded, text_of: impl Fn(&str) -> String) -> Option<Violated> {
    let judged = outcome.properties.iter().find(|judged| judged.verdict == "violated")?;
    let Detail { step, at, witnesses, message, .. } = judged.detail.clone()?;
    let kind = match judged.kind.as_str() {
        "liveness" => PropertyKind::Liveness,
        _ => PropertyKind::Safety,
    };
    let (property, sentence) = (judged.name.clone(), text_of(&judged.name));
    let message = message.unwrap_or_default();
    Some(Violated { property, sentence, kind, message, at, step, witnesses })
}
