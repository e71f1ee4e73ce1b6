//! Many seeds of one scenario, on several threads: what came of them, in the order of the seeds.

use std::any::Any;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Once, mpsc};

use ftsim_core::fault::Plan;

use crate::crash_point::{CrashPoint, EveryCrashPoint};
use crate::scenario::Scenario;
use crate::tally::Tally;

/// Seeds that a thread takes at once.
const BLOCK: u64 = 16;

/// ftsim itself has failed: a bug, with what reproduces it.
#[derive(Debug, thiserror::Error)]
#[error("{message} (in {path}, seed {seed})")]
pub struct InternalError {
    /// The scenario.
    pub path: String,
    /// The seed.
    pub seed: u64,
    /// What the panic said.
    pub message: String,
}

/// Runs these seeds on so many threads; or every crash point of the first of them, where the
/// scenario says so. The result is the same for any number of them.
///
/// `progress` hears of every seed that is done, in any order.
///
/// # Errors
/// When ftsim itself fails.
pub fn sweep(
    scenario: &Scenario,
    seeds: Range<u64>,
    jobs: usize,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Tally, InternalError> {
    let points = match scenario.crash_points {
        Some(every) if !seeds.is_empty() => Some(crash_points(scenario, seeds.start, every)?),
        _ => None,
    };
    let count = seeds.end.saturating_sub(seeds.start);
    let count = points.as_ref().map_or(count, |points| points.plans.len() as u64);
    let blocks = count.div_ceil(BLOCK);
    let useful = usize::try_from(blocks).unwrap_or(usize::MAX).max(1);
    let work =
        Work { scenario, seeds, points, blocks, next: AtomicU64::new(0), stop: false.into() };
    let (sender, receiver) = mpsc::sync_channel(4 * jobs.max(1));
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, useful) {
            let (sender, work) = (sender.clone(), &work);
            scope.spawn(move || work.execute(&sender, progress));
        }
        drop(sender);
        gather(receiver)
    })
}

type BlockResult = (u64, Result<Tally, InternalError>);

/// The seeds of a sweep, cut into blocks that threads take one by one.
struct Work<'s> {
    scenario: &'s Scenario,
    seeds: Range<u64>,
    /// The crash points of the first seed, if they are run instead.
    points: Option<Points>,
    blocks: u64,
    /// The first block that no thread has taken yet.
    next: AtomicU64,
    /// Whether ftsim has failed, so that the rest need not be run.
    stop: AtomicBool,
}

impl Work<'_> {
    /// What one thread does.
    fn execute(&self, sender: &mpsc::SyncSender<BlockResult>, progress: &(dyn Fn(u64) + Sync)) {
        let mut worker = Worker::new(self.scenario);
        while !self.stop.load(Ordering::Relaxed) {
            let block = self.next.fetch_add(1, Ordering::Relaxed);
            if block >= self.blocks {
                return;
            }
            let result = match &self.points {
                None => {
                    let start = self.seeds.start + block * BLOCK;
                    let end = self.seeds.end.min(start.saturating_add(BLOCK));
                    worker.run((start..end).map(|seed| (seed, None)), progress)
                }
                Some(points) => {
                    let seed = self.seeds.start;
                    let index = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
                    let plans = points.plans.iter().skip(index(block * BLOCK)).take(index(BLOCK));
                    worker.run(plans.map(|plan| (seed, Some(plan))), progress)
                }
            };
            self.stop.fetch_or(result.is_err(), Ordering::Relaxed);
            if sender.send((block, result)).is_err() {
                return;
            }
        }
    }
}

/// Puts the blocks together in their order.
fn gather(receiver: mpsc::Receiver<BlockResult>) -> Result<Tally, InternalError> {
    let mut early = BTreeMap::new();
    let mut total = Tally::default();
    let mut next = 0;
    for (block, result) in receiver {
        early.insert(block, result);
        while let Some(result) = early.remove(&next) {
            total.append(result?);
            next += 1;
        }
    }
    // An error may have kept an earlier block from being run.
    early.into_values().find_map(Result::err).map_or(Ok(total), Err)
}

/// Runs seeds on one thread.
struct Worker<'s> {
    scenario: &'s Scenario,
    runner: Option<Box<dyn ftsim_core::Runner>>,
}

impl<'s> Worker<'s> {
    const fn new(scenario: &'s Scenario) -> Self {
        Self { scenario, runner: None }
    }

    fn run(
        &mut self,
        runs: impl Iterator<Item = (u64, Option<&'s (CrashPoint, Plan)>)>,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Tally, InternalError> {
        let mut tally = Tally::default();
        for (seed, crash) in runs {
            let outcome = guarded(self.scenario, seed, || {
                if self.runner.is_none() {
                    self.runner = Some(prepare(self.scenario, seed)?);
                }
                let runner = self.runner.as_mut().expect("just prepared");
                Ok(match crash {
                    None => runner.run(seed),
                    Some((_, plan)) => runner.run_under(seed, plan.clone()),
                })
            })?;
            tally.add(&outcome, crash.map(|(point, _)| *point));
            progress(1);
        }
        Ok(tally)
    }
}

/// Every crash point of one seed, and the plan of each.
struct Points {
    plans: Vec<(CrashPoint, Plan)>,
}

fn crash_points(
    scenario: &Scenario,
    seed: u64,
    every: EveryCrashPoint,
) -> Result<Points, InternalError> {
    let profile = guarded(scenario, seed, || Ok(prepare(scenario, seed)?.profile(seed)))?;
    let scripted = &scenario.experiment.plan;
    let points = profile.crash_points().map(|(process, nth)| CrashPoint { process, nth });
    let plans = points.map(|point| (point, every.plan(scripted, point))).collect();
    Ok(Points { plans })
}

/// Runs one crash point of a seed and records it.
///
/// # Errors
/// When ftsim itself fails.
pub fn record_crash_point(
    scenario: &Scenario,
    seed: u64,
    every: EveryCrashPoint,
    point: CrashPoint,
) -> Result<(ftsim_core::Outcome, ftsim_core::Trace), InternalError> {
    let plan = every.plan(&scenario.experiment.plan, point);
    guarded(scenario, seed, || Ok(prepare(scenario, seed)?.record_under(seed, plan)))
}

/// Runs one seed and records it.
///
/// # Errors
/// When ftsim itself fails.
pub fn record(
    scenario: &Scenario,
    seed: u64,
) -> Result<(ftsim_core::Outcome, ftsim_core::Trace), InternalError> {
    guarded(scenario, seed, || Ok(prepare(scenario, seed)?.record(seed)))
}

fn prepare(scenario: &Scenario, seed: u64) -> Result<Box<dyn ftsim_core::Runner>, InternalError> {
    scenario.prepare().map_err(|error| InternalError {
        path: scenario.path.clone(),
        seed,
        message: format!("{}: {}", error.key, error.message),
    })
}

thread_local! {
    /// Whether this thread executes a run, whose panics are verdicts and no noise.
    static RUNNING: Cell<bool> = const { Cell::new(false) };
}

/// Executes a run without a word on stderr, whatever panics in it.
fn guarded<T>(
    scenario: &Scenario,
    seed: u64,
    run: impl FnOnce() -> Result<T, InternalError>,
) -> Result<T, InternalError> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let default = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !RUNNING.get() {
                default(info);
            }
        }));
    });
    RUNNING.set(true);
    let result = catch_unwind(AssertUnwindSafe(run));
    RUNNING.set(false);
    result.unwrap_or_else(|panic| {
        let message = format!("it panicked: {}", panic_message(&*panic));
        Err(InternalError { path: scenario.path.clone(), seed, message })
    })
}

/// What a panic said.
pub fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("nothing")
}
