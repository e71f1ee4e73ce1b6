//! Reduces a failing run to a minimal scenario that still fails in the same way.
//!
//! The run is first made explicit (`explicit.rs`); then elements are removed or simplified one by
//! one, each time running the candidate (`shrinker.rs`), until nothing more can be removed.

pub mod case;
pub mod control;
mod explicit;
mod faults;
mod minimise;
mod network;
pub mod processes;
mod settings;
mod shrinker;
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
use shrinker::Shrinker;
pub use target::Target;

/// A smaller scenario that fails in the same way as a run.
pub struct Shrunk {
    /// The text of the file.
    pub text: String,
    /// The case.
    pub case: Case,
    /// The failure.
    pub target: Target,
    /// The violation in its run, in one sentence.
    pub message: String,
    /// The size of the original run.
    pub before: Size,
    /// The size of the shrunk run.
    pub after: Size,
    /// The number of runs that shrinking took.
    pub runs: u64,
    /// Whether nothing more can be removed; if not, the time was up.
    pub is_minimal: bool,
    /// Whether some other seed does not show the failure.
    pub needs_its_seed: bool,
}

/// The size of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Processes.
    pub processes: u32,
    /// Events handled.
    pub events: u64,
    /// Faults of the plan that struck.
    pub faults: usize,
    /// Messages that are written out.
    pub messages: usize,
    /// Requests that clients make.
    pub requests: u64,
}

/// The limits on shrinking.
pub struct Effort<'a> {
    /// Wall-clock time.
    pub budget: Duration,
    /// Once this is set, shrinking ends with the smallest case so far.
    pub halt: &'a AtomicBool,
    /// Called for each run, with the number of runs and the smallest case so far.
    pub progress: &'a dyn Fn(u64, &Case),
}

/// Shrinks the run with this outcome, in which `target` failed.
///
/// The result is the same each time, unless the budget runs out; then it is the smallest so far.
///
/// # Errors
/// If ftsim itself fails.
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
    // Written-out requests can be an obstacle, too.
    let plain = Some(case.with_list("request", &[])).filter(|plain| {
        !case.list("request").is_empty()
            && run(plain).is_some_and(|outcome| outcome.digest == first.digest)
    });
    let before = size(scenario, outcome);
    let delay_max = network::longest(&case.messages);
    let until = clock().saturating_add(effort.budget);
    // The result depends on the order of removal, so several orders are tried.
    let starts = [(DetectorCalms::First, &case), (DetectorCalms::Last, &case)];
    let starts = starts.into_iter().chain(plain.iter().map(|plain| (DetectorCalms::First, plain)));
    let shrinkers = starts.map(|(order, case)| {
        let start = (case.clone(), first.clone());
        let until = (until, effort.halt);
        let mut shrinker = Shrinker::new(catalogue, target.clone(), start, until, effort.progress);
        shrinker.delay_max = delay_max;
        shrinker.take_controls();
        while reduce(&mut shrinker, order) {}
        finish(&mut shrinker);
        shrinker
    });
    let shrinkers: Vec<Shrinker<'_>> = shrinkers.collect();
    let runs = shrinkers.iter().map(|shrinker| shrinker.runs).sum();
    let needs_its_seed = |shrinker: &Shrinker<'_>| {
        let others = (1..=SEEDS_TRIED).filter(|seed| *seed != shrinker.best.seed);
        let mut cases = others.map(|seed| Case { seed, ..shrinker.best.clone() });
        !cases.all(|case| run(&case).is_some_and(|outcome| shrinker.target.is_shown_by(&outcome)))
    };
    let weighed = shrinkers
        .into_iter()
        .map(|shrinker| (weight(&shrinker, needs_its_seed(&shrinker)), shrinker));
    // On a tie, the first.
    let (weight, shrinker) = weighed.min_by_key(|(weight, _)| *weight).expect("some");
    let needs_its_seed = weight.needs_its_seed;
    let small = shrinker.scenario();
    let after = size(&small, &shrinker.outcome);
    let text = story::file(scenario, &shrinker, needs_its_seed).map_err(|error| InternalError {
        path: scenario.path.clone(),
        seed: outcome.seed,
        message: format!("the shrunk scenario cannot be written: {error}"),
    })?;
    Ok(Shrunk {
        text,
        message: shrinker.target.message(&shrinker.outcome),
        before,
        after,
        runs,
        is_minimal: !shrinker.is_over(),
        needs_its_seed,
        target: shrinker.target,
        case: shrinker.best,
    })
}

/// The number of other seeds that are tried to see whether the seed matters.
const SEEDS_TRIED: u64 = 10;

/// The time at which the detector's delays are made equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DetectorCalms {
    /// Before anything is removed.
    First,
    /// When the rest of a round is done.
    Last,
}

/// The weight by which cases are compared, most important component first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight {
    /// Processes.
    pub processes: u32,
    /// Whether some other seed does not show the failure.
    pub needs_its_seed: bool,
    /// Faults, and messages that are written out.
    pub wrongs: usize,
    /// Events handled.
    pub events: u64,
    /// The approximate number of lines of the file.
    pub lines: usize,
}

fn weight(shrinker: &Shrinker<'_>, needs_its_seed: bool) -> Weight {
    let Size { processes, events, faults, messages, .. } =
        size(&shrinker.scenario(), &shrinker.outcome);
    let (wrongs, lines) = (faults + messages, shrinker.best.line_count());
    Weight { processes, needs_its_seed, wrongs, events, lines }
}

/// The weight of a shrunk file whose single run violates this property; `None` if it does not.
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

/// Executes one round; returns whether anything got smaller.
fn reduce(shrinker: &mut Shrinker<'_>, order: DetectorCalms) -> bool {
    let before = (shrinker.best.table.clone(), shrinker.best.messages.clone());
    settings::sooner(shrinker);
    if order == DetectorCalms::First {
        settings::calm_detector(shrinker);
    }
    faults::fewer_faults(shrinker);
    network::calm(shrinker);
    network::fewer_messages(shrinker);
    faults::crash_between_effects(shrinker);
    // Losses are written out by now, so more controls can hold.
    shrinker.take_controls();
    workload::smaller_workload(shrinker);
    processes::fewer_processes(shrinker);
    workload::fewer_requests(shrinker);
    workload::fewer_words_about_requests(shrinker);
    faults::fewer_faults(shrinker);
    faults::milder_faults(shrinker);
    network::fewer_messages(shrinker);
    settings::fewer_settings(shrinker);
    settings::calm_detector(shrinker);
    settings::any_seed(shrinker);
    let after = (&shrinker.best.table, &shrinker.best.messages);
    !shrinker.is_over() && (&before.0, &before.1) != after
}

/// Makes the case more readable without making it larger.
fn finish(shrinker: &mut Shrinker<'_>) {
    times::round(shrinker);
    while faults::fewer_faults(shrinker)
        | network::fewer_messages(shrinker)
        | processes::fewer_processes(shrinker)
        | workload::fewer_requests(shrinker)
        | workload::fewer_words_about_requests(shrinker)
    {}
    network::name_kinds(shrinker);
    workload::fewer_masks(shrinker);
    settings::any_seed(shrinker);
    shrinker.leave_out_unused();
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
