//! From a failing run to the smallest scenario that still fails in the same way.
//!
//! The run is told as data first (`explicit.rs`); then one thing after the other is left out or
//! made plainer, each time by running what is left (`shrinker.rs`), until nothing more can go.

pub mod case;
pub mod control;
mod explicit;
mod faults;
pub mod file;
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
    // Of equals the first.
    let (weight, shrinker) = weighed.min_by_key(|(weight, _)| *weight).expect("some");
    let needs_its_seed = weight.needs_its_seed;
    let small = shrinker.scenario();
    let after = size(&small, &shrinker.outcome);
    Ok(Shrunk {
        text: story::file(scenario, &shrinker, needs_its_seed),
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

fn weight(shrinker: &Shrinker<'_>, needs_its_seed: bool) -> Weight {
    let Size { processes, events, faults, messages, .. } =
        size(&shrinker.scenario(), &shrinker.outcome);
    let (wrongs, lines) = (faults + messages, shrinker.best.line_count());
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
    // Losses are written out by now, so that more can be well without them.
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

/// Makes it readable; nothing gets larger.
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
