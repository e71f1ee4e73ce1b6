//! Runs many seeds of one scenario on several threads and collects the results in seed order.

pub(crate) mod ci;
pub mod fault_counts;
pub mod figures;
pub mod judge;
pub mod moments;
pub(crate) mod numbers;
pub(crate) mod regression;
pub(crate) mod report;
pub mod results;
pub mod shard;
pub mod spread;
mod statistic;
pub mod tally;
pub mod traffic;
pub(crate) mod watchdog;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError, mpsc};
use std::time::Duration;

use ftsim_core::explore::Frontier;
use ftsim_core::{Outcome, RunRequest};

use crate::cli::{Exit, complain};
use crate::explore::Seeded;
use crate::run::divergence::{Differs, Divergence};
use crate::run::failing_run::FailingRun;
use crate::run::{InternalError, Repeat, RunError, guarded, prepare, runs_of, same};
use crate::scenario::Scenario;
use crate::scenario::crash_point::CrashPoint;
use crate::sweep::results::StopRule;
use crate::sweep::tally::Tally;
use crate::sweep::watchdog::{Post, Stuck, Watchdog};

/// The block size if blocks do not show in the result.
pub const BLOCK: u64 = 16;
/// For each thread, how many blocks it may be ahead of the next block to be collected.
const AHEAD: u64 = 64;

/// The runs to execute.
pub struct SweepJob<'s> {
    /// The scenario.
    pub scenario: &'s Scenario,
    /// Its seeds.
    pub seeds: Range<u64>,
    /// The number of seeds in a block, at least 1; the last one can have fewer.
    pub block: u64,
    /// The number of threads.
    pub jobs: usize,
    /// How many times each run is executed.
    pub repeat: Repeat,
    /// The rule by which a failing run ends its block; `None`: blocks are complete.
    pub until: Option<&'s StopRule>,
    /// Once this is set, no further block is started.
    pub halt: &'s AtomicBool,
    /// The time limit of a run, if any.
    pub timeout: Option<Timeout<'s>>,
    /// What chooses the steps of a run in place of drawn times, if anything does.
    pub strategy: Option<&'s Seeded>,
}

/// The time limit of a run.
#[derive(Clone, Copy)]
pub struct Timeout<'s> {
    /// The limit, by the wall clock.
    pub limit: Duration,
    /// Called before a handler that does not return ends the program, to write what is finished.
    pub before_exit: &'s (dyn Fn() + Sync),
}

impl SweepJob<'_> {
    /// Reports a run that makes no progress. If it is beyond the limit, the program ends, because a
    /// handler that does not return cannot be stopped alone.
    fn report(&self, stuck: &Stuck) {
        let Stuck { seed, step, process, since, is_beyond_limit } = stuck;
        let (path, protocol) = (&self.scenario.path, self.scenario.entry.name);
        let seconds = since.as_secs_f32();
        let place =
            format!("{path}, seed {seed}: {protocol} has been in step {step}, at {process}");
        if *is_beyond_limit {
            if let Some(timeout) = self.timeout {
                (timeout.before_exit)();
            }
            complain(&format!("{place}, for {seconds:.1} s: the run hung"));
            std::process::exit(i32::from(Exit::Unexpected as u8));
        }
        complain(&format!("{place}, for {seconds:.0} s"));
    }
}

/// The results of a block of seeds.
pub struct Block {
    /// The seeds that were run.
    pub seeds: Range<u64>,
    /// The counts.
    pub tally: Tally,
    /// The runs that violated something, expected or not, in order.
    pub failing: Vec<FailingRun>,
}

/// Runs these seeds on this many threads, each of them at every crash point if the scenario says
/// so. The result does not depend on the number of threads.
///
/// `progress` is called for every finished seed, in any order.
///
/// # Errors
/// If ftsim itself fails.
pub fn sweep(
    scenario: &Scenario,
    seeds: Range<u64>,
    jobs: usize,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Tally, RunError> {
    sweep_repeated(scenario, seeds, jobs, Repeat::Once, progress)
}

/// Like [`sweep`], with the number of executions of each run.
///
/// # Errors
/// If ftsim itself fails, or two runs of one seed differ.
pub fn sweep_repeated(
    scenario: &Scenario,
    seeds: Range<u64>,
    jobs: usize,
    repeat: Repeat,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Tally, RunError> {
    let halt = AtomicBool::new(false);
    let order = SweepJob {
        scenario,
        seeds,
        block: BLOCK,
        jobs,
        repeat,
        until: None,
        halt: &halt,
        timeout: None,
        strategy: None,
    };
    Ok(sweep_until(&order, progress)?.0)
}

/// Executes a job until it ends or is halted; also returns the first seed that was not run.
///
/// # Errors
/// If ftsim itself fails, or two runs of one seed differ.
pub fn sweep_until(
    order: &SweepJob<'_>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(Tally, u64), RunError> {
    let (mut total, mut next) = (Tally::default(), order.seeds.start);
    let gathered = blocks(order, progress, |block| -> Result<_, Stop<Infallible>> {
        total.append(block.tally);
        next = block.seeds.end;
        Ok(ControlFlow::Continue(()))
    });
    match gathered {
        Ok(()) => Ok((total, next)),
        Err(Stop::Run(error)) => Err(error),
        Err(Stop::Take(never)) => match never {},
    }
}

/// The reason why the collection of blocks ended early.
#[derive(Debug)]
pub enum Stop<E> {
    /// A run could not be executed.
    Run(RunError),
    /// `take` failed.
    Take(E),
}

/// Runs seeds in blocks and passes the blocks to `take` in order, until `take` breaks or fails.
///
/// The blocks do not depend on the number of threads. `progress` is called for every finished seed,
/// in any order.
///
/// # Errors
/// If ftsim itself fails, if runs are repeated and differ, or if `take` fails.
pub fn blocks<E>(
    order: &SweepJob<'_>,
    progress: &(dyn Fn(u64) + Sync),
    take: impl FnMut(Block) -> Result<ControlFlow<()>, Stop<E>>,
) -> Result<(), Stop<E>> {
    let count = order.seeds.end.saturating_sub(order.seeds.start).div_ceil(order.block);
    let useful = usize::try_from(count).unwrap_or(usize::MAX).max(1);
    let jobs = order.jobs.clamp(1, useful);
    let work = Work {
        order,
        count,
        window: AHEAD * jobs as u64,
        next: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        gathered: Mutex::new(0),
        turn: Condvar::new(),
    };
    let (sender, receiver) = mpsc::sync_channel(4 * jobs);
    let watchdog = Watchdog::new(jobs, order.timeout.map(|timeout| timeout.limit));
    std::thread::scope(|scope| {
        for thread in 0..jobs {
            let (sender, work, post) = (sender.clone(), &work, watchdog.post(thread));
            scope.spawn(move || work.execute(post, &sender, progress));
        }
        drop(sender);
        scope.spawn(|| watchdog.watch(|stuck| order.report(stuck)));
        let _watched = watchdog.until_dropped();
        let result = work.gather(receiver, take);
        work.stop();
        result
    })
}

type BlockResult = (u64, Result<Block, RunError>);

/// The seeds of a sweep, cut into blocks that the threads take one by one.
struct Work<'s> {
    order: &'s SweepJob<'s>,
    /// The number of blocks.
    count: u64,
    /// How many blocks a thread may be ahead of the next block to be collected.
    window: u64,
    /// The first block that no thread has taken yet.
    next: AtomicU64,
    /// Whether the remaining blocks are not needed.
    stop: AtomicBool,
    /// The number of collected blocks.
    gathered: Mutex<u64>,
    /// Wakes threads that wait for `gathered` to grow.
    turn: Condvar,
}

impl Work<'_> {
    /// The loop of one thread. A block that was taken is always run, so that the blocks that were
    /// run form a prefix without gaps.
    fn execute(
        &self,
        post: &Post,
        sender: &mpsc::SyncSender<BlockResult>,
        progress: &(dyn Fn(u64) + Sync),
    ) {
        let mut worker = Worker { order: self.order, runner: None, frontier: None, post };
        while !self.order.halt.load(Ordering::Relaxed) {
            let block = self.next.fetch_add(1, Ordering::Relaxed);
            if block >= self.count || self.is_told_to_stop(block) {
                return;
            }
            let start = self.order.seeds.start + block * self.order.block;
            let end = self.order.seeds.end.min(start.saturating_add(self.order.block));
            let result = worker.run(start..end, progress);
            self.stop.fetch_or(result.is_err(), Ordering::Relaxed);
            if sender.send((block, result)).is_err() {
                return;
            }
        }
    }

    /// Waits until this block is not too far ahead, which limits the number of uncollected blocks.
    /// Returns whether to stop.
    fn is_told_to_stop(&self, block: u64) -> bool {
        let too_far = |gathered: &mut u64| {
            block >= *gathered + self.window && !self.stop.load(Ordering::Relaxed)
        };
        let gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.turn.wait_while(gathered, too_far));
        self.stop.load(Ordering::Relaxed)
    }

    fn stop(&self) {
        let gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        self.stop.store(true, Ordering::Relaxed);
        drop(gathered);
        self.turn.notify_all();
    }

    /// Passes the blocks to `take` in order.
    fn gather<E>(
        &self,
        receiver: mpsc::Receiver<BlockResult>,
        mut take: impl FnMut(Block) -> Result<ControlFlow<()>, Stop<E>>,
    ) -> Result<(), Stop<E>> {
        let mut early = BTreeMap::new();
        let mut next = 0;
        for (block, result) in receiver {
            if result.is_err() {
                self.stop();
            }
            early.insert(block, result);
            while let Some(result) = early.remove(&next) {
                if take(result.map_err(Stop::Run)?)?.is_break() {
                    return Ok(());
                }
                next += 1;
                *self.gathered.lock().unwrap_or_else(PoisonError::into_inner) = next;
                self.turn.notify_all();
            }
        }
        // After an error, earlier blocks may be missing.
        early.into_values().find_map(Result::err).map_or(Ok(()), |error| Err(Stop::Run(error)))
    }
}

/// Runs seeds on one thread.
struct Worker<'s> {
    order: &'s SweepJob<'s>,
    runner: Option<ftsim_core::Runner>,
    /// What runs are made with if a strategy chooses their steps.
    frontier: Option<Frontier>,
    /// Publishes the run that the worker executes.
    post: &'s Post,
}

impl Worker<'_> {
    fn run(
        &mut self,
        seeds: Range<u64>,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Block, RunError> {
        let start = seeds.start;
        let mut block = Block { seeds, tally: Tally::default(), failing: Vec::new() };
        for seed in block.seeds.clone() {
            match self.order.strategy {
                Some(strategy) => self.run_chosen(&mut block, strategy, seed)?,
                None => {
                    for (point, request) in runs_of(self.order.scenario, seed)? {
                        self.run_one(&mut block, point, request)?;
                    }
                }
            }
            progress(1);
            if self
                .order
                .until
                .is_some_and(|until| block.failing.iter().any(|run| until.ends_at(run)))
            {
                block.seeds = start..seed + 1;
                break;
            }
        }
        Ok(block)
    }

    fn run_one(
        &mut self,
        block: &mut Block,
        point: Option<CrashPoint>,
        request: RunRequest,
    ) -> Result<(), RunError> {
        self.post.begin(request.seed);
        let outcome = match self.order.repeat {
            Repeat::Once => self.execute(request).map_err(RunError::from),
            Repeat::Twice => self.execute_twice(point, request),
        };
        self.post.end();
        let outcome = outcome?;
        block.tally.add(&outcome, point);
        block.failing.extend(FailingRun::of(&self.order.scenario.expect, &outcome, point));
        Ok(())
    }

    /// Makes the run of this seed whose steps the strategy chooses.
    fn run_chosen(
        &mut self,
        block: &mut Block,
        strategy: &Seeded,
        seed: u64,
    ) -> Result<(), RunError> {
        let Self { order, frontier, post, .. } = self;
        let scenario = order.scenario;
        let run = |frontier: &mut Option<Frontier>| {
            guarded(scenario, seed, || {
                let failed = |message| InternalError { path: scenario.path.clone(), seed, message };
                if frontier.is_none() {
                    let fresh = strategy.frontier(scenario, post.beacon.clone());
                    *frontier = Some(fresh.map_err(failed)?);
                }
                let frontier = frontier.as_mut().expect("it has just been made");
                Ok(strategy.run(frontier, seed))
            })
        };
        post.begin(seed);
        let sample = run(frontier)?;
        let again = match order.repeat {
            Repeat::Once => None,
            Repeat::Twice => Some(run(&mut None)?),
        };
        post.end();
        let outcome = sample.explored().outcome;
        if let Some(again) = again {
            same_digest(scenario, outcome, &again.explored().outcome.digest.to_string())?;
        }
        block.tally.add(outcome, None);
        block.failing.extend(FailingRun::of(&scenario.expect, outcome, None));
        Ok(())
    }

    fn execute(&mut self, request: RunRequest) -> Result<Outcome, InternalError> {
        let Self { order, runner, post, .. } = self;
        let seed = request.seed;
        guarded(order.scenario, seed, || {
            Ok(prepared(runner, post, order.scenario, seed)?.run(request))
        })
    }

    /// Executes a run in the simulation that ran the previous seeds and in a fresh one, so that
    /// state left over from earlier runs shows too.
    fn execute_twice(
        &mut self,
        point: Option<CrashPoint>,
        request: RunRequest,
    ) -> Result<Outcome, RunError> {
        let Self { order, runner, post, .. } = self;
        let seed = request.seed;
        let used = guarded(order.scenario, seed, || {
            Ok(prepared(runner, post, order.scenario, seed)?.record(request.clone()))
        })?;
        let fresh = guarded(order.scenario, seed, || {
            Ok(prepared(&mut None, post, order.scenario, seed)?.record(request))
        })?;
        same(order.scenario, seed, point, &used, &fresh)?;
        Ok(used.0)
    }
}

/// Returns an error if the run of a strategy is not the one with this digest.
fn same_digest(scenario: &Scenario, outcome: &Outcome, digest: &str) -> Result<(), RunError> {
    let found = outcome.digest.to_string();
    if found == digest {
        return Ok(());
    }
    let (path, seed) = (scenario.path.clone(), outcome.seed);
    let differs = Differs::Digest(found, digest.to_owned());
    Err(RunError::Diverged(Box::new(Divergence { path, seed, crash_point: None, differs })))
}

/// The runner, created on first use.
fn prepared<'r>(
    runner: &'r mut Option<ftsim_core::Runner>,
    post: &Post,
    scenario: &Scenario,
    seed: u64,
) -> Result<&'r mut ftsim_core::Runner, InternalError> {
    if runner.is_none() {
        let fresh = runner.insert(prepare(scenario, seed)?);
        fresh.show_on(post.beacon.clone());
    }
    Ok(runner.as_mut().expect("it has just been made"))
}
