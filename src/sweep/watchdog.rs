//! A watchdog for the runs of several threads: it reports a run whose handler does not return, and
//! ends runs that take too long.
//!
//! It uses wall-clock time, but this affects only messages and, if the user sets a time limit, when
//! a run ends early.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ftsim_core::{Beacon, ProcessId};

use crate::cli::clock;

/// The interval between checks.
const PERIOD: Duration = Duration::from_millis(100);
/// The time after which a handler is reported.
const PATIENCE: Duration = Duration::from_secs(10);

/// The watchdog of a sweep's threads.
pub struct Watchdog {
    posts: Vec<Post>,
    /// The time limit of a run.
    limit: Option<Duration>,
    is_over: Mutex<bool>,
    over: Condvar,
}

/// The published state of one thread's current run.
#[derive(Default)]
pub struct Post {
    /// Shared with the simulation.
    pub beacon: Beacon,
    run: Mutex<Option<Run>>,
}

/// A run in progress.
#[derive(Clone, Copy)]
struct Run {
    seed: u64,
    /// The start of the run; like all times here, by the wall clock.
    since: Duration,
    /// The last step in which the run was seen, and the time since when it has been in that step.
    step: (u64, ProcessId),
    step_since: Duration,
    is_reported: bool,
}

/// A run that makes no progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// Its seed.
    pub seed: u64,
    /// The step that does not end.
    pub step: u64,
    /// The process whose handler does not return.
    pub process: ProcessId,
    /// The time spent in this step.
    pub since: Duration,
    /// Whether it is beyond the limit and only ending the program can stop it.
    pub is_beyond_limit: bool,
}

impl Watchdog {
    /// A watchdog for this many threads, with this time limit per run.
    pub fn new(threads: usize, limit: Option<Duration>) -> Self {
        Self {
            posts: std::iter::repeat_with(Post::default).take(threads).collect(),
            limit,
            is_over: Mutex::new(false),
            over: Condvar::new(),
        }
    }

    /// The published state of this thread.
    pub fn post(&self, thread: usize) -> &Post {
        &self.posts[thread]
    }

    /// Watches until [`Watched`] is dropped; `report` is called for each stuck run.
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

    /// A guard that stops the watchdog when dropped.
    pub fn until_dropped(&self) -> Watched<'_> {
        Watched(self)
    }
}

/// A guard that keeps the watchdog running.
pub struct Watched<'w>(&'w Watchdog);

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        *lock(&self.0.is_over) = true;
        self.0.over.notify_all();
    }
}

impl Post {
    /// Records that the run of this seed begins.
    pub fn begin(&self, seed: u64) {
        self.beacon.reset();
        let (since, step) = (clock(), self.beacon.step());
        *lock(&self.run) = Some(Run { seed, since, step, step_since: since, is_reported: false });
    }

    /// Records that the run is over.
    pub fn end(&self) {
        *lock(&self.run) = None;
    }

    /// Asks a run beyond the limit to end. Returns it if it needs to be reported.
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
        // A run between two handlers ends when asked to.
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
