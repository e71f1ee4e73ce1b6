//! One run: a seed of a scenario, or one of its crash points, executed and optionally recorded.

pub mod audited;
pub mod divergence;
pub mod failing_run;
pub mod failure;
pub mod figures;
pub(crate) mod lanes;
pub mod necessity;
pub(crate) mod one_run;
pub(crate) mod picture;
pub(crate) mod record_file;
pub(crate) mod record_picture;
pub(crate) mod report;
pub mod repro;
pub(crate) mod sent;
pub(crate) mod story;
pub mod strikes;

use ftsim_core::engine::panics;
use ftsim_core::fault::Plan;
use ftsim_core::outcome::decisions::RecordedSchedule;
use ftsim_core::outcome::operations::OperationEvent;
use ftsim_core::{Outcome, RunRequest, Trace};

use crate::cli::Failure;
use crate::scenario::Scenario;
use crate::scenario::crash_point::{CrashPoint, EveryCrashPoint, NoSuchPoint};
use divergence::{Divergence, first_divergence};

/// How many times each run is executed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repeat {
    /// Once.
    #[default]
    Once,
    /// Twice, to check that both executions are the same.
    Twice,
}

/// The reason why seeds could not be run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A bug in ftsim.
    #[error(transparent)]
    Internal(#[from] InternalError),
    /// Two runs of one seed differ.
    #[error(transparent)]
    Diverged(Box<Divergence>),
}

/// ftsim itself failed: a bug, and how to reproduce it.
#[derive(Debug, thiserror::Error)]
#[error("{message} (in {path}, seed {seed})")]
pub struct InternalError {
    /// The scenario.
    pub path: String,
    /// The seed.
    pub seed: u64,
    /// The message of the panic.
    pub message: String,
}

impl From<InternalError> for Failure {
    fn from(error: InternalError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Internal(error) => error.into(),
            RunError::Diverged(divergence) => Self::Diverged(divergence.to_string()),
        }
    }
}

/// Every crash point of one seed, and the plan of each.
///
/// # Errors
/// If ftsim itself fails.
pub fn crash_points(
    scenario: &Scenario,
    seed: u64,
    every: EveryCrashPoint,
) -> Result<Vec<(CrashPoint, Plan)>, InternalError> {
    let profile = guarded(scenario, seed, || Ok(prepare(scenario, seed)?.profile(seed)))?;
    let scripted = scripted(scenario, seed)?;
    let points = profile.crash_points().map(|(process, nth)| CrashPoint { process, nth });
    Ok(points.map(|point| (point, every.plan(&scripted, point))).collect())
}

/// The runs of one seed: a single one, or one for each of its crash points.
///
/// # Errors
/// If ftsim itself fails.
pub(crate) fn runs_of(
    scenario: &Scenario,
    seed: u64,
) -> Result<Vec<(Option<CrashPoint>, RunRequest)>, InternalError> {
    let Some(every) = scenario.crash_points else { return Ok(vec![(None, seed.into())]) };
    let points = crash_points(scenario, seed, every)?.into_iter();
    Ok(points.map(|(point, plan)| (Some(point), RunRequest::under(seed, plan))).collect())
}

/// The run of a seed, or of one of its crash points.
///
/// # Errors
/// If ftsim itself fails.
pub fn request(
    scenario: &Scenario,
    seed: u64,
    point: Option<CrashPoint>,
) -> Result<RunRequest, InternalError> {
    let Some((every, point)) = scenario.crash_points.zip(point) else { return Ok(seed.into()) };
    Ok(RunRequest::under(seed, every.plan(&scripted(scenario, seed)?, point)))
}

/// The faults of the file for this seed, with the targets that the seed chooses.
fn scripted(scenario: &Scenario, seed: u64) -> Result<Plan, InternalError> {
    if scenario.experiment.choices.is_empty() {
        return Ok(scenario.experiment.plan.clone());
    }
    run(scenario, seed).map(|outcome| Plan::clone(&outcome.plan))
}

/// Whether a seed has this crash point.
///
/// # Errors
/// If ftsim itself fails.
pub fn find_crash_point(
    scenario: &Scenario,
    seed: u64,
    point: CrashPoint,
) -> Result<Result<(), NoSuchPoint>, InternalError> {
    let profile = guarded(scenario, seed, || Ok(prepare(scenario, seed)?.profile(seed)))?;
    let effects = profile.effects.get(point.process.index()).map_or(0, |all| all.len() as u64);
    let path = scenario.path.clone();
    let missing = NoSuchPoint { path, seed, point, effects };
    Ok(if point.nth <= effects { Ok(()) } else { Err(missing) })
}

/// Executes one run.
///
/// # Errors
/// If ftsim itself fails.
pub fn run(scenario: &Scenario, request: impl Into<RunRequest>) -> Result<Outcome, InternalError> {
    let request = request.into();
    guarded(scenario, request.seed, || Ok(prepare(scenario, request.seed)?.run(request)))
}

/// Executes one run and records it.
///
/// # Errors
/// If ftsim itself fails.
pub fn record(
    scenario: &Scenario,
    request: impl Into<RunRequest>,
) -> Result<(Outcome, Trace), InternalError> {
    let request = request.into();
    guarded(scenario, request.seed, || Ok(prepare(scenario, request.seed)?.record(request)))
}

/// Executes one run and returns the fate of each message.
///
/// # Errors
/// If ftsim itself fails.
pub fn schedule(
    scenario: &Scenario,
    request: impl Into<RunRequest>,
) -> Result<(Outcome, RecordedSchedule), InternalError> {
    let request = request.into();
    guarded(scenario, request.seed, || Ok(prepare(scenario, request.seed)?.schedule(request)))
}

/// Executes one run and returns the operations of its clients.
///
/// # Errors
/// If ftsim itself fails.
pub fn operations(
    scenario: &Scenario,
    request: impl Into<RunRequest>,
) -> Result<(Outcome, Vec<OperationEvent>), InternalError> {
    let request = request.into();
    guarded(scenario, request.seed, || Ok(prepare(scenario, request.seed)?.operations(request)))
}

/// Records a seed, or one of its crash points.
///
/// # Errors
/// If ftsim itself fails.
pub fn record_either(
    scenario: &Scenario,
    seed: u64,
    point: Option<CrashPoint>,
) -> Result<(Outcome, Trace), InternalError> {
    record(scenario, request(scenario, seed, point)?)
}

/// Runs one seed, or one crash point of it.
///
/// # Errors
/// If ftsim itself fails, or if the run is repeated and differs.
pub fn run_one(
    scenario: &Scenario,
    seed: u64,
    point: Option<CrashPoint>,
    repeat: Repeat,
) -> Result<Outcome, RunError> {
    if repeat == Repeat::Once {
        return Ok(run(scenario, request(scenario, seed, point)?)?);
    }
    let once = record_either(scenario, seed, point)?;
    let again = record_either(scenario, seed, point)?;
    same(scenario, seed, point, &once, &again)?;
    Ok(once.0)
}

/// Returns an error if two runs of one seed differ.
pub(crate) fn same(
    scenario: &Scenario,
    seed: u64,
    crash_point: Option<CrashPoint>,
    one: &(Outcome, Trace),
    other: &(Outcome, Trace),
) -> Result<(), RunError> {
    let Some(differs) = first_divergence(one, other) else { return Ok(()) };
    let path = scenario.path.clone();
    Err(RunError::Diverged(Box::new(Divergence { path, seed, crash_point, differs })))
}

pub(crate) fn prepare(scenario: &Scenario, seed: u64) -> Result<ftsim_core::Runner, InternalError> {
    scenario.prepare().map_err(|error| InternalError {
        path: scenario.path.clone(),
        seed,
        message: format!("{}: {}", error.key, error.message),
    })
}

/// Executes a run; a panic prints nothing on stderr and becomes an error.
pub(crate) fn guarded<T>(
    scenario: &Scenario,
    seed: u64,
    run: impl FnOnce() -> Result<T, InternalError>,
) -> Result<T, InternalError> {
    panics::catch(run).unwrap_or_else(|panic| {
        let message = format!("it panicked: {}", panic.text());
        Err(InternalError { path: scenario.path.clone(), seed, message })
    })
}
