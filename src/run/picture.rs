//! The diagram of a run.

use std::path::Path;

use ftsim_core::{Outcome, ProcessId, Trace};
use ftsim_reports::{
    About, Diagram, Lane, StateAfter, Story, Violated, drawing, program, shell_word,
    with_separators, write_run_page,
};

use super::InternalError;
use super::necessity::Needs;
use super::one_run::OneRun;
use super::story::{need_sentences, needs_of, violations};
use crate::cli::Failure;
use crate::files::{at, write_whole};
use crate::run;

/// The maximum number of entries of a trace that is drawn: a page of more is slow to open.
pub(crate) const ENTRY_COUNT_MAX: usize = 200_000;
/// The maximum size of all states that a page is made from; later ones are not shown.
const STATE_BYTES_MAX: usize = 64 << 20;

/// Writes the page of a recorded run, with the story of this violation.
///
/// # Errors
/// If the run is too long or the file cannot be written, or ftsim itself fails.
pub(crate) fn write_page(
    path: &Path,
    run: &OneRun,
    recorded: (&Outcome, &Trace),
    told: Option<&Violated>,
) -> Result<(), Failure> {
    check_length(&run.scenario.path, recorded.1)?;
    let needs = told.map(|violated| needs_of(&run.scenario, recorded.0, violated)).transpose()?;
    let told = told.map(|violated| (violated, needs.as_ref().and_then(Option::as_ref)));
    let mut page = Vec::new();
    at(path, write_run_page(&mut page, &diagram(run, recorded, told)?))?;
    write_whole(path, &page)?;
    Ok(())
}

/// The diagram of a recorded run, for another tool.
///
/// # Errors
/// If the run is too long, or ftsim itself fails.
pub(crate) fn plain_diagram(
    run: &OneRun,
    recorded: (&Outcome, &Trace),
) -> Result<Diagram, Failure> {
    check_length(&run.scenario.path, recorded.1)?;
    Ok(diagram(run, recorded, None)?)
}

/// Refuses a trace that is too long for a page.
///
/// # Errors
/// If it is.
fn check_length(path: &str, trace: &Trace) -> Result<(), Failure> {
    let count = trace.entries.len();
    if count <= ENTRY_COUNT_MAX {
        return Ok(());
    }
    Err(Failure::BadFile(format!(
        "{path}: the trace of this run has {} entries, and viewers show at most {}; set [run] \
         horizon or max_events lower",
        with_separators(count as u64),
        with_separators(ENTRY_COUNT_MAX as u64),
    )))
}

/// Writes the drawing of a recorded run, with the story of this violation.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn write_drawing(
    path: &Path,
    run: &OneRun,
    recorded: (&Outcome, &Trace),
    told: Option<&Violated>,
) -> Result<(), Failure> {
    let diagram = diagram_without_states(run, recorded, told.map(|violated| (violated, None)));
    let mut drawing = Vec::new();
    at(path, drawing::write_svg(&mut drawing, &diagram, drawing::Size::default()))?;
    write_whole(path, &drawing)?;
    Ok(())
}

/// The diagram of a recorded run, with the story of one of its violations, if it is given.
///
/// # Errors
/// If ftsim itself fails.
pub(crate) fn diagram(
    run: &OneRun,
    recorded: (&Outcome, &Trace),
    told: Option<(&Violated, Option<&Needs>)>,
) -> Result<Diagram, InternalError> {
    let states = states(run, STATE_BYTES_MAX)?;
    let mut diagram = diagram_without_states(run, recorded, told).with_states(&states.all);
    diagram.about.notices.extend(states.notice());
    diagram.about.states_end = states.left_out;
    Ok(diagram)
}

/// The same without the states of processes, for pictures that do not show them.
pub(crate) fn diagram_without_states(
    run: &OneRun,
    (outcome, trace): (&Outcome, &Trace),
    told: Option<(&Violated, Option<&Needs>)>,
) -> Diagram {
    let OneRun { scenario, seed, point } = run;
    let point = point.map_or_else(String::new, |point| format!(" --crash-point {point}"));
    let about = About {
        scenario: scenario.path.clone(),
        summary: scenario.summary.clone(),
        protocol: scenario.entry.name.to_owned(),
        problem: scenario.entry.spec.to_owned(),
        mutant: scenario.experiment.setting.mutant.map(|mutant| mutant.name.to_owned()),
        seed: *seed,
        events: outcome.statistics.events,
        ended: format!("at {}: {}", outcome.at, outcome.cause),
        digest: outcome.digest.to_string(),
        command: format!(
            "{} replay {} --seed {seed}{point}",
            program(),
            shell_word(&scenario.path)
        ),
        truncated: trace.truncated,
        notices: truncation(trace).into_iter().collect(),
        states_end: None,
    };
    let bound = scenario.experiment.network.bound;
    let known = violations(scenario, outcome);
    let text_of = |property: &str| {
        let checked = scenario.checked.iter().find(|known| known.id.0 == property);
        let told = known.iter().find(|violated| violated.property == property);
        checked.map_or_else(
            || told.map_or_else(String::new, |violated| violated.sentence.clone()),
            |checked| checked.text.to_owned(),
        )
    };
    let diagram =
        Diagram::of(about, lanes(run, trace), trace, Some(bound)).with_verdicts(outcome, text_of);
    match told {
        Some((violated, needs)) => {
            let needs = needs.map_or_else(Vec::new, need_sentences);
            diagram.with_story(&Story::of(trace, violated), needs)
        }
        None => diagram,
    }
}

/// The processes, and after them the second copies of those that have a twin.
fn lanes(run: &OneRun, trace: &Trace) -> Vec<Lane> {
    let setting = &run.scenario.experiment.setting;
    let has_roles = setting.roles.len() > 1;
    let role_of = |p: ProcessId| {
        let mut first = 0;
        let role = setting.roles.iter().find(|(_, count)| {
            first += count;
            p.0 < first
        });
        role.filter(|_| has_roles).map(|(role, _)| role.clone())
    };
    let lane = |p: ProcessId| Lane { name: p.to_string(), role: role_of(p) };
    let last = trace.entries.iter().filter_map(|entry| entry.process).max();
    let twins = last.map_or(0, |last| (last.0 + 1).saturating_sub(setting.n));
    let twin = |p: u32| Lane { name: ProcessId(p).to_string(), role: Some("twin".to_owned()) };
    setting.processes().map(lane).chain((setting.n..setting.n + twins).map(twin)).collect()
}

/// Why the page ends before the run, if it does.
pub(crate) fn truncation(trace: &Trace) -> Option<String> {
    let last = trace.entries.last().filter(|_| trace.truncated)?;
    Some(format!(
        "The trace ends at step {}, before the run: it is limited to {} entries.",
        with_separators(last.step),
        with_separators(Trace::ENTRY_COUNT_MAX as u64)
    ))
}

/// The states of processes after each step, up to a limit.
struct States {
    all: Vec<StateAfter>,
    /// The first step whose states are left out.
    left_out: Option<u64>,
}

impl States {
    /// What is left out, if anything is.
    fn notice(&self) -> Option<String> {
        let step = with_separators(self.left_out?);
        Some(format!(
            "From step {step} on, no states are shown: those of the whole run are too large for a \
             page."
        ))
    }
}

/// The states of processes after each step, of at most so many bytes.
fn states(run: &OneRun, bytes_max: usize) -> Result<States, InternalError> {
    let request = run.request()?;
    run::guarded(&run.scenario, run.seed, || {
        let (mut states, mut bytes) = (States { all: Vec::new(), left_out: None }, 0);
        let mut runner = run::prepare(&run.scenario, run.seed)?;
        runner.watch(request.clone(), &mut |step, process, state| {
            bytes += state.len();
            if bytes > bytes_max {
                states.left_out.get_or_insert(step);
            } else {
                states.all.push(StateAfter { step, process, state });
            }
        });
        Ok(states)
    })
}
