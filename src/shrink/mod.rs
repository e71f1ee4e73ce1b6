//! From a failing run to the smallest scenario that still fails in the same way.
//!
//! The run is told as data first (`explicit.rs`); then one thing after the other is left out or
//! made plainer, each time by running what is left (`lab.rs`), until nothing more can go.

pub mod case;
pub mod control;
mod explicit;
mod faults;
pub mod file;
mod lab;
mod minimise;
mod network;
pub mod processes;
mod settings;
mod story;
mod target;
mod times;
mod workload;

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ftsim_core::{Outcome, PropertyId};
use ftsim_protocols::Catalogue;

use crate::cli::clock;
use crate::run;
use crate::run::InternalError;
use crate::scenario::Scenario;
pub use case::Case;
use explicit::{Explicit, explicit};
use lab::Lab;
pub use target::Target;

/// A smaller scenario that fails as a run did.
pub struct Shrunk {
    /// The file.
    pub text: String,
    /// The same in pieces.
    pub case: Case,
    /// What it fails by.
    pub target: Target,
    /// What its run shows, in one sentence.
    pub message: String,
    /// How large the run was.
    pub before: Size,
    /// How large it is.
    pub after: Size,
    /// How many runs it took.
    pub runs: u64,
    /// Whether nothing was left to try; if not, time was up.
    pub is_minimal: bool,
    /// Whether another seed would not show the failure.
    pub needs_its_seed: bool,
}

/// How large a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Processes.
    pub processes: u32,
    /// Events handled.
    pub events: u64,
    /// Faults of the plan that strike.
    pub faults: usize,
    /// Messages about which something is written.
    pub messages: usize,
    /// Requests that clients make.
    pub requests: u64,
}

/// What may be spent on it.
pub struct Effort<'a> {
    /// Wall-clock time.
    pub budget: Duration,
    /// Once this is set, the best so far is it.
    pub halt: &'a AtomicBool,
    /// Hears of each run: how many there were, and the smallest case so far.
    pub progress: &'a dyn Fn(u64, &Case),
}

/// Shrinks the run that came to this, and in which `target` failed.
///
/// The result is the same whenever the budget lasts; if it does not, it is the best so far.
///
/// # Errors
/// When ftsim itself fails.
pub fn shrink(
    scenario: &Scenario,
    outcome: &Outcome,
    target: &Target,
    effort: &Effort<'_>,
) -> Result<Shrunk, InternalError> {
    let catalogue = &Catalogue::from(scenario.entry.clone());
    let run = |case: &Case| {
        case.scenario(catalogue).and_then(|scenario| run::run(&scenario, case.seed).ok())
    };
    let Explicit { case, outcome: first } = explicit(scenario, outcome, run)?;
    // Requests that are written out can stand in the way, too.
    let plain = Some(case.with_list("request", &[])).filter(|plain| {
        !case.list("request").is_empty()
            && run(plain).is_some_and(|outcome| outcome.digest == first.digest)
    });
    let before = size(scenario, outcome);
    let delay_max = network::longest(&case.messages);
    let until = clock().saturating_add(effort.budget);
    // What is minimal depends on what is left out first, so several orders are tried.
    let starts = [(DetectorCalms::First, &case), (DetectorCalms::Last, &case)];
    let starts = starts.into_iter().chain(plain.iter().map(|plain| (DetectorCalms::First, plain)));
    let labs = starts.map(|(order, case)| {
        let start = (case.clone(), first.clone());
        let until = (until, effort.halt);
        let mut lab = Lab::new(catalogue, target.clone(), start, until, effort.progress);
        lab.delay_max = delay_max;
        lab.take_controls();
        while reduce(&mut lab, order) {}
        finish(&mut lab);
        lab
    });
    let labs: Vec<Lab<'_>> = labs.collect();
    let runs = labs.iter().map(|lab| lab.runs).sum();
    let needs_its_seed = |lab: &Lab<'_>| {
        let others = (1..=SEEDS_TRIED).filter(|seed| *seed != lab.best.seed);
        let mut cases = others.map(|seed| Case { seed, ..lab.best.clone() });
        !cases.all(|case| run(&case).is_some_and(|outcome| lab.target.is_shown_by(&outcome)))
    };
    let weighed = labs.into_iter().map(|lab| (weight(&lab, needs_its_seed(&lab)), lab));
    // Of equals the first.
    let (weight, lab) = weighed.min_by_key(|(weight, _)| *weight).expect("some");
    let needs_its_seed = weight.needs_its_seed;
    let small = lab.scenario();
    let after = size(&small, &lab.outcome);
    Ok(Shrunk {
        text: story::file(scenario, &lab, needs_its_seed),
        message: lab.target.message(&lab.outcome),
        before,
        after,
        runs,
        is_minimal: !lab.is_over(),
        needs_its_seed,
        target: lab.target,
        case: lab.best,
    })
}

/// So many seeds tell whether what is left to the seed matters.
const SEEDS_TRIED: u64 = 10;

/// When the detector's delays become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DetectorCalms {
    /// Before anything is left out.
    First,
    /// When the rest of a round is done.
    Last,
}

/// What makes one case smaller than another, what matters most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight {
    /// Processes.
    pub processes: u32,
    /// Whether another seed would not show the failure.
    pub needs_its_seed: bool,
    /// Faults, and messages about which something is written.
    pub wrongs: usize,
    /// Events handled.
    pub events: u64,
    /// Lines of the file, about.
    pub lines: usize,
}

fn weight(lab: &Lab<'_>, needs_its_seed: bool) -> Weight {
    let Size { processes, events, faults, messages, .. } = size(&lab.scenario(), &lab.outcome);
    let (wrongs, lines) = (faults + messages, lab.best.line_count());
    Weight { processes, needs_its_seed, wrongs, events, lines }
}

/// The weight of a shrunk file, whose only run violates this property; `None` if it does not.
pub fn weight_of(small: &Scenario, seed: u64, property: &str) -> Option<Weight> {
    let outcome = run::run(small, seed).ok()?;
    let known = small.checked.iter().map(|known| known.id).filter(|id| id.0 == property);
    let wanted: Vec<PropertyId> = known.collect();
    let target = Target::of(&outcome, &wanted).filter(|target| target.name() == property)?;
    let mut others = (1..=SEEDS_TRIED).filter(|other| *other != seed);
    let shows = |other| run::run(small, other).is_ok_and(|outcome| target.is_shown_by(&outcome));
    let Size { processes, events, faults, messages, .. } = size(small, &outcome);
    Some(Weight {
        processes,
        needs_its_seed: !others.all(shows),
        wrongs: faults + messages,
        events,
        lines: small.text.lines().count(),
    })
}

/// One round; whether anything has become smaller.
fn reduce(lab: &mut Lab<'_>, order: DetectorCalms) -> bool {
    let before = (lab.best.table.clone(), lab.best.messages.clone());
    settings::sooner(lab);
    if order == DetectorCalms::First {
        settings::calm_detector(lab);
    }
    faults::fewer_faults(lab);
    network::calm(lab);
    network::fewer_messages(lab);
    faults::crash_between_effects(lab);
    // Losses are written out by now, so that more can be well without them.
    lab.take_controls();
    workload::smaller_workload(lab);
    processes::fewer_processes(lab);
    workload::fewer_requests(lab);
    workload::fewer_words_about_requests(lab);
    faults::fewer_faults(lab);
    faults::milder_faults(lab);
    network::fewer_messages(lab);
    settings::fewer_settings(lab);
    settings::calm_detector(lab);
    settings::any_seed(lab);
    let after = (&lab.best.table, &lab.best.messages);
    !lab.is_over() && (&before.0, &before.1) != after
}

/// Makes it readable; nothing gets larger.
fn finish(lab: &mut Lab<'_>) {
    times::round(lab);
    while faults::fewer_faults(lab)
        | network::fewer_messages(lab)
        | processes::fewer_processes(lab)
        | workload::fewer_requests(lab)
        | workload::fewer_words_about_requests(lab)
    {}
    network::name_kinds(lab);
    workload::fewer_masks(lab);
    settings::any_seed(lab);
    lab.leave_out_unused();
}

fn size(scenario: &Scenario, outcome: &Outcome) -> Size {
    let experiment = &scenario.experiment;
    let masked = (experiment.masks.len() - outcome.unused_masks.len()) as u64;
    Size {
        processes: experiment.setting.n,
        events: outcome.statistics.events,
        faults: outcome.plan.faults.len() - outcome.unfired.len(),
        messages: experiment.overrides.len(),
        requests: outcome.statistics.requests.iter().sum::<u64>() - masked,
    }
}
