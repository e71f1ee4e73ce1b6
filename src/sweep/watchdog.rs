//! A watch over the runs of several threads: it names a run whose handler does not return, and ends
//! runs that take too long.
//!
//! Wall-clock time decides here, but only about what people are told and, where they ask for it,
//! about when a run ends early.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ftsim_core::{Beacon, ProcessId};

use crate::cli::clock;

/// How often the runs are looked at.
const PERIOD: Duration = Duration::from_millis(100);
/// A handler that takes longer is reported.
const PATIENCE: Duration = Duration::from_secs(10);

/// The watch over the threads of one sweep.
pub struct Watchdog {
    posts: Vec<Post>,
    /// A run may take this long.
    limit: Option<Duration>,
    is_over: Mutex<bool>,
    over: Condvar,
}

/// What one thread shows of the run that it executes.
#[derive(Default)]
pub struct Post {
    /// Shared with the simulation.
    pub beacon: Beacon,
    run: Mutex<Option<Run>>,
}

/// A run that is being executed.
#[derive(Clone, Copy)]
struct Run {
    seed: u64,
    /// When it began, by the wall clock, as other times here.
    since: Duration,
    /// The step that it was seen in last, and since when it has been in it.
    step: (u64, ProcessId),
    step_since: Duration,
    is_reported: bool,
}

/// A run that does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// Its seed.
    pub seed: u64,
    /// The step that does not end.
    pub step: u64,
    /// The process whose handler does not return.
    pub process: ProcessId,
    /// How long it has been in this step.
    pub since: Duration,
    /// Whether it is beyond the limit, and cannot be ended but with the whole program.
    pub is_beyond_limit: bool,
}

impl Watchdog {
    /// A watch over this many threads, whose runs may take as long as `limit`.
    pub fn new(threads: usize, limit: Option<Duration>) -> Self {
        Self {
            posts: std::iter::repeat_with(Post::default).take(threads).collect(),
            limit,
            is_over: Mutex::new(false),
            over: Condvar::new(),
        }
    }

    /// What the thread with this number shows.
    pub fn post(&self, thread: usize) -> &Post {
        &self.posts[thread]
    }

    /// Watches until [`Watched`] is dropped; `report` hears of each run that is stuck.
    pub fn watch(&self, report: impl Fn(&Stuck)) {
        let mut is_over = lock(&self.is_over);
        while !*is_over {
            is_over =
                self.over.wait_timeout(is_over, PERIOD).unwrap_or_else(PoisonError::into_inner).0;
            for stuck in self.posts.iter().filter_map(|post| post.look(self.limit)) {
                report(&stuck);
            }
        }
    }

    /// Ends the watch when it is dropped, however that comes about.
    pub fn until_dropped(&self) -> Watched<'_> {
        Watched(self)
    }
}

/// As long as it is there, the watch goes on.
pub struct Watched<'w>(&'w Watchdog);

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        *lock(&self.0.is_over) = true;
        self.0.over.notify_all();
    }
}

impl Post {
    /// The run of this seed begins.
    pub fn begin(&self, seed: u64) {
        self.beacon.reset();
        let (since, step) = (clock(), self.beacon.step());
        *lock(&self.run) = Some(Run { seed, since, step, step_since: since, is_reported: false });
    }

    /// The run is over.
    pub fn end(&self) {
        *lock(&self.run) = None;
    }

    /// Asks a run beyond the limit to end. Returns it if it is to be reported.
    fn look(&self, limit: Option<Duration>) -> Option<Stuck> {
        let mut run = lock(&self.run);
        let run = run.as_mut()?;
        let now = clock();
        let step = self.beacon.step();
        if step != run.step {
            (run.step, run.step_since, run.is_reported) = (step, now, false);
        }
        let is_late = limit.is_some_and(|limit| now.saturating_sub(run.since) > limit);
        if is_late {
            self.beacon.stop();
        }
        let since = now.saturating_sub(run.step_since);
        // A run between two handlers ends when it is asked to.
        let is_beyond_limit = is_late && limit.is_some_and(|limit| since > limit.max(PERIOD * 5));
        let is_news =
            since > PATIENCE && !std::mem::replace(&mut run.is_reported, since > PATIENCE);
        let (step, process) = run.step;
        let stuck = Stuck { seed: run.seed, step, process, since, is_beyond_limit };
        (is_beyond_limit || is_news).then_some(stuck)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
