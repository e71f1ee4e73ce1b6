//! Other futures of a run: its past up to some step stays, and the rest is drawn anew.

pub mod moment;
pub mod text;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use ftsim_core::{Digest, Instant, Outcome, RunRequest, Runner};

use crate::cli::complain;
use crate::run::{InternalError, guarded, prepare};
use crate::scenario::Scenario;
use crate::sweep::tally::Tally;
use crate::sweep::watchdog::{Post, Stuck, Watchdog};

/// The futures that a thread makes before it looks for others.
const BLOCK: u64 = 25;

/// A run whose other futures are wanted.
pub struct Origin<'s> {
    /// The scenario.
    pub scenario: &'s Scenario,
    /// The run.
    pub request: RunRequest,
    /// What it came to.
    pub outcome: &'s Outcome,
}

/// How many futures, and how to make them.
pub struct Effort<'a> {
    /// The number of futures from each step.
    pub count: u64,
    /// The number of threads.
    pub jobs: usize,
    /// Once this is set, no further future is made.
    pub halt: &'a AtomicBool,
    /// Called with the number of futures that have just been made.
    pub progress: &'a (dyn Fn(u64) + Sync),
}

/// Why there are no futures.
#[derive(Debug)]
pub enum Cut {
    /// It was interrupted.
    Interrupted,
    /// ftsim itself failed.
    Failed(InternalError),
}

/// The futures from one step.
#[derive(Clone, Debug)]
pub struct Futures {
    /// They have the run's past up to this step.
    pub after: u64,
    /// The time at which they part from it.
    pub at: Instant,
    /// What they came to, one after the other.
    pub tally: Tally,
}

impl Origin<'_> {
    /// The number of steps of the run.
    pub const fn step_count(&self) -> u64 {
        self.outcome.statistics.events
    }

    /// Makes as many futures from each of these steps, which are in ascending order. The result
    /// does not depend on the number of threads. `series` tells apart several sets of futures from
    /// one step.
    ///
    /// # Errors
    /// If it is interrupted, or if ftsim itself fails.
    pub fn futures(
        &self,
        steps: &[u64],
        series: u64,
        effort: &Effort<'_>,
    ) -> Result<Vec<Futures>, Cut> {
        let blocks = effort.count.div_ceil(BLOCK);
        let work = Work {
            origin: self,
            steps,
            series,
            effort,
            blocks,
            next: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            done: Mutex::new(steps.iter().map(|_| Gathered::default()).collect()),
        };
        let item_count = usize::try_from(work.item_count()).unwrap_or(usize::MAX);
        let jobs = effort.jobs.clamp(1, item_count.max(1));
        let watchdog = Watchdog::new(jobs, None);
        let failed = std::thread::scope(|scope| {
            let (work, watchdog) = (&work, &watchdog);
            scope.spawn(|| watchdog.watch(|stuck| self.report(stuck)));
            let _watched = watchdog.until_dropped();
            let threads = (0..jobs).map(|thread| watchdog.post(thread));
            let threads: Vec<_> = threads.map(|post| scope.spawn(move || work.run(post))).collect();
            let ends = threads.into_iter().map(|thread| thread.join().expect("a thread that ends"));
            // All of them have to end.
            ends.collect::<Vec<_>>().into_iter().find_map(Result::err)
        });
        if let Some(error) = failed {
            return Err(Cut::Failed(error));
        }
        if effort.halt.load(Ordering::Relaxed) {
            return Err(Cut::Interrupted);
        }
        let done = work.done.into_inner().unwrap_or_else(PoisonError::into_inner);
        let futures = done.into_iter().map(|gathered| {
            let (after, at) = gathered.parting.expect("every step has futures");
            Futures { after, at, tally: gathered.tally }
        });
        Ok(futures.collect())
    }

    /// Reports a future that makes no progress.
    fn report(&self, stuck: &Stuck) {
        let Scenario { path, entry, .. } = self.scenario;
        let (seed, seconds) = (self.request.seed, stuck.since.as_secs_f32());
        complain(&format!(
            "another future of {path}, seed {seed}: {} has been in step {}, at {}, for \
             {seconds:.0} s",
            entry.name, stuck.step, stuck.process
        ));
    }

    /// The seed of a future: of its step and number, so that futures of different steps have
    /// nothing in common.
    fn seed(&self, (step, series): (u64, u64), number: u64) -> u64 {
        let mut seed = Digest::EMPTY;
        for word in [self.request.seed, step, series, number] {
            seed.mix(word);
        }
        seed.value()
    }
}

/// What threads have made of the futures from one step.
#[derive(Default)]
struct Gathered {
    parting: Option<(u64, Instant)>,
    tally: Tally,
    /// The next block that the tally takes in; later ones wait.
    next: u64,
    early: BTreeMap<u64, Tally>,
}

impl Gathered {
    fn take(&mut self, parting: (u64, Instant), block: u64, tally: Tally) {
        self.parting = Some(parting);
        self.early.insert(block, tally);
        while let Some(tally) = self.early.remove(&self.next) {
            self.tally.append(tally);
            self.next += 1;
        }
    }
}

/// Blocks of futures, which threads take in turn.
struct Work<'w> {
    origin: &'w Origin<'w>,
    steps: &'w [u64],
    series: u64,
    effort: &'w Effort<'w>,
    /// The number of blocks from each step.
    blocks: u64,
    next: AtomicU64,
    /// Whether a thread has failed.
    is_over: AtomicBool,
    done: Mutex<Vec<Gathered>>,
}

/// The run, as far as a thread has driven it.
struct Trunk {
    runner: Runner,
    /// It was asked for this step.
    asked: u64,
    /// It has made so many steps; none if it panicked on the way.
    made: Option<u64>,
}

impl Work<'_> {
    const fn item_count(&self) -> u64 {
        self.blocks * self.steps.len() as u64
    }

    /// The work of a thread.
    fn run(&self, post: &Post) -> Result<(), InternalError> {
        let mut trunk = None;
        while !self.effort.halt.load(Ordering::Relaxed) && !self.is_over.load(Ordering::Relaxed) {
            let item = self.next.fetch_add(1, Ordering::Relaxed);
            if item >= self.item_count() {
                break;
            }
            let origin = self.origin;
            let made = guarded(origin.scenario, origin.request.seed, || {
                self.make(&mut trunk, item / self.blocks, item % self.blocks, post)
            });
            post.end();
            self.is_over.fetch_or(made.is_err(), Ordering::Relaxed);
            made?;
        }
        Ok(())
    }

    /// Makes a block of the futures from the step with this index.
    fn make(
        &self,
        trunk: &mut Option<Trunk>,
        index: u64,
        block: u64,
        post: &Post,
    ) -> Result<(), InternalError> {
        let place = usize::try_from(index).unwrap_or(usize::MAX);
        let step = self.steps[place];
        let trunk = match trunk {
            Some(trunk) => trunk,
            None => trunk.insert(self.origin.trunk(post)?),
        };
        post.begin(self.origin.request.seed);
        trunk.drive(step);
        let outcome = self.origin.outcome;
        let parting = trunk.made.map_or((step, outcome.at), |made| (made, trunk.runner.now()));
        let begin = block * BLOCK;
        let end = self.effort.count.min(begin + BLOCK);
        let mut tally = Tally::default();
        for number in begin..end {
            if self.effort.halt.load(Ordering::Relaxed) {
                return Ok(());
            }
            match trunk.made {
                Some(_) => {
                    let seed = self.origin.seed((step, self.series), number);
                    tally.add(&trunk.runner.other_future(seed), None);
                }
                // After a panic nothing else can come.
                None => tally.add(outcome, None),
            }
        }
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done[place].take(parting, block, tally);
        drop(done);
        (self.effort.progress)(end - begin);
        Ok(())
    }
}

impl Origin<'_> {
    fn trunk(&self, post: &Post) -> Result<Trunk, InternalError> {
        let mut runner = prepare(self.scenario, self.request.seed)?;
        runner.show_on(post.beacon.clone());
        runner.begin_unstarted(self.request.clone());
        Ok(Trunk { runner, asked: 0, made: Some(0) })
    }
}

impl Trunk {
    /// Goes on to this step, which is not before the last one.
    fn drive(&mut self, step: u64) {
        if self.asked != step && self.made.is_some() {
            self.asked = step;
            self.made = self.runner.advance(step);
        }
    }
}
